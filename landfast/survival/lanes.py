"""What happened around the workload: states of pod, node, PV and server, and events."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from landfast.errors import LandfastError
from landfast.faults.base import Site, main_status
from landfast.kube.client import Kube, Object
from landfast.kube.status import condition, event_time, is_ready
from landfast.results import Happening, Lane, Span
from landfast.survival.milestones import Look

_SAMPLE_SECONDS = 0.5
_MOST_EVENTS = 30
_State = tuple[str, bool]


class Watcher(threading.Thread):
    """Looks at a site twice a second and remembers each state with its times.

    `looks` are those at pod and node that saw something new.
    """

    def __init__(self, site: Site, began: float) -> None:
        super().__init__(name="lanes", daemon=True)
        self._site, self._began = site, began
        # a separate client: an API server that does not answer must not hold up the run
        self._kube = Kube(site.env.cluster.kubeconfig, site.env.cluster.context)
        self._node, self._volume = site.node(), site.volume
        self._spans: dict[str, list[Span]] = {}
        self._pod: Object | None = None
        self.looks: list[Look] = []
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self._ended.wait(_SAMPLE_SECONDS):
            self._sample()

    def stop(self) -> tuple[Lane, ...]:
        """Stop looking and return what was seen."""
        self._ended.set()
        self.join(timeout=5)
        return tuple(Lane(name=name, spans=tuple(spans)) for name, spans in self._spans.items())

    def _sample(self) -> None:
        namespace = self._site.stack.namespace
        looks: dict[str, Callable[[], _State]] = {
            "pod mysql-0": lambda: self._look_at_pod(namespace),
            f"node {self._node.rpartition('-')[2]}": self._look_at_node,
            f"PV {self._volume}": lambda: _phase(self._kube.find("PersistentVolume", self._volume)),
        }
        if self._site.own_server:
            looks["NFS server"] = lambda: _container(self._site.server.state().status)
        for name, look in looks.items():
            try:
                state, good = look()
            except LandfastError as error:
                state, good = f"cannot be seen: {type(error).__name__}", False
            self._note(name, state, good)

    def _look_at_pod(self, namespace: str) -> _State:
        self._pod = self._kube.find("Pod", "mysql-0", namespace)
        return _pod_state(self._pod)

    def _look_at_node(self) -> _State:
        # those who judge a class may list nodes, and no more
        node = next(iter(self._kube.list("Node", fields=f"metadata.name={self._node}")), None)
        look = look_at(time.monotonic(), self._pod, ready=node is not None and is_ready(node))
        if not self.looks or replace(look, at=self.looks[-1].at) != self.looks[-1]:
            self.looks.append(look)
        return _node_state(node)

    def _note(self, name: str, state: str, good: bool) -> None:
        now = round(time.monotonic() - self._began, 2)
        spans = self._spans.setdefault(name, [])
        if spans:
            spans[-1] = spans[-1].model_copy(update={"end": now})
            if spans[-1].state == state:
                return
        spans.append(Span(start=now if spans else 0.0, end=now, state=state, good=good))


def look_at(at: float, pod: Object | None, *, ready: bool) -> Look:
    """Return what was seen of MySQL's pod at a moment, and whether its first node was Ready."""
    if pod is None:
        return Look(at, "", False, "", "", False, ready)
    status = main_status(pod)
    state = status.get("state") or {}
    return Look(
        at,
        uid=pod["metadata"]["uid"],
        going="deletionTimestamp" in pod["metadata"],
        node=pod["spec"].get("nodeName") or "",
        container=str(status.get("containerID", "")) if "running" in state else "",
        ended="terminated" in state,
        ready=ready,
    )


def _pod_state(pod: Object | None) -> _State:
    if pod is None:
        return "no such pod", False
    where = (pod["spec"].get("nodeName") or "no node").rpartition("-")[2]
    if "deletionTimestamp" in pod["metadata"]:
        return f"Terminating on {where}", False
    for status in pod["status"].get("containerStatuses") or []:
        if waiting := status["state"].get("waiting"):
            return f"{waiting['reason']} on {where}", False
    phase = pod["status"].get("phase", "Unknown")
    return (f"Ready on {where}", True) if is_ready(pod) else (f"{phase} on {where}", False)


def _node_state(node: Object | None) -> _State:
    if node is None:
        return "no such node", False
    status = (condition(node, "Ready") or {"status": "Unknown"})["status"]
    state = {"True": "Ready", "False": "NotReady", "Unknown": "Unknown"}[status]
    if node["spec"].get("unschedulable"):
        return f"{state}, cordoned", False
    return state, state == "Ready"


def _phase(obj: Object | None) -> _State:
    phase = obj["status"].get("phase", "?") if obj else "no such PV"
    return phase, phase == "Bound"


def _container(state: str) -> _State:
    return state, state == "running"


def happenings(site: Site, began: float, ended: float) -> tuple[Happening, ...]:
    """Return the cluster's events that were last seen between two monotonic moments."""
    offset = time.time() - time.monotonic()
    found = []
    for event in [*site.kube.events(site.stack.namespace), *site.kube.events("kube-system")]:
        at = datetime.fromisoformat(event_time(event)).timestamp() - offset
        if began - 1 <= at <= ended:
            about = f"{event['involvedObject']['kind']} {event['involvedObject'].get('name')}"
            text = f"{event['reason']}, {about}: {(event.get('message') or '')[:120]}"
            found.append(Happening(at=round(max(0.0, at - began), 1), text=text))
    return tuple(sorted(found, key=lambda h: h.at)[:_MOST_EVENTS])
