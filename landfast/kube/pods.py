"""Why a pod does not start, and when to stop waiting for it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landfast import timeouts
from landfast.kube import quota
from landfast.kube.request import Object
from landfast.kube.status import condition
from landfast.verdict import Unknown
from landfast.waiting import WaitTimeout, wait_until

if TYPE_CHECKING:
    from landfast.kube.client import Kube

_STARTING = ("", "ContainerCreating", "PodInitializing")
_CRASHED = "CrashLoopBackOff"
_FULL = re.compile("Insufficient|Too many pods")
_TAINT = re.compile(r"\{[^}]*\}")
_STORAGE = re.compile("volume|pvc|storage ?class|free storage|kubernetes.io~", re.IGNORECASE)
_LOOK_EVERY = 1


class PodCannotStart(Unknown):
    """The cluster does not start a pod, for a reason that has nothing to do with storage."""


class PodCrashes(WaitTimeout):
    """A pod's program ends again and again: to wait longer is pointless."""


@dataclass(frozen=True)
class Obstacle:
    """What keeps a pod from starting. A `final` one does not pass by itself."""

    what: str
    reason: str
    message: str
    final: bool = False

    def __str__(self) -> str:
        return f"{self.what} cannot start: {self.reason}: {self.message or 'no message'}"


def obstacle(pod: Object) -> Obstacle | None:
    """Return what keeps a pod from starting, or None.

    Waiting for a PVC or a mount does not count: claims are about that. Neither does a pod that is
    being deleted: it is not meant to start.
    """
    if "deletionTimestamp" in pod["metadata"]:
        return None
    name, status = f"pod {pod['metadata']['name']}", pod.get("status", {})
    message = str(status.get("message", ""))
    # the kubelet sets a reason when it refuses or evicts a pod
    if status.get("phase") == "Failed" and status.get("reason", "") not in ("", "DeadlineExceeded"):
        return Obstacle(name, str(status["reason"]), message, final=True)
    if refused := unscheduled(pod):
        reason, message = refused
        return None if is_about_storage(message) else Obstacle(name, reason, message)
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting") or {}
        reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
        if reason in _STARTING or (reason.startswith("Create") and is_about_storage(message)):
            continue
        if reason == _CRASHED:
            message = _end(container.get("lastState", {})) or message
        return Obstacle(f"{name}, container {container['name']},", reason, message)
    return None


def refusal(owner: Object, events: Iterable[Object] = ()) -> Obstacle | None:
    """Return why the API server refuses the pods of a set or Deployment (a quota, admission).

    A Deployment has a condition for it. A StatefulSet has only `events`, of which the last counts:
    pass them only if the pod does not exist.
    """
    meta = owner["metadata"]
    said = [
        event
        for event in events
        if event.get("reason") == "FailedCreate" and event["involvedObject"]["uid"] == meta["uid"]
    ]
    failure = condition(owner, "ReplicaFailure") or {}
    if failure.get("status") == "True":
        said.append(failure)
    if not said:
        return None
    message = str(said[-1].get("message", ""))
    message = "; ".join(filter(None, [message, quota.lacks(message)]))
    return Obstacle(f"a pod of {owner['kind']} {meta['name']}", "FailedCreate", message)


def unscheduled(pod: Object) -> tuple[str, str] | None:
    """Return reason and message with which the scheduler refuses a pod, or None."""
    scheduled = condition(pod, "PodScheduled") or {}
    if scheduled.get("status") != "False":
        return None
    return str(scheduled.get("reason", "")), str(scheduled.get("message", ""))


def is_about_storage(message: str) -> bool:
    """Whether a pod is refused for its volumes alone.

    The scheduler runs its volume plugins last (default_plugins.go), so a node that is refused for a
    volume would otherwise take the pod. A node without room may hide such a refusal.
    """
    return not _FULL.search(message) and bool(_STORAGE.search(_TAINT.sub("", message)))


def summary(pod: Object) -> str:
    """Return the state of a pod in a few words; `{}` is a pod that does not exist."""
    if not pod:
        return "no such pod"
    status = pod.get("status", {})
    words = [str(status.get("phase", "no phase"))]
    if "deletionTimestamp" in pod["metadata"]:
        words.append("being deleted")
    words += unscheduled(pod) or ()
    for container in _containers(pod):
        state = container.get("state", {})
        said = (state.get("waiting") or {}).get("reason") or _end(state)
        words += [f"container {container['name']}: {said}"] if said else []
    return ": ".join(word for word in [*words, status.get("message")] if word)


class StartWatch:
    """Ends a wait for a pod once something has kept it from starting for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = -float("inf")
        self._since: float | None = None

    def check(self, look: Callable[[], Obstacle | None]) -> None:
        """Look for an obstacle, at most once a second.

        Raises:
            PodCannotStart: there has been one for `timeouts.POD_CANNOT_START`, or a final one.
            PodCrashes: the same, where it is the program that ends.
        """
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _LOOK_EVERY
        found = look()
        if found is None:
            self._since = None
            return
        self._since = now if self._since is None else self._since
        if found.final or now - self._since >= timeouts.patient(timeouts.POD_CANNOT_START):
            raise (PodCrashes if found.reason == _CRASHED else PodCannotStart)(str(found))


def wait_for_service_account(kube: "Kube", namespace: str) -> None:
    """Wait until a new namespace has its ServiceAccount: no pod can be made before it.

    Raises:
        WaitTimeout: it does not get one.
    """
    wait_until(
        f"the service account of namespace {namespace}",
        lambda: kube.find("ServiceAccount", "default", namespace),
        timeout=timeouts.CONTROLLER_OBSERVES,
    )


def _containers(pod: Object) -> Iterator[dict[str, Any]]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _end(state: Object) -> str:
    """Return how a container failed; "" if it runs or succeeded."""
    ended = state.get("terminated") or {}
    if not ended.get("exitCode"):
        return ""
    words = f"ended with exit code {ended['exitCode']}", ended.get("reason"), ended.get("message")
    return ": ".join(str(word).strip() for word in words if word)
