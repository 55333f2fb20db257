"""The ledger's writers in pods of the cluster, where one machine's load is too little.

docs/decisions.md, "Writers in pods", says why it is done like this.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.kube import Kube, Object
from landfast.kube.pods import Obstacle, StartWatch, obstacle, refusal, summary
from landfast.kube.removal import delete_kinds, wait_gone
from landfast.mysql.clocks import Look, offset_of
from landfast.mysql.writer_job import NAME, PART, job, shares
from landfast.mysql.writer_pod import ENDED, PID
from landfast.mysql.writers import Task
from landfast.parallel import side_by_side
from landfast.results import Crew
from landfast.timeouts import patient
from landfast.verdict import Unknown
from landfast.waiting import WaitTimeout, wait_until

_SELECTOR = f"{PART}={NAME}"
_SERVICE, _PORT = "mysql-external-service", 3306
_INDEX = "batch.kubernetes.io/job-completion-index"
_FETCH_EVERY = 1.0
_SILENT_SECONDS = 30.0
# Prints the clock, whether the writers have ended, the next offset, how many lines follow, and then
# these lines, whole and in ASCII.
_FETCH = f"""
import os, sys, time
now, offset = time.monotonic(), int(sys.argv[1])
if sys.argv[2:]:
    os.kill(int(open("{PID}").read()), 15)
ended = os.path.exists("{ENDED}")
with open("history.tsv", "rb") as history:
    history.seek(offset)
    found = history.read(1 << 22)
