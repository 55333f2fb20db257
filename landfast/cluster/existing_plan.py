"""The plan of a run on an existing cluster: what it is going to create, under which names."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from landfast import registry
from landfast.cluster.base import Capability, Cluster
from landfast.cluster.existing_removal import CLUSTER_KINDS
from landfast.cluster.fence import FencedKube
from landfast.errors import BadInput
from landfast.image_names import ImageName
from landfast.images import Images, recycler
from landfast.kube import Kube, Object
from landfast.kube.placement import Placement, Toleration
from landfast.manifests import Overlay, reference_objects
from landfast.nfs import inspector_pod
from landfast.nfs.export import UNSEEN, Export
from landfast.run import RUN_LABEL
from landfast.settings import Settings

_MISSING: dict[Capability, str] = {
    "cluster.owned": "a run does not touch the nodes and control plane of an existing cluster",
    "cluster.node-shell": "a run executes nothing on the nodes of an existing cluster",
    "cluster.nodeport": "NodePorts are out of reach from here; MySQL is used by port-forward",
    "cluster.default-class": "the default StorageClasses of an existing cluster are changed, and "
    "restored, only with --i-own-this-cluster",
    "cluster.node-faults": "nodes of an existing cluster are broken, and heal, only with "
    "--storage-class and --i-own-this-cluster, and not with --namespace",
    "cluster.recycler": "to recycle a volume, the cluster's controller runs a pod as root in the "
    "namespace default, which a run causes only with --i-own-this-cluster",
    "cluster.namespaces": "the run works in the one namespace of --namespace",
}
_WITH_CONSENT: set[Capability] = {"cluster.default-class", "cluster.recycler"}


def snapshot(kube: Kube) -> list[Object]:
    """Return the objects with which a run's own could collide."""
    kinds = ("Namespace", *CLUSTER_KINDS, "PersistentVolumeClaim")
    return [obj for kind in kinds for obj in kube.list(kind)]


def taken(reference: Iterable[Object], there: Iterable[Object]) -> list[str]:
    """Return the objects because of which the reference's own names cannot be used.

    These are objects of the same name; PVs and PVCs of the same class, which could be bound to the
    reference's; and classes of the same provisioner, which two programs would then serve.
    """
    there = list(there)
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in there}
    found: dict[str, str] = {}
    for obj in reference:
        kind, name = obj["kind"], obj["metadata"]["name"]
        if "namespace" not in obj["metadata"] and (kind, name) in names:
            found[f"{kind} {name}"] = ""
        for other in there if kind == "StorageClass" else []:
            title = f"{other['kind']} {other['metadata']['name']}"
            if other.get("provisioner") == obj["provisioner"]:
                found.setdefault(title, f" (of provisioner {obj['provisioner']})")
            if (other.get("spec") or {}).get("storageClassName") == name:
                found.setdefault(title, f" (of class {name})")
    return sorted(title + why for title, why in found.items())


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
            f"The reference's own names are taken on this cluster by: {', '.join(self.taken)}. "
            f"Cluster-wide names end in {self.overlay.suffix} instead."
        )

    def __str__(self) -> str:
        overlay, export = self.overlay, self.overlay.export
        if (namespace := self.cluster.guest_in) is not None:
            return (
                f"on the existing cluster {self.cluster.context} this run creates in namespace "
                f"{namespace} PVCs of the class, pods and what MySQL needs, labelled "
                f"{RUN_LABEL}={overlay.run_id}, and removes them"
            )
        if not export.seen:
            return (
                f"on the existing cluster {self.cluster.context} this run creates a namespace for "
                f"each test, labelled {RUN_LABEL}={overlay.run_id}, with PVCs of the class and "
                "pods, and removes them"
            )
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
    """Look at the cluster and return what a run is going to do there.

    Raises:
        BadInput: there is no such namespace, no node takes pods, or the kit's images were asked for
            and the nodes do not have them.
    """
    # the role of a guest reads no namespaces; each has this account
    if settings.namespace and kube.find("ServiceAccount", "default", settings.namespace) is None:
        raise BadInput(
            f"--namespace {settings.namespace}: --context {context} has no such namespace; the run "
            "does not make it"
        )
    export = UNSEEN
    if settings.nfs_server is not None:
        server, _, path = settings.nfs_server.partition(":")
        options = settings.volume_options
        export = Export(server=server, path=path, kind="external", mount_options=options)
    placement = placement_of(settings)
    nodes = [node for node in kube.list("Node") if placement.takes(node)]
    if not nodes:
        raise BadInput(
            f"no node of --context {context} takes pods: none is Ready and schedulable, runs Linux "
            "and has no taint but those of --toleration and the labels of --node-selector"
        )
    own = f"landfast-{kube.run_id}"
    overlay = Overlay(
        export=export,
        images=_images(settings, nodes, kube.server_version()),
        run_id=kube.run_id,
        subtree=own,
        namespace=own,
        node_port=False,
    )
    found = taken(reference_objects(overlay), snapshot(kube)) if export.seen else []
    cluster = Cluster(
        provider="existing",
        name=context,
        kubeconfig=kubeconfig,
        context=context,
        nodes=tuple(sorted(node["metadata"]["name"] for node in nodes)),
        missing={name: reason for name, reason in _MISSING.items() if _lacks(name, settings)},
        fence=kube.run_id,
        guest_in=settings.namespace,
        placement=placement,
    )
    suffix = f"-{kube.run_id[-4:]}" if found else ""
    return Plan(cluster, replace(overlay, suffix=suffix), found)


