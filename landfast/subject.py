"""The subject of a run: the StorageClass whose volumes are judged, and what it promises."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from landfast.errors import BadInput
from landfast.image_names import ImageName
from landfast.kube.client import Kube, KubeError, Object
from landfast.kube.default_classes import default_classes
from landfast.nfs.export import Export

CSI_DRIVER_NFS = "nfs.csi.k8s.io"
_SUBDIR_IMAGE = "nfs-subdir-external-provisioner"
_FORBIDDEN = 403


class Contract(StrEnum):
    """What a class promises about its volumes' directories, as far as Landfast has a model."""

    SUBDIR_V402 = "nfs-subdir v4.0.2"
    SUBDIR_MASTER = "nfs-subdir master"
    CSI_DRIVER_NFS = "csi-driver-nfs"
    GENERIC = "generic"
    """that of Kubernetes alone: nothing is known about directories"""


class Subject(BaseModel):
    """A StorageClass, as the cluster has it. It is a value: workers get it as JSON.

    `waits` is whether a PVC waits for its first pod (WaitForFirstConsumer), `expands` whether the
    class allows volumes to grow, `because` what the contract was concluded from.
    """

    model_config = ConfigDict(frozen=True)

    storage_class: str
    provisioner: str
    reclaim_policy: str
    waits: bool
    expands: bool
    mount_options: tuple[str, ...]
    parameters: Mapping[str, str]
    contract: Contract
    because: str

    def __str__(self) -> str:
        """Return the class, its provisioner and its contract in a line."""
        return (
            f"StorageClass {self.storage_class}, provisioner {self.provisioner}, policy "
            f"{self.reclaim_policy}; contract: {self.contract} ({self.because})"
        )


def place(pv: Object) -> tuple[str, str] | None:
    """Return the server and the path on it of a volume, or None if its kind does not say.

    Sources: the field `nfs` of in-tree volumes; csi-driver-nfs, driver-parameters.md (`server`,
    `share`, `subDir`, in any case).
    """
    spec = pv["spec"]
    if nfs := spec.get("nfs"):
        return nfs["server"], nfs["path"]
    csi = spec.get("csi") or {}
    if csi.get("driver") != CSI_DRIVER_NFS:
        return None
    given = {key.lower(): value for key, value in (csi.get("volumeAttributes") or {}).items()}
    if not given.get("server") or not given.get("share"):
        return None
    sub_dir = given.get("subdir", "").strip("/")
    return given["server"], str(PurePosixPath("/", given["share"].strip("/"), sub_dir))


def on_export(pv: Object, export: Export) -> str | None:
    """Return a volume's directory relative to an export, or None: it is not seen from there."""
    found = place(pv)
    if found is None or found[0] != export.server:
        return None
    path, root = PurePosixPath(found[1]), PurePosixPath(export.path)
    return str(path.relative_to(root)) if path.is_relative_to(root) else None


def resolve(kube: Kube, name: str, *, contract: str = "auto") -> Subject:
    """Return the subject of a class's name, or of the default class for `default`.

    `contract` names the release line of nfs-subdir-external-provisioner, where it is known.

    Raises:
        BadInput: there is no such class, or no default one.
    """
    found = _class(kube, name)
    provisioner = str(found["provisioner"])
    promised, because = _contract(kube, provisioner, contract)
    return Subject(
        storage_class=found["metadata"]["name"],
        provisioner=provisioner,
        reclaim_policy=found.get("reclaimPolicy", "Delete"),
        waits=found.get("volumeBindingMode") == "WaitForFirstConsumer",
        expands=bool(found.get("allowVolumeExpansion")),
        mount_options=tuple(found.get("mountOptions") or ()),
        parameters=found.get("parameters") or {},
        contract=promised,
        because=because,
    )


def _class(kube: Kube, name: str) -> Object:
    if name == "default":
        classes = default_classes(kube)
        if not classes:
            raise BadInput(
                "--storage-class default: no StorageClass is marked as default; name one"
            )
        return classes[0]  # the one that PVCs get
    classes = kube.list("StorageClass")
    for found in classes:
        if found["metadata"]["name"] == name:
            return found
    names = ", ".join(sorted(found["metadata"]["name"] for found in classes)) or "none"
    raise BadInput(
        f"--storage-class {name}: there is no such StorageClass; the cluster has {names}"
    )


def _contract(kube: Kube, provisioner: str, asked: str) -> tuple[Contract, str]:
    lines = {"v4.0.2": Contract.SUBDIR_V402}
    if asked != "auto":
        return lines.get(asked, Contract.SUBDIR_MASTER), "--provisioner-contract says so"
    if provisioner == CSI_DRIVER_NFS:
        return Contract.CSI_DRIVER_NFS, "the driver's name"
    try:
        deployments = kube.list("Deployment")
    except KubeError as error:
        if error.code != _FORBIDDEN:
            raise
        return Contract.GENERIC, "the user may not list Deployments"
    image = _provisioner_image(deployments, provisioner)
    if image is None:
        return Contract.GENERIC, f"no Deployment says PROVISIONER_NAME {provisioner}"
    parsed = ImageName.parse(image)
    if parsed.base == _SUBDIR_IMAGE and parsed.tag in lines:
        return lines[parsed.tag], f"image {image}"
    return Contract.GENERIC, f"no contract is known for image {image}"


def _provisioner_image(deployments: Iterable[Object], provisioner: str) -> str | None:
    """Return the image of the container that provisions under a name, or None."""
    for deployment in deployments:
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            for variable in container.get("env") or ():
                if (variable["name"], variable.get("value")) == ("PROVISIONER_NAME", provisioner):
                    return str(container["image"])
    return None
