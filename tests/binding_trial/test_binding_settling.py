"""What of a batch is settled, by what the API server says of it."""

from typing import Any

import pytest

from landfast.binding.objects import SCENARIO_LABEL
from landfast.binding.settling import Seen
from landfast.kube import Object

DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def obj(kind: str, phase: str | None, **meta: Any) -> Object:
    meta = {"uid": "u", "labels": {SCENARIO_LABEL: "s1"}, **meta}
    return {"kind": kind, "metadata": meta, "spec": {}, "status": {"phase": phase}}


def pv(phase: str | None, **meta: Any) -> Seen:
    return Seen({"v": obj("PersistentVolume", phase, **meta)}, {})


def pvc(phase: str, **meta: Any) -> Seen:
    return Seen({}, {"c": obj("PersistentVolumeClaim", phase, **meta)})


@pytest.mark.parametrize(
    ("seen", "in_motion"),
    [
        (pv("Available"), []),
        (pv("Pending"), ["volume v is new"]),
        (pv(None), ["volume v is new"]),
        (pv("Bound", **DELETED), []),
        (pv("Released", **DELETED), ["PersistentVolume v is being deleted"]),
        (pvc("Pending"), []),
        (pvc("Bound", **DELETED), ["PersistentVolumeClaim c is being deleted"]),
    ],
)
def test_a_new_volume_and_what_nothing_protects_cannot_stay(
    seen: Seen, in_motion: list[str]
) -> None:
    assert seen.in_motion == in_motion


def test_a_volume_and_a_claim_of_one_name_are_two() -> None:
    both = Seen(
        {"a": obj("PersistentVolume", "Available")}, {"a": obj("PersistentVolumeClaim", "Pending")}
    )
    assert both.in_motion == []
    assert both.unbound({"s1"}) == ["a"]


@pytest.mark.parametrize(("phase", "looked_at"), [("Pending", 1), ("Lost", 1), ("Bound", 0)])
def test_claims_that_are_not_bound_are_looked_at_again(phase: str, looked_at: int) -> None:
    assert len(pvc(phase).unbound({"s1"})) == looked_at
    assert pvc(phase).unbound({"s2"}) == []


def test_a_change_of_phase_or_uid_is_a_change() -> None:
    assert pvc("Pending").state == pvc("Pending").state
    assert pvc("Pending").state != pvc("Lost").state
    assert pvc("Pending").state != pvc("Pending", uid="another").state
