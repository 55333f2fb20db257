"""What is seen beside the workload: states in words, and when they changed."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import RUNNING

from landfast.errors import LandfastError, Unreachable
from landfast.faults.base import Site
from landfast.results import Lane, Span
from landfast.survival import lanes
from landfast.survival.lanes import Watcher, happenings
from landfast.survival.milestones import Look

Object = dict[str, Any]
NODE = "landfast-1-worker2"


def pod(phase: str = "Running", *, ready: bool = True, **changes: Any) -> Object:
    """Give a pod; `changes` replace its metadata, spec or status."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    obj: Object = {
        "metadata": {"name": "mysql-0", "uid": "u1"},
        "spec": {"nodeName": NODE},
        "status": {"phase": phase, "conditions": conditions},
    }
    return obj | changes


def waiting(reason: str) -> Object:
    return {
        "phase": "Running",
        "containerStatuses": [
            {"state": {"running": {}}},
            {"state": {"waiting": {"reason": reason}}},
        ],
    }


@pytest.mark.parametrize(
    ("obj", "state"),
    [
        (None, ("no such pod", False)),
        (pod(), ("Ready on worker2", True)),
        (pod(ready=False), ("Running on worker2", False)),
        (pod("Pending", ready=False, spec={}), ("Pending on no node", False)),
        (pod(metadata={"deletionTimestamp": "now"}), ("Terminating on worker2", False)),
        (pod(status=waiting("CrashLoopBackOff")), ("CrashLoopBackOff on worker2", False)),
        (pod(status={}), ("Unknown on worker2", False)),
        (pod(status={"containerStatuses": None}), ("Unknown on worker2", False)),
    ],
)
def test_a_pods_state(obj: Object | None, state: tuple[str, bool]) -> None:
    assert lanes._pod_state(obj) == state


def node(status: str, **spec: bool) -> Object:
    others = {"type": "MemoryPressure", "status": "False"}
    return {
        "spec": spec,
        "status": {"conditions": [others, {"type": "Ready", "status": status}]},
    }


@pytest.mark.parametrize(
    ("obj", "state"),
    [
        (node("True"), ("Ready", True)),
        (node("False"), ("NotReady", False)),
        (node("Unknown"), ("Unknown", False)),
        (node("True", unschedulable=True), ("Ready, cordoned", False)),
        (node("Unknown", unschedulable=True), ("Unknown, cordoned", False)),
    ],
)
def test_a_nodes_state(obj: Object, state: tuple[str, bool]) -> None:
    assert lanes._node_state(obj) == state


def test_a_claims_and_a_containers_state() -> None:
    assert lanes._phase(None) == ("no such PV", False)
    assert lanes._phase({"status": {}}) == ("?", False)
    assert lanes._phase({"status": {"phase": "Lost"}}) == ("Lost", False)
    assert lanes._phase({"status": {"phase": "Bound"}}) == ("Bound", True)
    assert lanes._container("running") == ("running", True)
    assert lanes._container("paused") == ("paused", False)


