"""Reads the reference system's manifests, fits them to a cluster and an export, checks them."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from landfast import paths
from landfast.errors import BadInput
from landfast.image_names import ImageName
from landfast.images import Images
from landfast.kube.client import Kube, KubeError, Object
from landfast.nfs.export import Export
from landfast.nfs.mount_options import with_options
from landfast.run import RUN_LABEL

MANIFESTS = {
    "provisioner-rbac": "1-provisioner-rbac.yaml",
    "provisioner": "2-provisioner.yaml",
    "storageclass": "3-storageclass.yaml",
    "pv": "4-pv.yaml",
    "pvc": "5-pvc.yaml",
    "pod": "6-pod.yaml",
    "mysql": "7-mysql.yaml",
}
_CLUSTER_SCOPED = {
    "Namespace", "ClusterRole", "ClusterRoleBinding", "StorageClass", "PersistentVolume",
}  # fmt: skip
_REFERENCE_PATH = "/data/share"
_REFERENCE_NAMESPACE = "default"
SYSTEM_NAMESPACE = "nfs-system"
# The reference gives MySQL 512Mi. With its defaults 8.4 and later take 489 MB before the first
# query. Each server ignores what it does not know: 5.7 has no mysqlx, MariaDB neither.
_MYSQL_ARGUMENTS = [
    "--loose-performance-schema=OFF",
    "--loose-innodb-buffer-pool-size=64M",
    "--loose-mysqlx=OFF",
]


def load(name: str, folder: Path = paths.MANIFESTS) -> list[Object]:
    """Return the objects of a manifest, as written in `manifests/`.

    Raises:
        BadInput: the file is missing, is not YAML, or contains something other than objects.
    """
    path = folder / MANIFESTS[name]
    try:
        objects = [obj for obj in yaml.safe_load_all(path.read_text()) if obj is not None]
    except (OSError, yaml.YAMLError) as error:
        raise BadInput(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    for number, obj in enumerate(objects, start=1):
        if not isinstance(obj, dict) or not obj.get("kind") or not obj.get("metadata"):
            raise BadInput(f"{path}: object {number} has no kind or no metadata")
    return objects


@dataclass(frozen=True)
class Overlay:
    """Fits the reference's objects to a cluster, an export and images.

    Args:
        export: replaces the reference's server and its /data/share; its mount options are added to
            those of volumes and classes.
        images: replace the reference's images; MySQL also gets the arguments with which it fits
            the reference's memory.
        run_id: the value of every object's run label.
        subtree: the folder of the export that replaces /data/share; "" is the whole export.
        suffix: added to the names of cluster-wide objects and of the provisioner, so that several
            stacks can exist side by side; "" keeps the reference's names.
        namespace: replaces `default`.
        node_port: whether to ask for the NodePort 30306; otherwise the cluster picks one.
        storage_class: a class that is there and replaces the reference's; None means that the stack
            has its own.
    """

    export: Export
    images: Images
    run_id: str
    subtree: str = ""
    suffix: str = ""
    namespace: str = _REFERENCE_NAMESPACE
    node_port: bool = True
    storage_class: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """The labels that every object gets."""
        return {RUN_LABEL: self.run_id, "landfast/stack": f"reference{self.suffix}"}

    @property
    def judges_others(self) -> bool:
        """Whether the class is one of others, so that the stack has no provisioner either."""
        return self.storage_class not in (None, self.name("StorageClass", "nfs-ssd"))

    @property
    def root(self) -> str:
        """The path on the server that replaces the reference's /data/share."""
        return self.export.at(self.subtree)

    def name(self, kind: str, name: str) -> str:
        """Return the name that an object of the reference has here."""
        return name + self.suffix if kind in _CLUSTER_SCOPED else name

    def namespace_of(self, namespace: str = _REFERENCE_NAMESPACE) -> str:
        """Return the namespace that replaces one of the reference's."""
        return self.namespace if namespace == _REFERENCE_NAMESPACE else namespace + self.suffix

    def fit(self, obj: Object) -> Object:
        """Return a fitted copy of an object of the reference."""
        fitted: Object = self._value(copy.deepcopy(obj))
        kind, meta = fitted["kind"], fitted["metadata"]
        meta["name"] = self.name(kind, meta["name"])
        if kind not in _CLUSTER_SCOPED:
            meta["namespace"] = self.namespace_of(meta.get("namespace", _REFERENCE_NAMESPACE))
        for labelled in _labelled(fitted):
            labelled["labels"] = {**labelled.get("labels", {}), **self.labels}
        if kind == "StorageClass":
            fitted["provisioner"] += self.suffix
            _mount(fitted, self.export.mount_options)
        if kind == "PersistentVolume":
            _mount(fitted["spec"], self.export.mount_options)
        if kind in ("ClusterRoleBinding", "RoleBinding"):
            role = fitted["roleRef"]
            role["name"] = self.name(role["kind"], role["name"])
            for subject in fitted["subjects"]:
                subject["namespace"] = self.namespace_of(subject["namespace"])
        if kind == "Service" and not self.node_port:
            for port in fitted["spec"]["ports"]:
                port.pop("nodePort", None)
        return fitted

    def _value(self, value: Any) -> Any:
        """Replace the reference's server, path, images and class, at any depth."""
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if not isinstance(value, dict):
            return value
        changed = {key: self._value(item) for key, item in value.items()}
        if isinstance(nfs := changed.get("nfs"), dict):
            changed["nfs"] = {**nfs, "server": self.export.server, "path": self._path(nfs["path"])}
        if changed.get("storageClassName"):
            own = changed["storageClassName"] + self.suffix
            changed["storageClassName"] = self.storage_class or own
        if isinstance(changed.get("image"), str):
            of_mysql = ImageName.parse(changed["image"]).base == "mysql"
            if of_mysql and "command" not in changed:  # else another program runs
                changed["args"] = [*_MYSQL_ARGUMENTS, *changed.get("args", [])]
            changed["image"] = self._image(changed["image"])
        match changed.get("name"):
            case "NFS_SERVER":
                changed["value"] = self.export.server
            case "NFS_PATH":
                changed["value"] = self._path(changed["value"])
            case "PROVISIONER_NAME":
                changed["value"] += self.suffix
        return changed

    def _path(self, path: str) -> str:
        return self.root.rstrip("/") + path.removeprefix(_REFERENCE_PATH) or "/"

    def _image(self, image: str) -> str:
        known = {
            "busybox": self.images.busybox,
            "mysql": self.images.mysql,
            "nfs-subdir-external-provisioner": self.images.provisioner,
        }
        return known.get(ImageName.parse(image).base, image)


