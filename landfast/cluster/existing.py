"""The `existing` provider: somebody's cluster, where only what has the run's label is ours."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from landfast import registry
from landfast.cluster.base import Capability, Cluster
from landfast.cluster.fence import FencedKube
from landfast.cluster.removal import CLUSTER_KINDS
from landfast.errors import BadInput, LandfastError
from landfast.images import Images, kit_images_among, registry_names
from landfast.kube import Kube, KubeError, Object
from landfast.kube.manifests import MANIFESTS, Overlay, load
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.run import RUN_LABEL
from landfast.settings import Settings

_OLDEST = (1, 27)  # the first that refuses unknown fields of every object
_MANAGE = "create delete get list"
_RIGHTS = {
    "": {
        "namespaces": _MANAGE,
        "persistentvolumes": f"{_MANAGE} patch",
        "persistentvolumeclaims": f"{_MANAGE} patch",
        "pods": _MANAGE,
        "pods/exec": "create get",
        "pods/portforward": "create get",
        "pods/log": "get",
        "services": _MANAGE,
        "configmaps": _MANAGE,
        "serviceaccounts": _MANAGE,
        "events": "list",
        "nodes": "list",
    },
    "apps": {
        "deployments": f"{_MANAGE} patch",
        "statefulsets": f"{_MANAGE} patch",
        "replicasets": "delete get list",
    },
    "storage.k8s.io": {"storageclasses": f"{_MANAGE} patch"},
    "rbac.authorization.k8s.io": {
        "clusterroles": _MANAGE,
        "clusterrolebindings": _MANAGE,
        "roles": _MANAGE,
        "rolebindings": _MANAGE,
    },
}
_NAMED_RIGHTS = 3
_MISSING: dict[Capability, str] = {
    "cluster.owned": "the cluster is somebody's: its nodes and control plane are not touched",
    "cluster.node-shell": "the cluster is somebody's: nothing is run on its nodes",
    "cluster.nodeport": "NodePorts are out of reach from here; MySQL is used by port-forward",
    "cluster.default-class": "the default classes of somebody's cluster are changed, and restored, "
    "only with --i-own-this-cluster",
}


def kubeconfig_path(asked: Path | None) -> Path:
    """Give the kubeconfig to use, absolute: the one asked for, $KUBECONFIG (a list is one), or ~'s.

    Raises:
        BadInput: there is no such file.
    """
    given = str(asked) if asked else os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = [Path(part).expanduser().absolute() for part in given.split(os.pathsep) if part]
    for file in files:
        if not file.is_file():
            raise BadInput(f"--kubeconfig {file}: there is no such file")
    return Path(os.pathsep.join(map(str, files)))


def connect(
    kubeconfig: Path, context: str, run_id: str, *, default_classes: bool = False
) -> FencedKube:
    """Give a cluster by its context, behind the fence, after asking whether a run could work there.

    Raises:
        BadInput: there is no such context, no server answers, it is too old, or the user may not do
            there what a run does.
    """
    there = _contexts(kubeconfig)
    if context not in there:
        raise BadInput(
            f"--context {context}: {kubeconfig} has no such context; "
            f"it has {', '.join(there) or 'none'}"
        )
    kube = FencedKube(kubeconfig, context, run_id, default_classes=default_classes)
    version = kube.server_version()
    if version_of(version) < _OLDEST:
        raise BadInput(
            f"the API server {kube.host} is Kubernetes {version}: Landfast needs "
            f"v{_OLDEST[0]}.{_OLDEST[1]} or newer"
        )
    try:
        denied = missing_rights(kube)
    except KubeError as error:
        raise BadInput(f"the API server {kube.host} refuses: {error.message}") from error
    if denied:
        more = len(denied) - _NAMED_RIGHTS
        raise BadInput(
            f"the user of --context {context} may not {', '.join(denied[:_NAMED_RIGHTS])}"
            f"{f' and {more} more that a run needs' if more > 0 else ', which a run needs'}"
        )
    return kube


def _contexts(kubeconfig: Path) -> list[str]:
    names: set[str] = set()
    for file in str(kubeconfig).split(os.pathsep):
        try:
            content = yaml.safe_load(Path(file).read_text())
            names |= {str(item["name"]) for item in content.get("contexts") or []}
        except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise BadInput(f"--kubeconfig {file} cannot be read as a kubeconfig") from error
    return sorted(names)


def version_of(text: str) -> tuple[int, int]:
    """Give major and minor of a server's version (`v1.37.2`, `v1.30.1-eks-…`)."""
    found = re.match(r"v(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def missing_rights(kube: Kube) -> list[str]:
    """Give what a run does and this user may not, as `create namespaces`."""
    if _may(kube, "*", "*", "*"):
        return []
    return [
        f"{verb} {resource}"
        for group, resources in _RIGHTS.items()
        for resource, verbs in resources.items()
        for verb in verbs.split()
        if not _may(kube, group, resource, verb)
    ]


def _may(kube: Kube, group: str, resource: str, verb: str) -> bool:
    resource, _, subresource = resource.partition("/")
    asked = {"group": group, "resource": resource, "subresource": subresource, "verb": verb}
    answer = kube.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": asked},
        }
    )
    return bool(answer["status"]["allowed"])


