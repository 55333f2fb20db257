"""Volumes of a stack, bound to a PVC, and what is seen of them after the PVC is deleted."""

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from landfast import timeouts
from landfast.kube.client import Object
from landfast.kube.removal import delete, retain, wait_gone
from landfast.manifests import load
from landfast.provisioning.contract import (
    ClassSettings,
    Fate,
    Line,
    PvcMeta,
    Reclaimed,
    directory,
    fate,
    pv_path,
)
from landfast.provisioning.objects import Parameters, pvc_object, storage_class
from landfast.provisioning.observed import GONE, ObservedVolume, file_of, text_of
from landfast.stack import Stack
from landfast.subject import place
from landfast.verdict import Unknown
from landfast.waiting import stays_true, wait_until

STAYS_SECONDS = 2.5
"""How long a phase has to last: what is going to change it does so within one second."""


def create_pvcs(stack: Stack, count: int, *, prefix: str = "pvc-") -> list[str]:
    """Create PVCs of the stack's own class, and return their names in order."""
    names = [f"{prefix}{number:02}" for number in range(count)]
    for name in names:
        stack.make(pvc_object(PvcMeta(stack.namespace, name), "nfs-ssd"))
    return names


def volumes_of_class(stack: Stack, class_name: str) -> list[Object]:
    """Return the PVs of a StorageClass of the stack, by the class's name on the cluster."""
    return [
        pv
        for pv in stack.kube.list("PersistentVolume")
        if pv["spec"].get("storageClassName") == class_name
    ]


@dataclass(frozen=True)
class BoundVolume:
    """A volume on a stack's part of the export that was bound to a PVC when it was made.

    `name` is that of the PV, `path` the volume's path on the server.
    """

    stack: Stack
    name: str
    pvc: PvcMeta
    path: str

    @property
    def on_export(self) -> bool:
        """Whether the volume lies in the stack's part of the export."""
        return PurePosixPath(self.path).is_relative_to(self.stack.overlay.root)

    @property
    def directory(self) -> str:
        """The volume's directory, relative to the stack's part of the export; "" is its root.

        Raises:
            ValueError: the volume lies outside.
        """
        relative = str(PurePosixPath(self.path).relative_to(self.stack.overlay.root))
        return "" if relative == "." else relative

    def fate(
        self,
        line: Line,
        settings: ClassSettings,
        *,
        others: Collection[str] = (),
        nfs_path: str | None = None,
    ) -> Fate:
        """Return what becomes of the volume under a class (see `contract.fate`)."""
        root = nfs_path or self.stack.overlay.root
        return fate(line, settings, self.pvc, self.name, root, others=others)

    def misplaced(self, line: Line, settings: ClassSettings) -> str:
        """Return how the volume's path differs from the contract's; empty if it does not."""
        expected = directory(line, settings, self.pvc, self.name)
        path = pv_path(self.stack.overlay.root, expected)
        return "" if self.path == path else f"the volume's path is {self.path}, not {path}"

    def write(self) -> None:
        """Write the volume's file on the server."""
        file = PurePosixPath(self.directory, file_of(self.pvc.name))
        self.stack.export.write(str(file), text_of(self.pvc.name))

    def set_policy(self, policy: str) -> None:
        """Change the volume's reclaim policy."""
        changed = {"spec": {"persistentVolumeReclaimPolicy": policy}}
        self.stack.kube.patch("PersistentVolume", self.name, changed)

    def delete_pvc(self) -> None:
        """Delete the PVC and wait until it is gone."""
        self.stack.delete("PersistentVolumeClaim", self.pvc.name)

    def release(self, phase: str = GONE) -> None:
        """Delete the PVC and wait until the volume has a phase."""
        self.delete_pvc()
        self.wait_for(phase)

    def phase(self) -> str:
        """Return the volume's phase, `gone` if it no longer exists."""
        found = self.stack.kube.find("PersistentVolume", self.name)
        return GONE if found is None else str(found["status"]["phase"])

    def events(self) -> list[str]:
        """Return the volume's events as `reason: message`."""
        found = self.stack.kube.events("default", name=self.name)
        return [f"{event['reason']}: {event['message']}" for event in found]

    def wait_for(self, phase: str) -> None:
        """Wait until the volume has a phase; a phase other than `gone` has to last.

        Raises:
            WaitTimeout: it does not get there in time, or cannot any more.
            NotStable: the phase does not last.
        """
        wait_until(
            f"volume {self.name} to be {phase}",
            self.phase,
            until=lambda seen: seen == phase,
            give_up=lambda seen: self._hopeless(seen, phase),
            timeout=timeouts.RECLAIM,
        )
        if phase != GONE:
            stays_true(
                f"that volume {self.name} is {phase}",
                self.phase,
                holds=lambda seen: seen == phase,
                seconds=STAYS_SECONDS,
            )

    def _hopeless(self, seen: str, phase: str) -> str | None:
        """Return why the volume cannot reach a phase any more, or None."""
        if seen == GONE:
            return "the volume no longer exists"
        if seen == "Failed" or (seen == "Released" and phase == GONE):
            # only a failed deletion is final: a failed recycling is tried again within 15 s
            failed = "VolumeFailedDelete"
            return next((text for text in self.events() if text.startswith(failed)), None)
        return None

    def look(self) -> ObservedVolume:
        """Observe the volume, and search the stack's whole part of the export for its file."""
        found = self.stack.export.list()
        name = file_of(self.pvc.name)
        files = sorted(path for path in found if PurePosixPath(path).name == name)
        written = hashlib.sha256(text_of(self.pvc.name).encode()).hexdigest()
        hashes = self.stack.export.hashes(files) if files else {}
        return ObservedVolume(
            phase=self.phase(),
            data=tuple(path.removesuffix(name).rstrip("/") for path in files),
            intact=set(hashes.values()) <= {written},
            directory=self.directory in {"", *found},
            events=tuple(self.events()),
        )

    def observed_fate(self, settings: ClassSettings, seen: ObservedVolume) -> Fate:
        """Return the fate that an observation shows, under a class with these settings."""
        return Fate(self._reclaimed(settings, seen), next(iter(seen.data), None), seen.phase)

    def _reclaimed(self, settings: ClassSettings, seen: ObservedVolume) -> Reclaimed:
        if not seen.data:
            return Reclaimed.EMPTIED if seen.directory else Reclaimed.REMOVED
        if seen.data != (self.directory,):
            return Reclaimed.ARCHIVED
        gone = seen.phase == GONE
        if settings.reclaim_policy == "Retain" or (gone and settings.on_delete == "retain"):
            return Reclaimed.KEPT
        return Reclaimed.LEAKED if gone else Reclaimed.FAILED

    def in_words(self, of: Fate) -> str:
        """Return a fate in words, with PVC, VOLUME and NAMESPACE in place of the real names."""
        words = str(of).replace(self.name, "VOLUME").replace(self.pvc.name, "PVC")
        return words.replace(self.pvc.namespace, "NAMESPACE")