class World:
    """A site, its API server and a clock, as a test has them at the moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.pod: Object | Exception | None = pod()
        self.server = "running"
        self.nodes = [node("True")]
        self.events: list[Object] = []
        monkeypatch.setattr(lanes, "Kube", lambda *_: self)
        clock = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now + 1_000_000)
        monkeypatch.setattr(lanes, "time", clock)

    @property
    def site(self) -> Site:
        found = {
            "env": SimpleNamespace(cluster=SimpleNamespace(kubeconfig=None, context="x")),
            "stack": SimpleNamespace(namespace="default"),
            "server": SimpleNamespace(state=lambda: replace(RUNNING, status=self.server)),
            "own_server": True,
            "node": lambda: NODE,
            "volume": "nfs-pv",
            "kube": SimpleNamespace(
                events=lambda namespace: self.events if namespace == "default" else []
            ),
        }
        return cast(Site, SimpleNamespace(**found))

    def find(self, kind: str, _name: str, _namespace: str = "") -> Object | None:
        if kind != "Pod":
            return {"status": {"phase": "Bound"}}
        if isinstance(self.pod, Exception):
            raise self.pod
        return self.pod

    def list(self, kind: str, *, fields: str) -> list[Object]:
        assert (kind, fields) == ("Node", f"metadata.name={NODE}")
        return self.nodes


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def look(world: World, watcher: Watcher, *moments: float) -> None:
    for moment in moments:
        world.now = 100 + moment
        watcher._sample()


def seen(watcher: Watcher, name: str) -> list[tuple[float, float, str, bool]]:
    spans = {lane.name: lane.spans for lane in watched(watcher)}[name]
    return [(span.start, span.end, span.state, span.good) for span in spans]


def watched(watcher: Watcher) -> list[Lane]:
    return [Lane(name=name, spans=tuple(spans)) for name, spans in watcher._spans.items()]


def test_looks_that_see_the_same_are_one_span(world: World) -> None:
    watcher = Watcher(world.site, 100)
    look(world, watcher, 0.5, 1, 1.5)
    names = ["pod mysql-0", "node worker2", "PV nfs-pv", "NFS server"]
    assert [lane.name for lane in watched(watcher)] == names
    assert all(len(lane.spans) == 1 for lane in watched(watcher))
    assert seen(watcher, "pod mysql-0") == [(0, 1.5, "Ready on worker2", True)]


def test_a_change_ends_one_span_and_begins_the_next(world: World) -> None:
    watcher = Watcher(world.site, 100)
    look(world, watcher, 0.5, 1)
    world.server = "paused"
    look(world, watcher, 1.5, 2)
    world.server = "running"
    look(world, watcher, 2.5)
    assert seen(watcher, "NFS server") == [
        (0, 1.5, "running", True),
        (1.5, 2.5, "paused", False),
        (2.5, 2.5, "running", True),
    ]
    assert seen(watcher, "node worker2") == [(0, 2.5, "Ready", True)]


def test_node_that_is_gone_is_a_state(world: World) -> None:
    watcher = Watcher(world.site, 100)
    world.nodes = []
    look(world, watcher, 1)
    assert seen(watcher, "node worker2") == [(0, 1, "no such node", False)]
    assert not watcher.looks[-1].ready


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (LandfastError("refused"), "cannot be seen: LandfastError"),
        (Unreachable("no answer"), "cannot be seen: Unreachable"),
    ],
)
def test_what_cannot_be_seen_is_a_state_and_no_end(
    world: World, error: Exception, state: str
) -> None:
    watcher = Watcher(world.site, 100)
    world.pod = error
    look(world, watcher, 1)
    world.pod = None
    look(world, watcher, 2)
    assert seen(watcher, "pod mysql-0") == [(0, 2, state, False), (2, 2, "no such pod", False)]
    assert seen(watcher, "NFS server") == [(0, 2, "running", True)]


def test_looks_at_pod_and_node_that_see_something_new_are_kept(world: World) -> None:
    watcher = Watcher(world.site, 100)
    running = {"name": "mysql", "containerID": "c1", "state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [running]}
    world.pod = pod(status=status)
    look(world, watcher, 0.5, 1)
    ended = running | {"state": {"terminated": {}}}
    world.pod = pod(
        metadata={"uid": "u1", "deletionTimestamp": "now"},
        status=status | {"containerStatuses": [ended]},
    )
    look(world, watcher, 1.5)
    world.pod = None
    look(world, watcher, 2, 2.5)
    first = Look(100.5, "u1", going=False, node=NODE, container="c1", ended=False, ready=True)
    assert watcher.looks == [
        first,
        replace(first, at=101.5, going=True, container="", ended=True),
        Look(102, "", going=False, node="", container="", ended=False, ready=True),
    ]


def test_it_looks_until_it_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_SAMPLE_SECONDS", 0.001)
    watcher = Watcher(world.site, 100)
    sample, looked = watcher._sample, threading.Event()

    def note() -> None:
        sample()
        looked.set()

    monkeypatch.setattr(watcher, "_sample", note)
    watcher.start()
    assert looked.wait(10)
    assert watcher.stop()[0].spans == (Span(start=0, end=0, state="Ready on worker2", good=True),)
    assert not watcher.is_alive()


def event(at: float, text: str, **changes: Any) -> Object:
    """Give an event at a second of the workload."""
    stamp = datetime.fromtimestamp(1_000_100 + at, UTC).isoformat()
    return {
        "reason": text,
        "message": "m" * 200,
        "involvedObject": {"kind": "Pod", "name": "mysql-0"},
        "eventTime": None,
        "lastTimestamp": stamp,
        "metadata": {"creationTimestamp": "1999-01-01T00:00:00Z"},
    } | changes


def test_events_of_the_workloads_time_are_told_in_order(world: World) -> None:
    world.events = [
        event(-2, "Before"),
        event(7, "Killing"),
        event(-0.5, "Scheduled"),
        event(3, "Pulled", message=None),
        event(11, "After"),
    ]
    found = happenings(world.site, 100, 110)
    assert [(happening.at, happening.text) for happening in found] == [
        (0, f"Scheduled, Pod mysql-0: {'m' * 120}"),
        (3, "Pulled, Pod mysql-0: "),
        (7, f"Killing, Pod mysql-0: {'m' * 120}"),
    ]


def test_an_event_may_have_its_time_in_other_fields(world: World) -> None:
    stamp = event(4, "")["lastTimestamp"]
    world.events = [
        event(0, "A", lastTimestamp=None, eventTime=stamp),
        event(0, "B", lastTimestamp=None, metadata={"creationTimestamp": stamp}),
    ]
    assert [happening.at for happening in happenings(world.site, 100, 110)] == [4, 4]


def test_only_so_many_events_are_told(world: World) -> None:
    world.events = [event(number / 10, "E") for number in range(50)]
    found = happenings(world.site, 100, 110)
    assert len(found) == 30
    assert found[-1].at == 2.9
