"""Who writes where: every mount of every container, with the directory that it leads to."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from landfast.audit.directories import Directory
from landfast.audit.objects import CsiSource, Metadata, PvcObject, PvObject
from landfast.audit.pods import Container, PodVolume, VolumeMount
from landfast.audit.workloads import Workload

_VARIABLE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
OWN_PVC = "volumeClaimTemplates"
"""The source of a volume that a StatefulSet, or an operator, makes for each pod."""


@dataclass(frozen=True, eq=False)
class Use:
    """A container that mounts a volume.

    Attributes:
        workload: what the container belongs to.
        container: the container.
        mount: its mount of the volume.
        source: what the volume is: `persistentVolumeClaim`, `nfs`, `csi`, `ephemeral`,
            `volumeClaimTemplates`, `emptyDir`, `hostPath`, `configMap` …; "" if the pod has no such
            volume.
        directory: the directory that is mounted, with the mount's sub-path; None for a volume that
            is no storage of its own, like an emptyDir. It may be on a volume that is not on NFS.
        claim: the namespace and name of the PVC, if it is through one.
        pvc: the PVC, if it is known.
        pv: the volume, if it is known, or if only one fits.
        pods: how many pods can have the directory at the same time.
        read_only: whether it cannot write there.
        init: whether the container ends before the others of its pod begin.
    """

    workload: Workload
    container: Container
    mount: VolumeMount
    source: str
    directory: Directory | None
    claim: tuple[str, str] | None = None
    pvc: PvcObject | None = None
    pv: PvObject | None = None
    pods: int = 1
    read_only: bool = False
    init: bool = False

    @property
    def writes(self) -> bool:
        """Whether it can write to a directory."""
        return self.directory is not None and not self.read_only and self.pods > 0

    @property
    def through(self) -> str:
        """What it reaches the directory through, in words."""
        if self.claim:
            return f"PersistentVolumeClaim {'/'.join(self.claim)}"
        return f"its own {self.source} volume {self.mount.name}"


@dataclass(frozen=True)
class Claimed:
    """The root of a volume, and the PVC that it is reached through, if there is one."""

    root: Directory
    claim: tuple[str, str] | None = None
    pvc: PvcObject | None = None
    pv: PvObject | None = None


Resolve = Callable[[str, str], Iterable[Claimed]]
"""What a PVC is, by namespace and name: one answer for each of its definitions."""


def uses_of(workload: Workload, resolve: Resolve) -> Iterator[Use]:
    """Yield every mount of a workload's containers; of its own PVCs, one for each pod."""
    volumes = {volume.name: volume for volume in workload.pod.volumes}
    own: dict[str, list[PvcObject]] = {}
    for template, pvc in workload.made_pvcs():
        own.setdefault(template, []).append(pvc)
    sidecars = {id(c) for c in workload.pod.init_containers if c.restart_policy == "Always"}
    init = {id(c) for c in workload.pod.init_containers} - sidecars
    for container in workload.pod.all_containers:
        for mount in container.volume_mounts:
            first = id(container) in init
            if mount.name in own:
                for pvc in own[mount.name]:
                    for claimed in resolve(pvc.namespace, pvc.name):
                        yield _use(workload, container, mount, OWN_PVC, claimed, 1, init=first)
            else:
                volume = volumes.get(mount.name)
                yield from _of_volume(workload, container, mount, volume, resolve, init=first)


def _of_volume(
    workload: Workload,
    container: Container,
    mount: VolumeMount,
    volume: PodVolume | None,
    resolve: Resolve,
    *,
    init: bool,
) -> Iterator[Use]:
    if volume is None:
        yield Use(workload, container, mount, "", None, pods=workload.at_once, init=init)
        return
    source, pods = volume.source, workload.at_once
    if volume.persistent_volume_claim:
        name = volume.persistent_volume_claim.claim_name
        read_only = volume.persistent_volume_claim.read_only
        for claimed in resolve(workload.namespace, name):
            yield _use(workload, container, mount, source, claimed, pods, read_only, init=init)
        return
    if pvc := ephemeral_pvc(workload, volume):
        for claimed in resolve(pvc.namespace, pvc.name):
            yield _use(workload, container, mount, source, claimed, min(1, pods), init=init)
        return
    root = inline_root(volume)
    read_only = bool((volume.nfs and volume.nfs.read_only) or (volume.csi and volume.csi.read_only))
    if root is None:
        yield Use(workload, container, mount, source, None, pods=pods, init=init)
    else:
        yield _use(workload, container, mount, source, Claimed(root), pods, read_only, init=init)


def ephemeral_pvc(workload: Workload, volume: PodVolume) -> PvcObject | None:
    """Return the PVC that is made for each pod and named after pod and volume, if one is."""
    template = volume.ephemeral.volume_claim_template if volume.ephemeral else None
    if template is None:
        return None
    pod = workload.name if workload.kind == "Pod" else f"{workload.name}-*"
    return PvcObject(
        kind="PersistentVolumeClaim",
        metadata=Metadata(name=f"{pod}-{volume.name}", namespace=workload.namespace),
        spec=template.spec,
        place=workload.place.at((*workload.template_at, "spec", "volumes")),
        made_by=f"{workload.title} {volume.name}",
    )


def inline_root(volume: PodVolume) -> Directory | None:
    """Return the directory of a volume that a pod defines itself, None if it is none of NFS."""
    if volume.nfs:
        return volume.nfs.directory
    return volume.csi.backing.directory if volume.csi else None


def root_of_volume(pv: PvObject) -> Directory:
    """Return the directory of a volume; two volumes of one handle are one, wherever it is."""
    if pv.directory:
        return pv.directory
    csi: CsiSource | None = pv.spec.csi
    if csi and csi.volume_handle:
        return Directory(of=f"volume {csi.volume_handle} of {csi.driver}")
    return Directory(of=pv.title)


def _use(
    workload: Workload,
    container: Container,
    mount: VolumeMount,
    source: str,
    claimed: Claimed,
    pods: int,
    read_only: bool = False,
    *,
    init: bool,
) -> Use:
    path, differs = _sub_path(mount, container)
    pvc, pv = claimed.pvc, claimed.pv
    modes = set(pvc.spec.access_modes) if pvc else set()
    return Use(
        workload,
        container,
        mount,
        source,
        claimed.root.sub(path),
        claim=claimed.claim,
        pvc=pvc,
        pv=pv,
        pods=min(pods, 1) if differs else pods,
        read_only=mount.read_only
        or read_only
        or modes == {"ReadOnlyMany"}
        or bool(pv and ((pv.spec.nfs and pv.spec.nfs.read_only) or _csi_read_only(pv))),
        init=init,
    )


def _csi_read_only(pv: PvObject) -> bool:
    return bool(pv.spec.csi and pv.spec.csi.read_only)


def _sub_path(mount: VolumeMount, container: Container) -> tuple[str, bool]:
    """Return a mount's sub-path, and whether each pod has another one."""
    if not mount.sub_path_expr:
        return mount.sub_path, False
    env: Mapping[str, tuple[str, bool]] = {v.name: (v.value, v.differs) for v in container.env}
    differs = any(env[name][1] for name in _VARIABLE.findall(mount.sub_path_expr) if name in env)

    def value(found: re.Match[str]) -> str:
        text, _ = env.get(found[1], ("", False))
        return text or found[0]

    return _VARIABLE.sub(value, mount.sub_path_expr), differs
