"""Volumes, PVCs and classes as the audit reads them: the fields that its rules need, typed."""

import posixpath
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from kubernetes.utils.quantity import parse_quantity
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from landfast.audit.place import Place
from landfast.binding.model import Requirement, Selector
from landfast.kube.default_classes import is_default

_CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"  # still wins over the field
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"


Quantity = Annotated[Decimal, BeforeValidator(parse_quantity)]
Strings = Mapping[str, str]


class Model(BaseModel):
    """A part of an object. Fields that it does not name are ignored; a wrong type is an error."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, arbitrary_types_allowed=True
    )


class Metadata(Model):
    name: Annotated[str, StringConstraints(min_length=1)]
    namespace: str = ""
    labels: Strings = {}
    annotations: Strings = {}
    creation_timestamp: Any = None
    deletion_timestamp: Any = None


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

    @property
    def title(self) -> str:
        """What to call it (`PersistentVolumeClaim shop/data`)."""
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ")


class ClusterScoped(Resource):
    @property
    def namespace(self) -> str:
        return ""


class Directory(Model):
    server: Annotated[str, StringConstraints(to_lower=True)]
    path: Annotated[str, AfterValidator(lambda path: posixpath.normpath(f"/{path.lstrip('/')}"))]

    def __str__(self) -> str:
        return f"{self.server}:{self.path}"

    def holds(self, other: "Directory") -> bool:
        """Whether `other` is this directory or lies in it."""
        return self.server == other.server and is_below(other.path, self.path)


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both normalised as by `posixpath.normpath`."""
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


class ClaimRef(Model):
    """The PVC that a volume is reserved for."""

    namespace: str = ""
    name: str = ""


class PvSpec(Model):
    capacity: Mapping[str, Quantity] = {}
    access_modes: tuple[str, ...] = ()
    persistent_volume_reclaim_policy: str = "Retain"
    storage_class_name: str = ""
    volume_mode: str = "Filesystem"
    mount_options: tuple[str, ...] = ()
    nfs: Directory | None = None
    claim_ref: ClaimRef | None = None


class Status(Model):
    """The part of a `status` that PersistentVolumes, PVCs and Pods have in common."""

    phase: str = ""
    message: str = ""


class PvObject(ClusterScoped):
    spec: PvSpec = PvSpec()
    status: Status = Status()

    @property
    def directory(self) -> Directory | None:
        """Where its data is, if it is on NFS."""
        return self.spec.nfs

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


class LabelSelector(Model):
    match_labels: Strings = {}
    match_expressions: tuple[Requirement, ...] = ()

    def to_model(self) -> Selector:
        """Return the binding oracle's value for it."""
        return Selector(tuple(self.match_labels.items()), self.match_expressions)


class Resources(Model):
    requests: Mapping[str, Quantity] = {}


class PvcSpec(Model):
    access_modes: tuple[str, ...] = ()
    resources: Resources = Resources()
    storage_class_name: str | None = None
    volume_mode: str = "Filesystem"
    volume_name: str = ""
    selector: LabelSelector | None = None


class PvcObject(Resource):
    """A PVC, defined by itself or by a StatefulSet's `volumeClaimTemplates`.

    `made_by` names the StatefulSet and the template, if it is such a one.
    """

    spec: PvcSpec = PvcSpec()
    status: Status = Status()
    made_by: str = ""

    @property
    def storage_class(self) -> str | None:
        """The name of its class; "" for none, None if it is left out."""
        return self.metadata.annotations.get(_CLASS_ANNOTATION, self.spec.storage_class_name)


class StorageClass(ClusterScoped):
    provisioner: str
    parameters: Mapping[str, Any] = {}
    reclaim_policy: str = "Delete"
    mount_options: tuple[str, ...] = ()
    allow_volume_expansion: bool = False

    @property
    def is_default(self) -> bool:
        return is_default(self.metadata.annotations)