def reference_objects(overlay: Overlay) -> list[Object]:
    """Give every object of the reference system as the overlay makes it."""
    return [overlay.fit(obj) for manifest in MANIFESTS for obj in load(manifest)]


def snapshot(kube: Kube) -> list[Object]:
    """Give the objects that a run's own could meet."""
    kinds = ("Namespace", *CLUSTER_KINDS, "PersistentVolumeClaim")
    return [obj for kind in kinds for obj in kube.list(kind)]


def taken(reference: Iterable[Object], there: Iterable[Object]) -> list[str]:
    """Give what keeps the reference's own names from being used: somebody has them.

    Beside objects of the same name these are volumes and claims of the same class, which would bind
    to the reference's, and classes of the same provisioner, which two programs would then serve.
    """
    there = list(there)
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in there}
    found = []
    for obj in reference:
        kind, name = obj["kind"], obj["metadata"]["name"]
        if "namespace" not in obj["metadata"] and (kind, name) in names:
            found.append(f"{kind} {name}")
        if kind != "StorageClass":
            continue
        for other in there:
            title = f"{other['kind']} {other['metadata']['name']}"
            if other["kind"] == "StorageClass":
                if other.get("provisioner") == obj["provisioner"] and title not in found:
                    found.append(f"{title} (of provisioner {obj['provisioner']})")
            elif (other.get("spec") or {}).get("storageClassName") == name:
                found.append(f"{title} (of class {name})")
    return sorted(dict.fromkeys(found))


@dataclass(frozen=True)
class Plan:
    """What a run is going to do on a cluster."""

    cluster: Cluster
    overlay: Overlay
    taken: list[str]

    @property
    def note(self) -> str:
        """Why the reference's own names are not used, if they are not."""
        if not self.taken:
            return ""
        return (
            f"The reference's own names are not used on this cluster, because these are there: "
            f"{', '.join(self.taken)}. Names that count cluster-wide end in {self.overlay.suffix}."
        )

    def __str__(self) -> str:
        overlay, export = self.overlay, self.overlay.export
        objects = [o for o in reference_objects(overlay) if "namespace" not in o["metadata"]]
        names = [(o["kind"], o["metadata"]["name"]) for o in objects]
        spaces = [name for kind, name in names if kind == "Namespace"]
        others = [f"{kind} {name}" for kind, name in names if kind != "Namespace"]
        others.append(f"PersistentVolume {inspector_pod.volume_name(overlay.namespace)}")
        lines = [
            f"on the existing cluster {self.cluster.context} this run creates, labelled "
            f"{RUN_LABEL}={overlay.run_id}, and removes at its end:",
            f"  namespaces       {', '.join([overlay.namespace, *spaces])}; one for a single test",
            f"  cluster objects  {', '.join(others)}; with a suffix for a single test",
            f"  on the export    {export.server}:{overlay.root}",
        ]
        return "\n".join([*lines, f"  {self.note}"] if self.note else lines)


