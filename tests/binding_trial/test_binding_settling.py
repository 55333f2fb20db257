"""Which objects of a batch have settled."""

from typing import Any

import pytest

from landfast.binding.objects import CASE_LABEL
from landfast.binding.settling import BatchState
from landfast.kube import Object

DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def obj(kind: str, phase: str | None, **meta: Any) -> Object:
    name = "v" if kind == "PersistentVolume" else "c"
    meta = {"name": name, "uid": "u", "labels": {CASE_LABEL: "s1"}, **meta}
    return {"kind": kind, "metadata": meta, "spec": {}, "status": {"phase": phase}}


def pv(phase: str | None, **meta: Any) -> BatchState:
    return BatchState({"v": obj("PersistentVolume", phase, **meta)}, {})


def pvc(phase: str, **meta: Any) -> BatchState:
    return BatchState({}, {"c": obj("PersistentVolumeClaim", phase, **meta)})


@pytest.mark.parametrize(
    ("seen", "in_motion"),
    [
        (pv("Available"), False),
        (pv("Pending"), True),
        (pv(None), True),
        (pv("Bound", **DELETED), False),
        (pv("Released", **DELETED), True),
        (pvc("Pending"), False),
        (pvc("Bound", **DELETED), True),
    ],
)
def test_new_pvs_and_unprotected_deleted_objects_are_in_motion(
    seen: BatchState, in_motion: bool
) -> None:
    assert bool(seen.in_motion({"s1"})) == in_motion
    assert seen.in_motion({"s2"}) == []


def test_a_pv_and_a_pvc_of_the_same_name_are_two() -> None:
    both = BatchState(
        {"a": obj("PersistentVolume", "Available")}, {"a": obj("PersistentVolumeClaim", "Pending")}
    )
    assert both.in_motion({"s1"}) == []
    assert [o["kind"] for o in both.unpaired({"s1"})] == ["PersistentVolumeClaim"]


@pytest.mark.parametrize("phase", ["Pending", "Lost", "Bound"])
def test_a_pvc_without_its_pv_is_looked_at_again(phase: str) -> None:
    assert len(pvc(phase).unpaired({"s1"})) == 1
    assert pvc(phase).unpaired({"s2"}) == []


def test_an_available_pv_is_not_looked_at_again() -> None:
    assert pv("Available").unpaired({"s1"}) == []


def test_a_pv_whose_pvc_went_while_they_were_being_bound_is_looked_at_again() -> None:
    assert len(bound_to("gone").unpaired({"s1"})) == 2


def test_a_pv_and_a_pvc_bound_to_each_other_are_not_looked_at_again() -> None:
    assert bound_to("u").unpaired({"s1"}) == []


def bound_to(uid: str) -> BatchState:
    pv_, pvc_ = obj("PersistentVolume", "Bound"), obj("PersistentVolumeClaim", "Bound")
    pv_["spec"]["claimRef"], pvc_["spec"]["volumeName"] = {"name": "c", "uid": uid}, "v"
    return BatchState({"v": pv_}, {"c": pvc_})


def test_a_change_of_phase_or_uid_is_a_change() -> None:
    assert pvc("Pending").states() == pvc("Pending").states()
    assert pvc("Pending").states() != pvc("Lost").states()
    assert pvc("Pending").states() != pvc("Pending", uid="another").states()
