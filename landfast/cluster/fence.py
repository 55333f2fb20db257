"""The fence on somebody's cluster: the one place that decides what a run may change there."""

from collections.abc import Callable, Sequence
from pathlib import Path

from landfast.errors import LandfastError
from landfast.kube.client import Kube, Object
from landfast.kube.default_classes import MARKS
from landfast.run import RUN_LABEL

_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_QUESTIONS = ("SelfSubjectAccessReview", "SubjectAccessReview")


class OutsideFence(LandfastError):
    """A run was about to change what is not its own on the cluster. Nothing was changed."""


def has_label(obj: Object, run_id: str) -> bool:
    """Whether an object carries the run's label."""
    labels = obj["metadata"].get("labels") or {}
    return bool(labels.get(RUN_LABEL) == run_id)


def owned(obj: Object, run_id: str, owns_namespace: Callable[[str], bool]) -> bool:
    """Whether an object is the run's, so that it may be created, changed and deleted.

    It is if it lies in a namespace of the run's; if it lies in none and has the run's label; or if
    it is a volume that a provisioner made for a claim in a namespace of the run's (it labels none).
    A volume of somebody's that a claim of the run took by mistake is not.
    """
    meta = obj["metadata"]
    if namespace := meta.get("namespace"):
        return owns_namespace(namespace)
    if has_label(obj, run_id):
        return True
    claim = (obj.get("spec") or {}).get("claimRef") or {}
    made = _PROVISIONED_BY in (meta.get("annotations") or {})
    return obj["kind"] == "PersistentVolume" and made and owns_namespace(claim.get("namespace", ""))


def marks_default_class(kind: str, body: Object) -> bool:
    """Whether a patch does nothing but mark a class as default one, or take that mark away."""
    annotations = body.get("metadata", {}).get("annotations", {})
    return (
        kind == "StorageClass"
        and body == {"metadata": {"annotations": annotations}}
        and set(annotations) <= set(MARKS)
    )


class FencedKube(Kube):
    """Somebody's cluster: everything may be looked at, only what is the run's may be changed.

    The one exception is for who said that the cluster is theirs (`--i-own-this-cluster`): with
    `default_classes` the marks of default classes may be changed, too, on any StorageClass.
    """

    default_classes = False

    def __init__(
        self, kubeconfig: Path, context: str, run_id: str, *, default_classes: bool = False
    ) -> None:
        super().__init__(kubeconfig, context)
        self.run_id = run_id
        self.default_classes = default_classes

    def owns(self, obj: Object) -> bool:
        """Whether an object, as it is on the cluster, is the run's (see `owned`)."""
        return owned(obj, self.run_id, self.owns_namespace)

    def owns_namespace(self, name: str) -> bool:
        """Whether a namespace is there and has the run's label."""
        there = self.find("Namespace", name) if name else None
        return there is not None and has_label(there, self.run_id)

    def _check(self, action: str, obj: Object) -> None:
        if not self.owns(obj):
            meta = obj["metadata"]
            where = f" in namespace {meta['namespace']}" if meta.get("namespace") else ""
            raise OutsideFence(
                f"refused to {action} {obj['kind']} {meta.get('name')}{where}: "
                f"it is not this run's ({RUN_LABEL}={self.run_id})"
            )

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Create an object of the run's (see `Kube.create`)."""
        if not dry_run and obj["kind"] not in _QUESTIONS:
            self._check("create", obj)
        return super().create(obj, dry_run=dry_run)

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> Object:
        """Change an object of the run's, or a class's mark (see `Kube.patch`)."""
        if not (self.default_classes and marks_default_class(kind, body)):
            self._check("change", self.get(kind, name, namespace))
        return super().patch(kind, name, body, namespace)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_seconds: int | None = None,
        propagation: str = "Background",
    ) -> bool:
        """Delete an object of the run's (see `Kube.delete`)."""
        there = self.find(kind, name, namespace)
        if there is None:
            return False
        self._check("delete", there)
        return super().delete(
            kind, name, namespace, grace_seconds=grace_seconds, propagation=propagation
        )

    def execute(self, namespace: str, pod: str, argv: Sequence[str], *, timeout: int = 60) -> str:
        """Run a program in a pod of the run's (see `Kube.execute`)."""
        self._check("run a program in", self.get("Pod", pod, namespace))
        return super().execute(namespace, pod, argv, timeout=timeout)
