"""A cluster made apart and treated as somebody else's: their provisioner, their class, a user."""

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from landfast import timeouts
from landfast.cluster.rights import manifest
from landfast.environment import Environment
from landfast.errors import LandfastError
from landfast.kube.client import Kube, Object
from landfast.kube.placement import LINUX, OS, pod_spec
from landfast.manifests import Overlay, load, namespace
from landfast.nfs.server import squashed
from landfast.progress import Progress
from landfast.provisioning.csi import DRIVER
from landfast.provisioning.csi_driver import csi_driver
from landfast.waiting import wait_until

STORAGE_CLASS = "fast-nfs"
CSI_CLASS = "csi-nfs"
CONTEXT = "theirs"
_PEOPLE = "people"
_PSA_FILE = "/etc/kubernetes/pki/landfast-psa.yaml"  # that folder is mounted in the API server
_KINDS = (
    *("Namespace", "StorageClass", "PersistentVolume", "ClusterRole", "ClusterRoleBinding"),
    *("Pod", "PersistentVolumeClaim", "Deployment", "StatefulSet", "ReplicaSet", "Service"),
    *("ConfigMap", "ServiceAccount", "Role", "RoleBinding"),  # Secrets note when they are used
    *("Node", "ResourceQuota", "Job"),
)
TEAM = "team-a"
"""A namespace of others, in which a run is a guest."""
_QUOTA = {
    "pods": "40",
    "persistentvolumeclaims": "40",
    "requests.cpu": "2",
    "limits.cpu": "60",
    "requests.memory": "6Gi",
    "limits.memory": "16Gi",
}
_SELECTOR = {"app": "mysql"}


@dataclass(frozen=True)
class Foreign:
    """The cluster, with a kubeconfig of a user who has just the rights to judge a class.

    `closed` are its nodes that no pod of a run may go to.
    """

    env: Environment
    kubeconfig: Path
    closed: tuple[str, ...]

    @property
    def kube(self) -> Kube:
        """The cluster's API, as its administrator uses it."""
        return self.env.cluster.kube

    @property
    def cluster_name(self) -> str:
        """The cluster's name in the kubeconfig."""
        (context,) = yaml.safe_load(self.kubeconfig.read_text())["contexts"]
        return str(context["context"]["cluster"])

    def dump(self) -> dict[str, str]:
        """Return what is on the cluster and on the export, by name, with a hash of each.

        Status and bookkeeping do not count: they change by themselves.
        """
        found = {
            f"{kind} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}": _hash(obj)
            for kind in _KINDS
            for obj in self.kube.list(kind)
        }
        entries = self.env.inspector.list().values()
        return found | {f"export {entry.path}": f"{entry.mode:o} {entry.size}" for entry in entries}


def _hash(obj: Object) -> str:
    meta = {key: obj["metadata"].get(key) for key in ("labels", "annotations", "finalizers")}
    rest = {k: v for k, v in obj.items() if k not in ("metadata", "status")}
    if obj["kind"] == "Node":  # annotations, and taints for its health, are bookkeeping
        meta.pop("annotations")
        theirs = [t for t in _taints(obj) if not t["key"].startswith("node.kubernetes.io/")]
        rest = {**rest, "spec": {**obj["spec"], "taints": theirs}}
    return hashlib.sha256(json.dumps([meta, rest], sort_keys=True).encode()).hexdigest()[:12]


