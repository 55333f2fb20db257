"""Volumes, PVCs and classes as the audit reads them: the fields that its rules need, typed."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from kubernetes.client import V1PersistentVolumeClaimSpec, V1PersistentVolumeSpec, V1StorageClass
from kubernetes.utils.quantity import parse_quantity
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

from landfast.audit.directories import Directory
from landfast.audit.drivers import Backing, backing
from landfast.audit.misspelt import Spelt
from landfast.audit.place import Path, Place
from landfast.binding.model import Requirement, Selector
from landfast.kube.default_classes import is_default

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"  # still wins over the field
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_LARGEST = Decimal(2) ** 63  # in bytes; the API keeps what is larger as it is, and nobody has it


def _quantity(value: Any) -> Decimal:
    """Return an amount as the API reads it.

    Raises:
        ValueError: it is none.
    """
    try:
        amount = Decimal(parse_quantity(value))
    except ArithmeticError as error:
        raise ValueError(f"Invalid number format: {value}") from error
    if not amount.is_finite():
        raise ValueError(f"Invalid number format: {value}")
    return max(min(amount, _LARGEST), -_LARGEST)


Quantity = Annotated[Decimal, BeforeValidator(_quantity)]
Strings = Mapping[str, str]


class Model(BaseModel):
    """A part of an object. Fields that it does not name are ignored; a wrong type is an error."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, arbitrary_types_allowed=True
    )


class OwnerReference(Model):
    uid: str = ""
    kind: str = ""
    name: str = ""
    controller: bool = False


class Metadata(Model):
    """An object's metadata. One with `generateName` is called after it, with a `*`."""

    name: str
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: Strings = {}
    annotations: Strings = {}
    owner_references: tuple[OwnerReference, ...] = ()
    creation_timestamp: Any = None
    deletion_timestamp: Any = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("name") and given.get("generateName"):
            return {**given, "name": f"{given['generateName']}*"}
        if isinstance(given, dict) and given.get("name") == "":
            return {key: value for key, value in given.items() if key != "name"}
        return given


