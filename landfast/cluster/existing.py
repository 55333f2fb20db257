"""The `existing` provider: somebody's cluster, on which only what carries the run's label is ours."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from landfast.cluster.base import Capability, Cluster
from landfast.cluster.fence import FencedKube
from landfast.errors import BadInput, LandfastError
from landfast.images import Images, kit_images_among
from landfast.kube import Kube, KubeError, Object
from landfast.kube.manifests import MANIFESTS, Overlay, load
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.run import RUN_LABEL
from landfast.waiting import WaitTimeout, wait_until

_OLDEST = (1, 27)  # the first that refuses unknown fields of every object
_REMOVE_SECONDS = 120
_CLUSTER_KINDS = ("PersistentVolume", "StorageClass", "ClusterRoleBinding", "ClusterRole")
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
    "storage.k8s.io": {"storageclasses": _MANAGE},
    "rbac.authorization.k8s.io": {
        "clusterroles": _MANAGE,
        "clusterrolebindings": _MANAGE,
        "roles": _MANAGE,
        "rolebindings": _MANAGE,
    },
}
_NAMED_RIGHTS = 3
_Name = tuple[str, str, str | None]  # kind, name, namespace


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


def connect(kubeconfig: Path, context: str, run_id: str) -> FencedKube:
    """Give a cluster by its context, behind the fence, after asking whether a run could work there.

    Raises:
        BadInput: there is no such context, no server answers, it is too old, or the user may not do
            there what a run does.
    """
    there = _contexts(kubeconfig)
    if context not in there:
        raise BadInput(
            f"--context {context}: {kubeconfig} has no such context; it has {', '.join(there) or 'none'}"
        )
    kube = FencedKube(kubeconfig, context, run_id)
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
    kinds = ("Namespace", *_CLUSTER_KINDS, "PersistentVolumeClaim")
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


def missing(there: Iterable[Object]) -> dict[Capability, str]:
    """Give what cannot be done on this cluster, with the reason."""
    reasons: dict[Capability, str] = {
        "cluster.owned": "the cluster is somebody's: its nodes and control plane are not touched",
        "cluster.node-shell": "the cluster is somebody's: nothing is run on its nodes",
        "cluster.nodeport": "NodePorts are not reachable from here; MySQL is used by port-forward",
    }
    for obj in there:
        meta, spec = obj["metadata"], obj.get("spec") or {}
        default = (meta.get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class")
        if obj["kind"] == "StorageClass" and default == "true":
            reasons["cluster.no-default-class"] = f"StorageClass {meta['name']} is the default"
        if obj["kind"] == "PersistentVolume" and not spec.get("storageClassName"):
            if (obj.get("status") or {}).get("phase") == "Available":
                reasons["cluster.no-spare-volumes"] = (
                    f"PersistentVolume {meta['name']} has no class and is free: a claim without a "
                    "class would take it"
                )
    return reasons


def plan(kube_host: str, run_id: str, export: Export, overlay: Overlay, names: list[str]) -> str:
    """Give the text that says what a run will create; `names` are those that are taken there."""
    reference = reference_objects(overlay)
    system = sorted(
        {o["metadata"]["name"] for o in reference if o["kind"] == "Namespace"} | {overlay.namespace}
    )
    cluster = [
        f"{o['kind']} {o['metadata']['name']}"
        for o in reference
        if "namespace" not in o["metadata"] and o["kind"] != "Namespace"
    ] + [f"PersistentVolume {inspector_pod.volume_name(overlay.namespace)}"]
    lines = [
        f"on the existing cluster {kube_host} this run creates, labelled {RUN_LABEL}={run_id}, and "
        "removes at its end:",
        f"  namespaces       {', '.join(system)}; landfast-NAME for a single test",
        f"  cluster objects  {', '.join(cluster)}; with the suffix -NAME for a single test",
        f"  on the export    {export.server}:{overlay.root}",
    ]
    if note := note_of(names, overlay):
        lines.append(f"  {note}")
    return "\n".join(lines)


def note_of(names: list[str], overlay: Overlay) -> str:
    """Give the sentence that says why the reference's own names are not used, if they are not."""
    if not names:
        return ""
    return (
        f"The reference's own names are not used on this cluster, because these are there: "
        f"{', '.join(names)}. Names that count cluster-wide end in {overlay.suffix}."
    )


