"""What of a batch is settled, by what the API server says of it."""

from typing import Any

import pytest

from landfast.binding.objects import SCENARIO_LABEL
from landfast.binding.settling import Seen
from landfast.kube import Object

DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def obj(kind: str, phase: str | None, **meta: Any) -> Object:
    name = "v" if kind == "PersistentVolume" else "c"
    meta = {"name": name, "uid": "u", "labels": {SCENARIO_LABEL: "s1"}, **meta}
    return {"kind": kind, "metadata": meta, "spec": {}, "status": {"phase": phase}}


def pv(phase: str | None, **meta: Any) -> Seen:
    return Seen({"v": obj("PersistentVolume", phase, **meta)}, {})


def pvc(phase: str, **meta: Any) -> Seen:
    return Seen({}, {"c": obj("PersistentVolumeClaim", phase, **meta)})


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
def test_a_new_volume_and_what_nothing_protects_cannot_stay(seen: Seen, in_motion: bool) -> None:
    assert seen.in_motion() == ({"s1"} if in_motion else set())


def test_a_volume_and_a_claim_of_one_name_are_two() -> None:
    both = Seen(
        {"a": obj("PersistentVolume", "Available")}, {"a": obj("PersistentVolumeClaim", "Pending")}
    )
    assert both.in_motion() == set()
    assert [o["kind"] for o in both.unpaired({"s1"})] == ["PersistentVolumeClaim"]


@pytest.mark.parametrize("phase", ["Pending", "Lost", "Bound"])
def test_a_claim_without_its_volume_is_looked_at_again(phase: str) -> None:
    assert len(pvc(phase).unpaired({"s1"})) == 1
    assert pvc(phase).unpaired({"s2"}) == []


def test_a_free_volume_is_not() -> None:
    assert pv("Available").unpaired({"s1"}) == []


def test_a_volume_whose_claim_went_while_they_were_being_bound_is() -> None:
    assert len(bound_to("gone").unpaired({"s1"})) == 2


def test_a_volume_and_a_claim_bound_to_each_other_are_not() -> None:
    assert bound_to("u").unpaired({"s1"}) == []


def bound_to(uid: str) -> Seen:
    volume, claim = obj("PersistentVolume", "Bound"), obj("PersistentVolumeClaim", "Bound")
    volume["spec"]["claimRef"], claim["spec"]["volumeName"] = {"name": "c", "uid": uid}, "v"
    return Seen({"v": volume}, {"c": claim})


def test_a_change_of_phase_or_uid_is_a_change() -> None:
    assert pvc("Pending").states() == pvc("Pending").states()
    assert pvc("Pending").states() != pvc("Lost").states()
    assert pvc("Pending").states() != pvc("Pending", uid="another").states()