class Resource(Model):
    """An object, and its place in a file."""

    kind: str
    metadata: Metadata
    place: Place = Place()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Its namespace, `default` where a manifest leaves it out."""
        return self.metadata.namespace or "default"

    @cached_property
    def title(self) -> str:
        """What to call it (`PersistentVolumeClaim shop/data`)."""
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")

    @property
    def partial(self) -> bool:
        """Whether it is only a part of an object, such as a patch of a kustomization."""
        return False


class ClusterScoped(Resource):
    @property
    def namespace(self) -> str:
        return ""


class NfsSource(Model):
    server: str
    path: str
    read_only: bool = False

    @property
    def directory(self) -> Directory:
        return Directory(server=self.server, path=self.path)


class CsiSource(Model):
    """A volume of a CSI driver; an inline one has no handle."""

    driver: str
    volume_handle: str = ""
    volume_attributes: Strings = {}
    read_only: bool = False

    @cached_property
    def backing(self) -> Backing:
        """What is known of where its data is."""
        return backing(self.driver, self.volume_handle, self.volume_attributes)

    @property
    def mount_options(self) -> tuple[str, ...]:
        """The mount options of an inline volume of csi-driver-nfs."""
        given = {key.lower(): value for key, value in self.volume_attributes.items()}
        return tuple(filter(None, given.get("mountoptions", "").split(",")))


_NO_SOURCES = {
    "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
    "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName", "volumeMode",
}  # fmt: skip


class ClaimRef(Model):
    namespace: str = ""
    name: str = ""


class PvSpec(Model, Spelt):
    fields = frozenset(V1PersistentVolumeSpec.attribute_map.values())
    capacity: Mapping[str, Quantity] = {}
    access_modes: tuple[str, ...] = ()
    persistent_volume_reclaim_policy: str = "Retain"
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    mount_options: tuple[str, ...] = ()
    nfs: NfsSource | None = None
    csi: CsiSource | None = None
    claim_ref: ClaimRef | None = None
    node_affinity: Mapping[str, Any] = {}
    source: str = ""
    """the name of the field that says where its data is: `nfs`, `csi`, `hostPath`, `local` …"""

    @model_validator(mode="before")
    @classmethod
    def _with_source(cls, given: Any) -> Any:
        if isinstance(given, dict):
            sources = cls.fields - _NO_SOURCES
            found = next((key for key in given if key in sources), "")
            return {**given, "source": found}
        return given


class Status(Model):
    """The part of a `status` that PersistentVolumes, PVCs and Pods have in common."""

    phase: str = ""
    message: str = ""


class PvObject(ClusterScoped):
    spec: PvSpec = PvSpec()
    status: Status = Status()

    @cached_property
    def backing(self) -> Backing:
        """What is known of where its data is."""
        if self.spec.nfs:
            return Backing(on_nfs=True, directory=self.spec.nfs.directory)
        return self.spec.csi.backing if self.spec.csi else Backing(on_nfs=False)

    @property
    def directory(self) -> Directory | None:
        """Where its data is, if it is on NFS and that is known."""
        return self.backing.directory

    @property
    def directory_at(self) -> Path:
        """The field that says where its data is."""
        return ("spec", "nfs", "path") if self.spec.nfs else ("spec", self.spec.source)

    @property
    def partial(self) -> bool:
        return not self.spec.access_modes and not self.spec.capacity  # the API wants both

    @property
    def policy(self) -> str:
        return self.spec.persistent_volume_reclaim_policy

    @property
    def storage_class(self) -> str:
        """The name of its class; "" for none."""
        return self.metadata.annotations.get(_CLASS_ANNOTATION, self.spec.storage_class_name)

    @property
    def mount_options(self) -> tuple[str, ...]:
        """Its mount options, with those of the old annotation last."""
        annotated = self.metadata.annotations.get(_MOUNT_OPTIONS, "")
        return (*self.spec.mount_options, *filter(None, annotated.split(",")))

    @property
    def provisioned(self) -> bool:
        """Whether a provisioner made it."""
        return _PROVISIONED_BY in self.metadata.annotations


def _known_operator(requirement: Requirement) -> Requirement:
    """Return a requirement; raise ValueError for an operator that the API server refuses."""
    if requirement.operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        raise ValueError(f"a selector cannot have the operator {requirement.operator}")
    return requirement


class LabelSelector(Model):
    match_labels: Strings = {}
    match_expressions: tuple[Annotated[Requirement, AfterValidator(_known_operator)], ...] = ()

    def to_model(self) -> Selector:
        """Return the binding oracle's value for it."""
        return Selector(tuple(self.match_labels.items()), self.match_expressions)


class Resources(Model):
    requests: Mapping[str, Quantity] = {}


class PvcSpec(Model, Spelt):
    fields = frozenset(V1PersistentVolumeClaimSpec.attribute_map.values())
    access_modes: tuple[str, ...] = ()
    resources: Resources = Resources()
    storage_class_name: str | None = None
    volume_mode: str = "Filesystem"
    volume_name: str = ""
    selector: LabelSelector | None = None


class PvcObject(Resource):
    """A PVC, defined by itself or by a StatefulSet's `volumeClaimTemplates`."""

    spec: PvcSpec = PvcSpec()
    status: Status = Status()
    made_by: str = ""
    """the title of what makes it, and the template; "" if it is an object of its own"""

    @property
    def partial(self) -> bool:
        return not self.spec.access_modes  # without which the API server refuses it

    @property
    def storage_class(self) -> str | None:
        """The name of its class; "" for none, None if it is left out."""
        return self.metadata.annotations.get(_CLASS_ANNOTATION, self.spec.storage_class_name)


class StorageClass(ClusterScoped, Spelt):
    fields = frozenset({*V1StorageClass.attribute_map.values(), "place"})
    provisioner: str = ""
    parameters: Mapping[str, Any] = {}
    reclaim_policy: str = "Delete"
    mount_options: tuple[str, ...] = ()
    allow_volume_expansion: bool = False
    volume_binding_mode: str = "Immediate"

    @property
    def partial(self) -> bool:
        return not self.provisioner

    @property
    def is_default(self) -> bool:
        return is_default(self.metadata.annotations)


class NodeInfo(Model):
    machine_id: str = Field("", alias="machineID")


class NodeStatus(Model):
    node_info: NodeInfo = NodeInfo()


class Node(ClusterScoped):
    status: NodeStatus = NodeStatus()


class CsiDriver(ClusterScoped):
    """A CSI driver that a cluster knows, by its name."""
