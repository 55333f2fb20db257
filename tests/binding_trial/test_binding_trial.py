"""Trying binding cases on a fake API whose volume controller does what a test says."""

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeKube, refusal

from landfast.binding.model import (
    BindingCase,
    Class,
    Delete,
    Outcome,
    Pv,
    Pvc,
    PvcPhase,
    PvcState,
    PvPhase,
    PvState,
    Refusal,
)
from landfast.binding.trial import Trial
from landfast.kube import KubeError, Object, Request
from landfast.kube.default_classes import MARK, default_classes
from landfast.nfs.export import Export
from landfast.waiting import WaitTimeout

SOME_TIME = "2026-01-01T00:00:00Z"


class Cluster(FakeKube):
    """It has a clock and fills in default classes; its controller deals with sentinels.

    `on_look` is what the controller does to another object that it looks at.
    """

    def __init__(self, *objects: Object) -> None:
        self.on_look: Callable[[Object], None] = lambda _obj: None
        self.clock = itertools.count()
        super().__init__(*objects)

    def _on_create(self, asked: Request, **arguments: Any) -> Object:
        made = super()._on_create(asked, **arguments)
        minutes, seconds = divmod(next(self.clock) // 2, 60)
        made["metadata"]["creationTimestamp"] = f"2026-01-01T00:{minutes:02}:{seconds:02}Z"
        if asked.kind == "PersistentVolume":
            made["status"] = {"phase": "Available"}
        if asked.kind == "PersistentVolumeClaim":
            for default in default_classes(self)[:1]:
                made["spec"].setdefault("storageClassName", default["metadata"]["name"])
            made["status"] = {"phase": "Pending"}
            asked_to_provision = {"volume.kubernetes.io/storage-provisioner": "landfast/nobody"}
            made["metadata"].setdefault("annotations", {}).update(asked_to_provision)
        return made

    def _on_patch(self, asked: Request, **arguments: Any) -> Object:
        found = super()._on_patch(asked, **arguments)
        self.on_look(found)
        return found

    def of_kind(self, kind: str) -> list[Object]:
        return [obj for (there, _, _), obj in self.objects.items() if there == kind]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def trial(cluster: Cluster) -> Trial:
    export = Export(kind="external", server="192.0.2.1", path="/export")
    return Trial(cluster, "ns", {"landfast/run": "r1"}, export)


case = BindingCase.of


def test_outcomes_are_in_the_names_of_their_cases(trial: Trial, cluster: Cluster) -> None:
    cases = [case([Pv("v", claim_ref="c")]), case([Pvc("c", storage_class="x", volume="w")])]
    with trial.applied(cases) as batch:
        assert batch.outcomes() == [
            Outcome(pvs=frozenset({PvState("v", PvPhase.AVAILABLE, "c")})),
            Outcome(pvcs=frozenset({PvcState("c", PvcPhase.PENDING, "w")})),
        ]
        [pv] = [pv for pv in cluster.of_kind("PersistentVolume") if "claimRef" in pv["spec"]]
        assert pv["metadata"]["name"].startswith("landfast-")


def test_everything_is_removed_at_the_end(trial: Trial, cluster: Cluster) -> None:
    cluster.put({"kind": "PersistentVolume", "metadata": {"name": "anothers"}})
    with trial.applied([case([Class("x"), Pv("v")], [Pvc("c", storage_class="x")])]):
        assert len(cluster.objects) > 4
    assert [name for _, _, name in cluster.objects] == ["anothers"]


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_removed_is_named(trial: Trial, cluster: Cluster) -> None:
    with contextlib.ExitStack() as ends:
        ends.enter_context(trial.applied([case([Pv("v")])]))
        for pv in cluster.of_kind("PersistentVolume"):
            pv["metadata"]["finalizers"] = ["kept"]
        with pytest.raises(WaitTimeout, match=r"-0-v"):
            ends.close()


def test_a_stage_settles_once_a_look_changes_nothing(trial: Trial, cluster: Cluster) -> None:
    changes = iter(["x", "y", "z"])

    def change(obj: Object) -> None:
        obj["spec"]["storageClassName"] = next(changes, "z")

    cluster.on_look = change
    with trial.applied([case([Pvc("c", storage_class="w")])]):
        looks = [asked for asked in cluster.verbs if asked[0] == "patch"]
        assert len(looks) == 4  # three that change it, one that does not


def test_a_stage_that_keeps_changing_is_given_up(trial: Trial, cluster: Cluster) -> None:
    phases = {"Pending": "Lost", "Lost": "Pending"}

    def change(obj: Object) -> None:
        obj["status"]["phase"] = phases[obj["status"]["phase"]]

    cluster.on_look = change
    said = r"still changes PersistentVolumeClaim landfast-\w+-0-c (Pending|Lost)"
    with pytest.raises(WaitTimeout, match=said):
        trial.applied([case([Pvc("c", storage_class="w")])]).__enter__()


@pytest.mark.usefixtures("impatient")
def test_a_deleted_pvc_that_stays_is_not_settled(trial: Trial, cluster: Cluster) -> None:
    with trial.batch([case([Pvc("c", storage_class="w")])]) as batch:
        batch.send(0)
        [pvc] = cluster.of_kind("PersistentVolumeClaim")
        pvc["metadata"]["deletionTimestamp"] = SOME_TIME
        with pytest.raises(WaitTimeout, match="Claim .*-0-c Pending, being deleted"):
            batch.settle(0)


@pytest.mark.usefixtures("impatient")
def test_a_controller_that_does_not_look_is_named(trial: Trial, cluster: Cluster) -> None:
    cluster.before["get"] = lambda kind, name: cluster.objects[kind, None, name].update(status={})
    with pytest.raises(WaitTimeout, match="to reach the end of its PVs"):
        trial.applied([case([Pv("v")])]).__enter__()


@pytest.mark.parametrize(("code", "field"), [(409, "metadata.name"), (422, "metadata.name")])
def test_what_the_api_server_refuses_is_part_of_the_outcome(
    trial: Trial, cluster: Cluster, code: int, field: str
) -> None:
    cluster.before["create"] = refusing(code, of="-0-v")
    with trial.applied([case([Pv("v")])]) as batch:
        assert batch.outcomes() == [Outcome(refused=frozenset({Refusal("pv", "v", field)}))]


def test_another_refusal_is_an_error(trial: Trial, cluster: Cluster) -> None:
    cluster.before["create"] = refusing(403, of="-0-v")
    with pytest.raises(KubeError, match="no"):
        trial.applied([case([Pv("v")])]).__enter__()


def refusing(code: int, *, of: str) -> Callable[[str, str], None]:
    def before(_kind: str, name: str) -> None:
        if name.endswith(of):
            raise refusal(code, "no")

    return before


def test_force_removes_finalizers(trial: Trial, cluster: Cluster) -> None:
    stages = case([Pv("v")], [Delete("pv", "v", force=True)], [Delete("pvc", "never")])
    with trial.batch([stages]) as batch:
        batch.send(0)
        [pv] = cluster.of_kind("PersistentVolume")
        pv["metadata"]["finalizers"] = ["kubernetes.io/pv-protection"]
        batch.send(1)
        assert "finalizers" not in pv["metadata"]
        batch.send(2)


def test_force_finds_nothing_once_the_deletion_was_enough(trial: Trial, cluster: Cluster) -> None:
    with trial.applied([case([Pv("v")], [Delete("pv", "v", force=True)])]) as batch:
        assert batch.outcomes() == [Outcome()]
        assert cluster.verbs.count(("patch", "PersistentVolume", f"{batch.names[0].prefix}v")) == 1


def test_another_look_shows_what_changed_since(trial: Trial, cluster: Cluster) -> None:
    with trial.applied([case([Pvc("c", storage_class="w")])]) as batch:
        cluster.on_look = lambda obj: obj["status"].update(phase="Lost")
        assert batch.look_again() == [Outcome(pvcs=frozenset({PvcState("c", PvcPhase.LOST)}))]
        assert len(batch.look().pvcs) == 1


@pytest.mark.parametrize("code", [404, 500])
def test_a_pvc_that_goes_before_it_is_looked_at_is_no_error(
    trial: Trial, cluster: Cluster, code: int
) -> None:
    with trial.applied([case([Pvc("c", storage_class="w")])]) as batch:
        cluster.before["patch"] = refusing(code, of="-0-c")
        with contextlib.nullcontext() if code == 404 else pytest.raises(KubeError):
            batch.look_again()


def test_a_case_with_a_default_class_must_be_alone(trial: Trial) -> None:
    default = case([Class("x", default=True)])
    with pytest.raises(ValueError, match="must be tried alone"):
        trial.batch([default, default]).__enter__()


def test_a_default_class_is_newer_than_the_one_before(trial: Trial, cluster: Cluster) -> None:
    first, second = [Class("a", default=True)], [Class("b", default=True)]
    with trial.batch([case(first, second)]) as batch:
        batch.send(0)
        batch.send(1)
        ages = {
            name.rpartition("-")[2]: obj["metadata"]["creationTimestamp"]
            for (_, _, name), obj in cluster.objects.items()
            if MARK in obj["metadata"].get("annotations", {})
        }
    assert ages["a"] < ages["b"]


def test_events_of_a_case_are_in_its_names(trial: Trial, cluster: Cluster) -> None:
    with trial.applied([case([Pv("v")]), case([Pv("v")])]) as batch:
        name = f"{batch.names[1].prefix}v"
        for number, about in enumerate([name, "anothers"]):
            cluster.put(
                {
                    "kind": "Event",
                    "metadata": {"name": f"e{number}", "namespace": "default"},
                    "lastTimestamp": SOME_TIME,
                    "involvedObject": {"name": about},
                    "reason": "Bound",
                    "message": f"{about} is bound",
                }
            )
        assert batch.events() == [[], ["v: Bound: v is bound"]]
