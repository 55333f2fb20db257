"""Annotations that ignore nothing."""

from objects_to_audit import RECYCLE, Case, pv, statefulset

from landfast.audit.suppression import ANNOTATION
from landfast.kube.client import Object


def annotated(text: str) -> Object:
    return {"annotations": {ANNOTATION: text}}


def template(text: str) -> Object:
    """A StatefulSet whose PVCs are annotated."""
    found = statefulset()
    found["spec"]["volumeClaimTemplates"][0]["metadata"] |= annotated(text)
    return found


_GOOD = "audit.recycle-deprecated: its data can be computed again"

IGNORES = [
    Case(
        "ignore-refused",
        [pv("a", metadata=annotated("audit.recycle-deprecated"))],
        [pv("a", metadata=annotated(_GOOD))],
        "audit.recycle-deprecated has no reason: write `audit.recycle-deprecated: REASON`",
        "note",
    ),
    Case(
        "ignore-refused",
        [pv("a", metadata=annotated("audit.recycle-depreciated: it is scratch"), **RECYCLE)],
        [pv("a", metadata=annotated(f"\n{_GOOD}\n\n{_GOOD}\n"), **RECYCLE)],
        "no rule 'audit.recycle-depreciated'; did you mean audit.recycle-deprecated",
        "note",
    ),
    Case(
        "ignore-refused",
        [pv("a", metadata=annotated("no danger here"))],
        [pv("a", metadata=annotated(""))],
        "there is no rule 'no danger here'; see `landfast audit --list`",
        "note",
    ),
    Case(
        "ignore-refused",
        [template("foreign-volume: they are alike")],
        [template("audit.foreign-volume: they are alike")],
        "no rule 'foreign-volume'; did you mean audit.foreign-volume",
        "note",
    ),
]