found = found[: found.rfind(b"\\n") + 1]
print(now, int(ended), offset + len(found), found.count(b"\\n"))
sys.stdout.write(found.decode().encode("ascii", "backslashreplace").decode())
"""


@dataclass
class _Pod:
    """A pod, how far its history was fetched, and the looks at its clock."""

    name: str
    node: str
    index: int
    offset: int = 0
    looks: list[Look] = field(default_factory=list)


class WriterPods:
    """Runs writers in an Indexed Job, and brings their histories together in one file.

    Args:
        kube: the cluster.
        namespace: that of MySQL.
        make: creates an object there.
        image: Landfast's own.
        writers: how many, in all.
        pods: how many.
        avoid: returns the node that no pod may be on, or "".
    """

    def __init__(
        self,
        kube: Kube,
        namespace: str,
        make: Callable[[Object], Object],
        image: str,
        writers: int,
        pods: int,
        *,
        avoid: Callable[[], str] = str,
    ) -> None:
        self._kube, self._namespace, self._make, self._image = kube, namespace, make, image
        self.writers, self._count, self._avoid = writers, pods, avoid
        self._pods: list[_Pod] = []
        self._one_at_a_time = threading.Lock()
        self.crew: Crew | None = None
        """What wrote, once it has ended."""

    @contextlib.contextmanager
    def writing(self, task: Task) -> Iterator[None]:
        """Run the writers while the body runs; in the end, all times are of this host's clock.

        `task` is that of a plain run: its kinds of writers are repeated, its history is the file in
        which the pods' histories come together.

        Raises:
            PodCannotStart: the cluster does not start the pods.
            WaitTimeout: they do not start, or do not write.
            Unknown: the history of a pod is not whole, or a clock was moved.
        """
        since, self.crew = time.monotonic(), None
        tasks = shares(self._addressed(task), self.writers, self._count)
        try:
            self._make(job(tasks, self._image, self._avoid()))
            self._pods = self._started()
            wait_until(
                "the writers in pods to begin",
                lambda: self._fetch_all(task.history),
                until=lambda _: True,
                timeout=timeouts.WRITES,
                ignoring=(LandfastError,),
            )
            with self._following(task.history):
                yield
            self._fetch_rest(task.history)
            self._put_on_one_clock(task.history, tasks, since)
        finally:
            gone = delete_kinds(
                self._kube, ["Job", "Pod"], self._namespace, labels=_SELECTOR, grace_seconds=1
            )
            wait_gone(self._kube, gone)

    def check(self) -> None:
        """Check that something was heard of every pod.

        Raises:
            Unknown: nothing was for a while: nobody knows what its writers were told.
        """
        pod = self._most_silent()
        if time.monotonic() - pod.looks[-1].received > patient(_SILENT_SECONDS):
            raise Unknown(self._loss_of(pod))

    def _most_silent(self) -> _Pod:
        return min(self._pods, key=lambda pod: pod.looks[-1].received)

    def _addressed(self, task: Task) -> Task:
        """Return a task with the address at which pods reach MySQL."""
        service = self._kube.get("Service", _SERVICE, self._namespace)
        return task.model_copy(update={"host": service["spec"]["clusterIP"], "port": _PORT})

    def _started(self) -> list[_Pod]:
        watch = StartWatch()

        def look() -> list[Object]:
            pods = self._kube.list("Pod", self._namespace, labels=_SELECTOR)
            watch.check(lambda: next(filter(None, map(obstacle, pods)), None) or self._refusal())
            return pods

        found = wait_until(
            f"{self._count} pods with writers to run",
            look,
            until=lambda pods: [_phase(pod) for pod in pods] == ["Running"] * self._count,
            give_up=lambda pods: next(map(self._end, filter(_has_failed, pods)), None),
            timeout=timeouts.POD_RUNNING,
            describe=lambda pods: "; ".join(map(summary, pods)),
        )
        return [
            _Pod(
                name=pod["metadata"]["name"],
                node=pod["spec"]["nodeName"],
                index=int(pod["metadata"]["annotations"][_INDEX]),
            )
            for pod in found
        ]

    def _refusal(self) -> Obstacle | None:
        """Return why the API server refuses the Job's pods, or None."""
        found = self._kube.get("Job", NAME, self._namespace)
        return refusal(found, self._kube.events(self._namespace, name=found["metadata"]["name"]))

    def _end(self, pod: Object) -> str:
        """Return how a pod ended, with the last line of its log."""
        said = self._kube.logs(self._namespace, pod["metadata"]["name"], tail_lines=1).strip()
        return f"{summary(pod)}: {said or 'it said nothing'}"

    @contextlib.contextmanager
    def _following(self, history: Path) -> Iterator[None]:
        """Fetch what is written while the body runs."""
        over = threading.Event()

        def follow() -> None:
            while not over.wait(_FETCH_EVERY):
                with contextlib.suppress(LandfastError):  # `check` sees that nothing came
                    self._fetch_all(history)

        thread = threading.Thread(target=follow, name="histories", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _fetch_rest(self, history: Path) -> None:
        """Stop the writers, and fetch what they wrote until they had ended."""
        try:
            wait_until(
                "the rest of the histories",
                lambda: self._fetch_all(history, "stop"),
                until=all,
                timeout=_SILENT_SECONDS,
                ignoring=(LandfastError,),
            )
        except WaitTimeout as error:
            raise Unknown(f"{self._loss_of(self._most_silent())}; {error}") from error

    def _fetch_all(self, history: Path, *words: str) -> list[bool]:
        """Append what is new to a file; return of each pod whether nothing more can follow."""
        return side_by_side(lambda pod: self._fetch(pod, history, *words), self._pods)

    def _fetch(self, pod: _Pod, history: Path, *words: str) -> bool:
        asked = ["python3", "-IS", "-c", _FETCH, str(pod.offset), *words]
        sent = time.monotonic()
        said = self._kube.execute(self._namespace, pod.name, asked)
        received = time.monotonic()
        head, _, lines = said.partition("\n")
        told = head.split()
        if len(told) != 4 or lines.count("\n") != int(told[3]):
            raise LandfastError(f"a piece of the history in pod {pod.name} came only in part")
        with self._one_at_a_time, history.open("a") as file:
            file.write(lines)
        pod.offset = int(told[2])
        pod.looks.append(Look(sent, float(told[0]), received))
        return told[1] == "1" and not lines

    def _loss_of(self, pod: _Pod) -> str:
        state = "its state is not known"
        with contextlib.suppress(LandfastError):
            state = summary(self._kube.find("Pod", pod.name, self._namespace) or {})
        return (
            f"the history in pod {pod.name} on {pod.node} is not whole, so nobody knows what MySQL "
            f"acknowledged to its writers: {state}"
        )

    def _put_on_one_clock(self, history: Path, tasks: Sequence[Task], since: float) -> None:
        """Rewrite a file of several pods' times with times of this host's clock."""
        offsets = {pod.index: offset_of(pod.looks, since) for pod in self._pods}
        shifts = {
            number: offsets[index].seconds
            for index, task in enumerate(tasks)
            for number in task.numbers()
        }
        raw = history.rename(history.with_name("history-of-pods.tsv"))
        with raw.open() as lines, history.open("w") as target:
            for line in lines:
                target.write(shifted(line, shifts))
        raw.unlink()
        self.crew = Crew(
            writers=self.writers,
            nodes=tuple(pod.node for pod in self._pods),
            clock_error=max(offset.error for offset in offsets.values()),
        )


def shifted(line: str, shifts: Mapping[int, float]) -> str:
    """Return a line of a history with the shift of its writer added to its monotonic time."""
    what, writer, kind, number, at, rest = line.split("\t", 5)
    at = f"{float(at) + shifts[int(writer)]:.6f}"
    return "\t".join((what, writer, kind, number, at, rest))


def _phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", ""))


def _has_failed(pod: Object) -> bool:
    return _phase(pod) == "Failed"