def _lacks(name: Capability, settings: Settings) -> bool:
    """Whether a run with these settings lacks a capability of `_MISSING`."""
    if name == "cluster.namespaces":
        return settings.namespace is not None
    if name == "cluster.node-faults":
        return not settings.breaks_nodes
    return name not in _WITH_CONSENT or settings.i_own_this_cluster is None


def placement_of(settings: Settings) -> Placement:
    """Return what the pods of a run need."""
    return Placement(
        node_selector=dict(entry.split("=", 1) for entry in settings.node_selector),
        tolerations=tuple(map(Toleration.parse, settings.toleration)),
        pull_secret=settings.pull_secret,
    )


def images_on(nodes: Iterable[Object], kubernetes: str) -> Images:
    """Return the kit's images that are baked into all nodes of a cluster of this version.

    Raises:
        BadInput: one is missing: the nodes are not made from the kit's node image.
    """
    names: list[set[str]] = [
        {name for image in node["status"].get("images", []) for name in image.get("names") or []}
        for node in nodes
    ]
    everywhere = set.intersection(*names) if names else set()

    def pick(*kinds: str) -> str:
        paths = [f"landfast/{kind}" for kind in kinds]
        found = sorted(name for name in everywhere if ImageName.parse(name).path in paths)
        if not found:
            raise BadInput(
                f"--images kit: the nodes of this cluster do not have the kit's {kinds[0]} image; "
                "make them from the kit's node image, or use --images registry"
            )
        return found[-1].removeprefix("docker.io/")

    return Images(
        source="kit",
        node="",
        nfs_server="",
        provisioner=pick("nfs-provisioner"),
        mysql=pick("mysql", "mariadb"),
        busybox=pick("busybox"),
        recycler=recycler(kubernetes),
    )


def _images(settings: Settings, nodes: list[Object], kubernetes: str) -> Images:
    if settings.images != "kit":
        return registry_images(settings, kubernetes)
    images, given = images_on(nodes, kubernetes), registry.overrides(settings)
    return replace(
        images,
        provisioner=settings.provisioner_image or images.provisioner,
        landfast=given.get("landfast", ""),
    )


def registry_images(settings: Settings, kubernetes: str) -> Images:
    """Return the images by the names that the cluster pulls them by: the registry's.

    Those that Landfast chooses have a tag and no digest: nodes into which an image was loaded know
    it by its tag.

    Args:
        settings: they may name images and a mirror.
        kubernetes: the cluster's version, which decides what volumes are recycled with.
    """
    given = registry.overrides(settings)
    found = registry.sources(settings.registry, given, kubernetes)
    names = {
        part: source.pull if part in given else str(ImageName.parse(source.pull).tagged())
        for part, source in found.items()
    }
    own_choice = {"recycler": found["recycler"].name}  # Kubernetes', wherever it comes from
    return registry.as_images({**names, **own_choice, "node": ""})