@contextlib.contextmanager
def provisioned(
    stack: Stack, name: str, settings: Parameters, annotations: Mapping[str, str] | None = None
) -> Iterator[BoundVolume]:
    """Provision a volume with its own class; finally remove class, PVC and volume.

    What remains on the export stays there (see `clear`). `name` is the name of the PVC and, with
    the stack's suffix, of the class. The stack's provisioner must be running.

    Raises:
        WaitTimeout: the PVC is not bound in time.
    """
    pvc = PvcMeta(stack.namespace, name, annotations=annotations or {})
    with temporary_class(stack, name, settings), removed(stack, pvc):
        stack.make(pvc_object(pvc, name))
        yield bound_volume(stack, pvc)


@contextlib.contextmanager
def prepared(
    stack: Stack, name: str, settings: ClassSettings, annotations: Mapping[str, str] | None = None
) -> Iterator[BoundVolume]:
    """Create a PV by hand in the directory `name` and bind it; otherwise as `provisioned`.

    The PV has the policy of `settings`. The class has it too, unless it is Recycle, which the API
    refuses for classes.

    Raises:
        MissingCapability: the policy is Recycle, and the cluster is not to recycle volumes.
    """
    if settings.reclaim_policy == "Recycle":
        stack.env.cluster.require("cluster.recycler")
    pvc = PvcMeta(stack.namespace, name, annotations=annotations or {})
    policy = settings.reclaim_policy
    of_class = replace(settings, reclaim_policy="Delete" if policy == "Recycle" else policy)
    (obj,) = load("pv")
    obj["metadata"]["name"] = name
    obj["spec"] |= {"persistentVolumeReclaimPolicy": policy, "storageClassName": name}
    obj["spec"]["nfs"]["path"] += f"/{name}"
    stack.export.make_folder(name)
    with temporary_class(stack, name, of_class), removed(stack, pvc):
        volume = str(stack.make(obj)["metadata"]["name"])
        stack.wait_for_pv(volume, "Available")
        wanted = pvc_object(pvc, name)
        wanted["spec"]["volumeName"] = volume  # or the provisioner may be faster
        stack.make(wanted)
        try:
            yield bound_volume(stack, pvc)
        finally:
            if policy == "Recycle" and stack.env.cluster.owned:
                # kube-controller-manager usually removes it, but not always
                stack.kube.delete("Pod", f"recycler-for-{volume}", "default", grace_seconds=0)


@contextlib.contextmanager
def temporary_class(stack: Stack, name: str, settings: Parameters) -> Iterator[None]:
    """Create a StorageClass, and finally delete it."""
    made = stack.make(storage_class(name, settings))
    try:
        yield
    finally:
        stack.kube.delete("StorageClass", made["metadata"]["name"])


def bound_volume(stack: Stack, pvc: PvcMeta) -> BoundVolume:
    """Wait until a PVC is bound, and return its volume.

    Raises:
        WaitTimeout: it is not in time.
        Unknown: the volume does not say where it is.
    """
    bound = stack.wait_for_pvc(pvc.name)
    name = str(bound["spec"]["volumeName"])
    found = place(stack.kube.get("PersistentVolume", name))
    if found is None:
        raise Unknown(f"volume {name} does not say where on a server it is")
    return BoundVolume(stack, name, pvc, found[1])


@contextlib.contextmanager
def removed(stack: Stack, pvc: PvcMeta) -> Iterator[None]:
    """Finally remove a PVC and the volumes of the class of its name.

    The volumes go first, as Retain: a provisioner neither reclaims a volume that is being deleted
    nor touches its directory, and csi-provisioner lets go of one whose deletion fails.
    """
    try:
        yield
    finally:
        volumes = volumes_of_class(stack, f"{pvc.name}{stack.overlay.suffix}")
        retain(stack.kube, volumes)
        going = delete(stack.kube, volumes)
        stack.delete("PersistentVolumeClaim", pvc.name)
        wait_gone(stack.kube, going)


def clear(stack: Stack) -> None:
    """Remove everything in the stack's part of the export."""
    for path in stack.export.list(depth=1):
        stack.export.remove(path)
