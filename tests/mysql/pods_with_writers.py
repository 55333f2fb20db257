"""A cluster whose pods with writers write what a test says, by clocks of their own."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes import FakeKube

from landfast.errors import LandfastError

SPACE = "landfast-chaos-ab12"
IMAGE = "landfast/landfast:1"
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "mysql-external-service", "namespace": SPACE},
    "spec": {"clusterIP": "10.96.0.7"},
}
Object = dict[str, Any]


@dataclass
class Pod:
    """What a pod wrote, by how much its clock is ahead, and what becomes of it."""

    task: Object
    ahead: float
    written: str = ""
    stopped: bool = False
    cut: bool = False
    """Whether an answer of it comes only in part."""
    gone: bool = False
    looks: list[str] = field(default_factory=list)

    def writes(self, *numbers: int, what: str = "ok", kind: str = "insert") -> None:
        """Let its first writer try something now, and get an answer."""
        for number in numbers:
            for line in ("invoke", what):
                now = time.monotonic() + self.ahead
                head = f"{line}\t{self.task['first_writer']}\t{kind}\t{number}"
                self.written += f"{head}\t{now:.6f}\t1764000000.0\t\n"

    def answer(self, words: Sequence[str]) -> str:
        """Do what the script in the pod does."""
        offset, *stop = words
        self.looks.append(offset)
        self.stopped = self.stopped or bool(stop)
        now, found = time.monotonic() + self.ahead, self.written[int(offset) :]
        end = int(offset) + len(found)
        head = f"{now} {int(self.stopped)} {end} {found.count(chr(10))}\n"
        return head + ("" if self.cut else found)


class Cluster(FakeKube):
    """Runs a pod for each task of a Job at once; `ahead` is of each pod's clock."""

    def __init__(self, *ahead: float) -> None:
        super().__init__(SERVICE)
        self.ahead = ahead
        self.pods: dict[str, Pod] = {}
        self.status: Object = {"phase": "Running"}
        self.on_create: Callable[[], object] = lambda: None

    def make(self, obj: Object) -> Object:
        """Create an object as a stack does."""
        return self.create({**obj, "metadata": {**obj["metadata"], "namespace": SPACE}})

    def _on_create(self, asked: Any, **options: Any) -> Object:
        made = super()._on_create(asked, **options)
        if asked.kind == "Job":
            template = asked.body["spec"]["template"]
            tasks = json.loads(template["spec"]["containers"][0]["command"][-1])
            for index, (task, ahead) in enumerate(zip(tasks, self.ahead, strict=True)):
                name = f"writers-{index}-x7k2p"
                self.pods[name] = Pod(task, ahead)
                meta = {"name": name, "namespace": SPACE, **template["metadata"]}
                meta["annotations"] = {"batch.kubernetes.io/job-completion-index": str(index)}
                spec = {"nodeName": f"worker-{index}"}
                self.put({"kind": "Pod", "metadata": meta, "spec": spec, "status": self.status})
        return made

    def execute(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        *,
        container: str | None = None,
        timeout: int = 60,
    ) -> str:
        super().execute(namespace, pod, argv, container=container, timeout=timeout)
        if self.pods[pod].gone:
            raise LandfastError(f"python3 in pod {namespace}/{pod}: container not found")
        return self.pods[pod].answer(argv[4:])

    def left(self) -> list[str]:
        """Return what is there beside MySQL's Service."""
        return [name for kind, _, name in self.objects if kind != "Service"]
