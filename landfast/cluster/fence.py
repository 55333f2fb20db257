"""The fence on an existing cluster: the one place that decides what a run may change."""

from pathlib import Path

from landfast.errors import LandfastError
from landfast.kube import Kube, Object, Request
from landfast.kube.default_classes import MARKS
from landfast.kube.placement import Placement
from landfast.run import RUN_LABEL

_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_QUESTIONS = ("SelfSubjectAccessReview", "SubjectAccessReview")


class OutsideFence(LandfastError):
    """A run was about to change something it does not own on the cluster. Nothing was changed."""


def marks_default_class(request: Request) -> bool:
    """Whether a request changes nothing but the default mark of a StorageClass."""
    annotations = (request.body or {}).get("metadata", {}).get("annotations", {})
    return (
        (request.verb, request.kind) == ("patch", "StorageClass")
        and request.body == {"metadata": {"annotations": annotations}}
        and set(annotations) <= set(MARKS)
    )


def is_provisioned(obj: Object) -> bool:
    """Whether an object is a PV that a provisioner made."""
    annotations = obj["metadata"].get("annotations") or {}
    return obj["kind"] == "PersistentVolume" and _PROVISIONED_BY in annotations


class FencedKube(Kube):
    """An existing cluster: a run may read everything and change only what it owns.

    Every verb that does not read is refused unless the object is the run's. The one exception:
    with `default_classes` (`--i-own-this-cluster`) the run may change the default mark of any
    StorageClass.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str,
        run_id: str,
        *,
        default_classes: bool = False,
        placement: Placement = Placement(),  # noqa: B008 - it is frozen
    ) -> None:
        super().__init__(kubeconfig, context, guards=[placement.stamped, self._refuse_foreign])
        self.run_id = run_id
        self._default_classes = default_classes

    def owns(self, obj: Object) -> bool:
        """Whether the run owns an object, so that it may create, change and delete it.

        It owns what is in its namespaces; cluster-wide objects with its label; and PVs that a
        provisioner made for a PVC in its namespaces, which have no label. It does not own the PV of
        someone else that was bound to one of its PVCs by mistake.
        """
        meta = obj["metadata"]
        if namespace := meta.get("namespace"):
            return self.owns_namespace(namespace)
        if self._has_label(obj):
            return True
        return is_provisioned(obj) and self._owns_pvc(obj["spec"].get("claimRef") or {})

    def owns_namespace(self, name: str) -> bool:
        """Whether a namespace exists and has the run's label."""
        there = self.find("Namespace", name) if name else None
        return there is not None and self._has_label(there)

    def _owns_pvc(self, reference: Object) -> bool:
        """Whether a PVC that a PV refers to is, or was, the run's."""
        return self.owns_namespace(reference.get("namespace", ""))

    def _has_label(self, obj: Object) -> bool:
        return bool((obj["metadata"].get("labels") or {}).get(RUN_LABEL) == self.run_id)

    def _refuse_foreign(self, request: Request) -> None:
        if request.is_read or request.dry_run:
            return
        if self._default_classes and marks_default_class(request):
            return
        if request.verb == "create" and request.kind in _QUESTIONS:
            return
        obj = request.body if request.verb == "create" else self._target(request)
        if obj is not None and not self.owns(obj):
            where = f" in namespace {request.namespace}" if request.namespace else ""
            raise OutsideFence(
                f"refused: {request}{where}: this run does not own it ({RUN_LABEL}={self.run_id})"
            )

    def _target(self, request: Request) -> Object | None:
        """Return the object that a request is about; only a deletion may find none."""
        look = self.find if request.verb == "delete" else self.get
        return look(request.kind, request.name, request.namespace)