def describe(kube: FencedKube, context: str, kubeconfig: Path, there: list[Object]) -> Cluster:
    """Give the cluster as a value."""
    return Cluster(
        provider="existing",
        name=context,
        kubeconfig=kubeconfig,
        context=context,
        nodes=tuple(sorted(node["metadata"]["name"] for node in kube.list("Node"))),
        missing=missing(there),
        fence=kube.run_id,
    )


def namespace(name: str, run_id: str) -> Object:
    """Give a namespace of a run."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {RUN_LABEL: run_id}},
    }


def images_on(nodes: Iterable[Object]) -> Images:
    """Give the kit's images as the nodes have them baked in.

    Raises:
        BadInput: they are not of the kit's node image.
    """
    everywhere = [
        {name for image in node["status"].get("images", []) for name in image.get("names") or []}
        for node in nodes
    ]
    return kit_images_among(set.intersection(*everywhere) if everywhere else set())


def remove(kube: FencedKube, own: str, export: Export | None, image: str, subtree: str) -> None:
    """Remove everything of a run from the cluster, and then its folder from the export.

    Args:
        kube: the cluster; its fence says which run.
        own: the run's own namespace, which goes last.
        export: where the folder `subtree` is, or None if it was never made.
        image: for an inspector, if the run's own is gone.
        subtree: the run's folder.

    Raises:
        LandfastError: something does not go; it can be tried again.
    """
    try:
        _remove(kube, own, export, image, subtree)
    except (WaitTimeout, BadInput) as error:
        raise LandfastError(f"run {kube.run_id} could not be removed whole: {error}") from error


def _remove(kube: FencedKube, own: str, export: Export | None, image: str, subtree: str) -> None:
    _retain_volumes(kube)
    selector = f"{RUN_LABEL}={kube.run_id}"
    namespaces = [ns["metadata"]["name"] for ns in kube.list("Namespace", labels=selector)]
    for name in namespaces:
        _remove_content(kube, name)
    # those that a provisioner made are known to be the run's only while their namespace is there
    made = _delete_volumes(kube, keep=inspector_pod.volume_name(own))
    others = [("Namespace", name, None) for name in namespaces if name != own]
    for _, name, _ in others:
        kube.delete("Namespace", name)
    _wait_gone(kube, made + others)
    if own in namespaces:
        if export is not None:
            inspector_pod.start(kube, export, own, image, kube.run_id)
            inspector_pod.pod_inspector(kube, own, inspector_pod.NAME).remove(subtree)
        kube.delete("Namespace", own)
        _wait_gone(kube, [("Namespace", own, None)])
    left = [
        (kind, obj["metadata"]["name"], None)
        for kind in _CLUSTER_KINDS
        for obj in kube.list(kind, labels=selector)
    ]
    for kind, name, _ in left:
        kube.delete(kind, name)
    _wait_gone(kube, left)


def _retain_volumes(kube: FencedKube) -> None:
    """Make sure that nobody but the run touches the export: Recycle would scrub, Delete archive."""
    for pv in kube.list("PersistentVolume"):
        if pv["spec"].get("persistentVolumeReclaimPolicy") != "Retain" and kube.owns(pv):
            retain = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}
            kube.patch("PersistentVolume", pv["metadata"]["name"], retain)


def _delete_volumes(kube: FencedKube, *, keep: str) -> list[_Name]:
    _retain_volumes(kube)
    owned = [pv["metadata"]["name"] for pv in kube.list("PersistentVolume") if kube.owns(pv)]
    names = [name for name in owned if name != keep]
    for name in names:
        kube.delete("PersistentVolume", name)
    return [("PersistentVolume", name, None) for name in names]


def _remove_content(kube: FencedKube, namespace: str) -> None:
    """Remove what runs in a namespace and what it claims, but not the inspector and its claim."""
    gone: list[_Name] = []
    for kind in ("StatefulSet", "Deployment", "ReplicaSet", "Pod", "PersistentVolumeClaim"):
        for obj in kube.list(kind, namespace):
            if (name := obj["metadata"]["name"]) != inspector_pod.NAME:
                kube.delete(kind, name, namespace, grace_seconds=1)
                gone.append((kind, name, namespace))
    _wait_gone(kube, gone)


def _wait_gone(kube: Kube, objects: list[_Name]) -> None:
    wait_until(
        "the run's objects to be gone",
        lambda: [f"{kind} {name}" for kind, name, ns in objects if kube.find(kind, name, ns)],
        until=lambda left: not left,
        timeout=_REMOVE_SECONDS,
        interval=0.5,
        describe=", ".join,
    )