def make_plan(settings: Settings, kube: FencedKube, kubeconfig: Path, context: str) -> Plan:
    """Look at the cluster and give what a run is going to do there.

    Raises:
        BadInput: the kit's images were asked for and the nodes do not have them.
    """
    server, _, path = str(settings.nfs_server).partition(":")
    nodes, there = kube.list("Node"), snapshot(kube)
    own = f"landfast-{kube.run_id}"
    overlay = Overlay(
        export=Export(server=server, path=path, kind="external"),
        images=_images(settings, nodes),
        run_id=kube.run_id,
        subtree=own,
        namespace=own,
        node_port=False,
    )
    found = taken(reference_objects(overlay), there)
    cluster = Cluster(
        provider="existing",
        name=context,
        kubeconfig=kubeconfig,
        context=context,
        nodes=tuple(sorted(node["metadata"]["name"] for node in nodes)),
        missing=_missing(settings),
        fence=kube.run_id,
    )
    suffix = f"-{kube.run_id[-4:]}" if found else ""
    return Plan(cluster, replace(overlay, suffix=suffix), found)


def _missing(settings: Settings) -> dict[Capability, str]:
    allowed = {"cluster.default-class"} if settings.i_own_this_cluster else set()
    return {name: reason for name, reason in _MISSING.items() if name not in allowed}


def images_on(nodes: Iterable[Object]) -> Images:
    """Give the kit's images as all nodes have them baked in.

    Raises:
        BadInput: they are not of the kit's node image.
    """
    everywhere = [
        {name for image in node["status"].get("images", []) for name in image.get("names") or []}
        for node in nodes
    ]
    return kit_images_among(set.intersection(*everywhere) if everywhere else set())


def _images(settings: Settings, nodes: list[Object]) -> Images:
    if settings.images != "kit":
        return registry_images(settings)
    images = images_on(nodes)
    return replace(images, provisioner=settings.provisioner_image or images.provisioner)


def registry_images(settings: Settings) -> Images:
    """Give the images as the cluster pulls them: it knows no other name than the registry's."""
    found = registry.sources(settings.registry, registry.overrides(settings))
    names = {part: source.pull for part, source in found.items()}
    recycler = registry_names()["recycler"]  # Kubernetes' own choice, wherever it comes from
    return Images(
        source="registry", **{**names, "node": "", "nfs_server": "", "recycler": recycler}
    )


def start_inspector(kube: FencedKube, overlay: Overlay) -> Export:
    """Create the run's namespace with the inspector in it, and give the export with the inspector.

    Raises:
        BadInput: the cluster cannot mount the export.
    """
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": overlay.namespace, "labels": {RUN_LABEL: kube.run_id}},
        }
    )
    return inspector_pod.start(
        kube, overlay.export, overlay.namespace, overlay.images.busybox, kube.run_id
    )


def make_folder(inspector: ExportInspector, overlay: Overlay) -> list[str]:
    """Make the run's folder on the export; give what a reader of the report has to know of it.

    Raises:
        BadInput: the export cannot be written.
    """
    export, probe = overlay.export, f"{overlay.subtree}/.landfast"
    try:
        inspector.make_folder(overlay.subtree)
        inspector.write(probe, overlay.run_id)
        entry = inspector.stat(probe)
        inspector.remove(probe)
    except LandfastError as error:
        raise BadInput(
            f"--nfs-server {export.server}:{export.path} cannot be written: {error}"
        ) from error
    if entry is None or entry.uid == 0:
        return []
    return [
        f"The export gives what root writes to user {entry.uid} (root_squash): programs that "
        "change owners there, as MySQL's image does, will fail; the inspector may not see all."
    ]