def _mount(volume: Object, options: Iterable[str]) -> None:
    if options:
        volume["mountOptions"] = with_options(volume.get("mountOptions") or (), options)


def _labelled(obj: Object) -> list[Object]:
    """Return the metadata of an object and of the pods and PVCs that it will make."""
    spec = obj.get("spec", {})
    made = [spec["template"]["metadata"]] if "template" in spec else []
    return [obj["metadata"], *made, *(t["metadata"] for t in spec.get("volumeClaimTemplates", []))]


def reference_objects(overlay: Overlay) -> list[Object]:
    """Return every object of the reference system as the overlay fits it."""
    return [overlay.fit(obj) for manifest in MANIFESTS for obj in load(manifest)]


def namespace(name: str, labels: dict[str, str]) -> Object:
    """Return a Namespace with labels."""
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def validate(kube: Kube, objects: Iterable[Object], namespace: str) -> None:
    """Make the API server check objects strictly, in a namespace that exists; create nothing.

    Raises:
        BadInput: it refuses one; the sentence names the object and the field.
    """
    for obj in objects:
        trial = copy.deepcopy(obj)
        if "namespace" in trial["metadata"]:
            trial["metadata"]["namespace"] = namespace  # its own may not exist yet
        try:
            kube.create(trial, dry_run=True)
        except KubeError as error:
            if error.code == 409 or (error.code == 422 and "already allocated" in error.message):
                continue  # the object is valid: another one has its name or port
            name = f"{obj['kind']} {obj['metadata']['name']}"
            raise BadInput(f"the API server refuses {name}: {error.message}") from error