def install_class(
    env: Environment, name: str = STORAGE_CLASS, *, maker: str = "acme", squash: bool = False
) -> None:
    """Install a provisioner and its class as a chart would: other names, other namespaces.

    `maker` is its folder on the export and ends its names. With `squash` root is nobody there.
    """
    kube = env.cluster.kube
    env.inspector.make_folder(maker)
    export = squashed(env.export) if squash else env.export
    overlay = Overlay(export, env.images, "theirs", subtree=maker, suffix=f"-{maker}")
    for file in ("provisioner-rbac", "provisioner", "storageclass"):
        for obj in map(overlay.fit, load(file)):
            _unlabel(obj)
            if (spec := pod_spec(obj)) is not None:
                spec["nodeSelector"] = {OS: LINUX}
            if obj["kind"] == "Namespace":  # a provisioner of root, on a strict cluster as well
                obj["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "privileged"
            if obj["kind"] == "StorageClass":
                obj["metadata"]["name"] = name
                obj["parameters"] = {"archiveOnDelete": "false"}
                obj["mountOptions"].append("noatime")  # what every client's mounts show
            kube.create(obj)
    wait_until(
        "their provisioner to be available",
        lambda: kube.get("Deployment", "nfs-client-provisioner", f"nfs-system-{maker}"),
        until=lambda found: found.get("status", {}).get("availableReplicas") == 1,
        timeout=timeouts.POD_RUNNING,
    )


@contextlib.contextmanager
def csi_class(env: Environment) -> Iterator[None]:
    """Have a CSI driver and a class of it on the cluster while the body runs."""
    env.inspector.make_folder("acme-csi")
    (found,) = load("storageclass")
    found |= {
        "metadata": {"name": CSI_CLASS},
        "provisioner": DRIVER,
        "parameters": {
            "server": env.export.server,
            "share": env.export.at("acme-csi"),
            "subDir": "${pvc.metadata.namespace}/${pvc.metadata.name}",
            "mountPermissions": "0777",  # or MySQL cannot write
        },
        "mountOptions": [*found["mountOptions"], "noatime"],
        "allowVolumeExpansion": True,
    }
    on_linux = [
        node["metadata"]["name"]
        for node in env.cluster.kube.list("Node")
        if node["metadata"]["labels"][OS] == LINUX  # the driver's pods are on no other node
    ]
    cluster = env.cluster.model_copy(update={"nodes": tuple(on_linux)})
    with csi_driver(env.model_copy(update={"cluster": cluster}), Progress()):
        env.cluster.kube.create(found)
        try:
            yield
        finally:
            env.cluster.kube.delete("StorageClass", CSI_CLASS)


def _unlabel(obj: Object) -> None:
    """Take Landfast's labels away: it must not look like its own."""
    for labelled in (obj, obj.get("spec", {}).get("template", {})):
        labels = labelled.get("metadata", {}).get("labels", {})
        for name in [name for name in labels if name.startswith("landfast/")]:
            del labels[name]


def taint(env: Environment, node: str) -> None:
    """Close a node to pods by a taint."""
    kube = env.cluster.kube
    ours = {"key": "dedicated", "value": "databases", "effect": "NoSchedule"}
    there = _taints(kube.get("Node", node))
    kube.patch("Node", node, {"spec": {"taints": [*there, ours]}})


def give_namespace(env: Environment) -> None:
    """Make TEAM, which is strict, with a quota, and with objects of names that a run uses too."""
    kube = env.cluster.kube
    kube.create(namespace(TEAM, {"pod-security.kubernetes.io/enforce": "restricted"}))
    quota = _object("v1", "ResourceQuota", "theirs", TEAM)
    kube.create({**quota, "spec": {"hard": _QUOTA}})
    kube.create({**_object("v1", "ConfigMap", "mysql-config-map", TEAM), "data": {"THEIR": "own"}})
    ports = {"selector": _SELECTOR, "ports": [{"port": 3306}]}
    kube.create({**_object("v1", "Service", "mysql-service", TEAM), "spec": ports})
    wait_until(
        f"the quota of {TEAM} to be counted",
        lambda: kube.get("ResourceQuota", "theirs", TEAM).get("status", {}),
        until=lambda status: "used" in status,
        timeout=timeouts.CONTROLLER_OBSERVES,
    )


def user(env: Environment, role: str, file: Path, space: str | None = None) -> Path:
    """Make a user with one of the documented roles, and write a kubeconfig for it.

    What the role has for one namespace is granted in `space`.
    """
    kube = env.cluster.kube
    if kube.find("Namespace", _PEOPLE) is None:
        kube.create(namespace(_PEOPLE, {}))
    subject = {"kind": "ServiceAccount", "name": role, "namespace": _PEOPLE}
    group = "rbac.authorization.k8s.io"
    kube.create(_object("v1", "ServiceAccount", role, _PEOPLE))
    for rules in yaml.safe_load_all(manifest(role)):
        kind, where = rules["kind"], space if rules["kind"] == "Role" else None
        kube.create({**rules, **_object(f"{group}/v1", kind, role, where)})
        kube.create(
            {
                **_object(f"{group}/v1", f"{kind}Binding", role, where),
                "subjects": [subject],
                "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            }
        )
    secret = _object("v1", "Secret", role, _PEOPLE)
    secret["metadata"]["annotations"] = {"kubernetes.io/service-account.name": role}
    kube.create({**secret, "type": "kubernetes.io/service-account-token"})
    data = wait_until(
        "the user's token",
        lambda: kube.get("Secret", role, _PEOPLE).get("data", {}),
        until=lambda found: "token" in found,
        timeout=timeouts.CONTROLLER_OBSERVES,
    )
    (cluster,) = yaml.safe_load(env.cluster.kubeconfig.read_text())["clusters"]
    file.write_text(_kubeconfig(cluster, base64.b64decode(data["token"]).decode()))
    return file


def _object(version: str, kind: str, name: str, space: str | None = None) -> Object:
    meta = {"name": name} | ({"namespace": space} if space else {})
    return {"apiVersion": version, "kind": kind, "metadata": meta}


def _kubeconfig(cluster: Any, token: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [
                {"name": CONTEXT, "context": {"cluster": cluster["name"], "user": "user"}}
            ],
        }
    )


def enforce_restricted(env: Environment) -> None:
    """Let the API server admit only pods of PodSecurity `restricted` into new namespaces."""
    assert env.engine is not None
    there = [found["metadata"]["name"] for found in env.cluster.kube.list("Namespace")]
    configuration = {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "restricted", "enforce-version": "latest"},
        "exemptions": {"namespaces": there},
    }
    plugins = [{"name": "PodSecurity", "configuration": configuration}]
    text = yaml.safe_dump(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AdmissionConfiguration",
            "plugins": plugins,
        }
    )
    node = next(name for name in env.cluster.nodes if name.endswith("-control-plane"))
    script = (
        f'printf %s "$1" >{_PSA_FILE}; sed -i \'s|^    - kube-apiserver$|&\\n    - '
        f"--admission-control-config-file={_PSA_FILE}|' "
        "/etc/kubernetes/manifests/kube-apiserver.yaml"
    )
    env.engine.execute(node, "sh", "-c", script, "sh", text)
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": "strict"},
        "spec": {"containers": [{"name": "c", "image": env.images.busybox}]},
    }
    wait_until(
        "the API server to refuse a pod of root",
        lambda: _refusal(env.cluster.kube, probe),
        until=lambda said: "PodSecurity" in said,
        timeout=timeouts.HEALTHY,
    )
    wait_until(  # or it would look like a change of the run
        "the kubelet to show the API server's pod as it is now",
        lambda: env.cluster.kube.get("Pod", f"kube-apiserver-{node}", "kube-system"),
        until=lambda pod: any(
            _PSA_FILE in word for word in pod["spec"]["containers"][0]["command"]
        ),
        timeout=timeouts.HEALTHY,
        ignoring=(LandfastError,),  # meanwhile it shows none
    )


def _taints(node: Object) -> list[Object]:
    return list(node["spec"].get("taints") or ())


def _refusal(kube: Kube, pod: Object) -> str:
    try:
        if kube.find("Namespace", "strict") is None:
            kube.create(namespace("strict", {}))
        kube.create(pod, dry_run=True)
    except LandfastError as error:  # it also restarts meanwhile
        return str(error)
    return ""
