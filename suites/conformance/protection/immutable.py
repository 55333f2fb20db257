"""Fields that cannot be changed once an object exists: one row a field."""

from dataclasses import dataclass, replace

from landfast.claims import Claim
from landfast.kube.client import Object
from suites.conformance.protection.objects import TEMPLATE
from suites.objects import pvc

_PVC = "validation.go, ValidatePersistentVolumeClaimUpdate"


@dataclass(frozen=True)
class Immutable:
    """A change of an object, and what the API server's refusal says (a regular expression)."""

    name: str
    text: str
    source: str
    kind: str
    object: str
    patch: Object
    says: str

    @property
    def claim(self) -> Claim:
        return Claim(
            id=f"protection.{self.name}", text=self.text, source=f"Kubernetes {self.source}"
        )

    def twin(self) -> "Immutable":
        """Return a row whose change is allowed, so the expected refusal cannot come."""
        return replace(self, patch={"metadata": {"labels": {"landfast.example/changed": "yes"}}})


def _pvc(name: str, what: str, spec: Object, says: str = "") -> Immutable:
    # a general sentence, and then how the old spec differs from the new one, in Go's field names
    ((field, _),) = spec.items()
    differs = (
        rf"spec: Forbidden: spec is immutable after creation(?s:.*){field[:1].upper()}{field[1:]}"
    )
    return Immutable(
        name=f"pvc-{name}",
        text=f"{what} MUST be refused, and the refusal MUST name the field.",
        source=_PVC,
        kind="PersistentVolumeClaim",
        object="data",
        patch={"spec": spec},
        says=says or differs,
    )


def _class(field: str, value: object) -> Immutable:
    return Immutable(
        name=f"class-{field.lower()}-is-immutable",
        text=f"A change of a StorageClass's {field} MUST be refused, and the refusal MUST name it.",
        source="storage/validation/validation.go, ValidateStorageClassUpdate",
        kind="StorageClass",
        object="nfs-ssd",
        patch={field: value},
        says=rf"{field}: .*(immutable|updates to {field} are forbidden)",
    )


ROWS = [
    _pvc(
        "request-does-not-shrink",
        "A Bound PVC's request for less than it asked for",
        {"resources": {"requests": {"storage": "2Mi"}}},
        r"spec\.resources\.requests\.storage: Forbidden: field can not be less than",
    ),
    _pvc(
        "access-modes-are-immutable",
        "A change of a PVC's access modes",
        {"accessModes": ["ReadWriteMany"]},
    ),
    _pvc(
        "volume-mode-is-immutable",
        "A change of a PVC's volumeMode",
        {"volumeMode": "Block"},
        r"volumeMode: Invalid value: .*field is immutable",
    ),
    _pvc(
        "selector-is-immutable",
        "A change of a PVC's selector",
        {"selector": {"matchLabels": {"app": "another"}}},
    ),
    _pvc("class-is-immutable", "A change of a PVC's class", {"storageClassName": "another"}),
    _pvc(
        "volume-name-is-immutable",
        "A change of a PVC's volumeName, once it is set,",
        {"volumeName": "another"},
    ),
    Immutable(
        name="pv-source-is-immutable",
        text="A change of a PV's NFS path MUST be refused, and the refusal MUST name the source.",
        source="validation.go, ValidatePersistentVolumeUpdate",
        kind="PersistentVolume",
        object="volume",
        patch={"spec": {"nfs": {"path": "/another"}}},
        says=r"spec\.persistentvolumesource: Forbidden: .*is immutable after creation",
    ),
    _class("provisioner", "another"),
    _class("parameters", {"archiveOnDelete": "false"}),
    _class("reclaimPolicy", "Retain"),
    _class("volumeBindingMode", "WaitForFirstConsumer"),
    Immutable(
        name="volume-claim-templates-are-immutable",
        text=(
            "A change of a StatefulSet's volumeClaimTemplates MUST be refused, and the refusal "
            "MUST say which fields may be changed or which may not."
        ),
        source="apps/validation/validation.go, ValidateStatefulSetUpdate",
        kind="StatefulSet",
        object="app",
        patch={
            "spec": {
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": TEMPLATE},
                        "spec": pvc(TEMPLATE, storage_class="another")["spec"],
                    }
                ]
            }
        },
        # older versions say the second one
        says=r"spec\.volumeClaimTemplates: .*immutable|updates to statefulset spec for fields",
    ),
]
