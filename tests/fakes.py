"""A Docker engine and a Kubernetes API that exist in memory and record what they are asked."""

import builtins
import copy
import itertools
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from landfast import run
from landfast.cluster.fence import FencedKube
from landfast.docker import ContainerState, Engine
from landfast.docker_images import ImageStore
from landfast.kube import Kube, KubeError, Object, Request
from landfast.process import ProcessError, Result
from landfast.run import RunRecord, new_record, records

RUNNING = ContainerState("running", 0, "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z")


def result(stdout: str = "", stderr: str = "", code: int = 0) -> Result:
    """Return what a program did that printed this."""
    return Result(code, stdout, stderr)


@dataclass(frozen=True)
class FakeEngine(Engine):
    """Records the calls of every typed method; answers as `answer` was told.

    `calls` has a tuple for each: the method's name and its positional arguments as text.
    """

    version: str = "fake"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    answers: list[tuple[tuple[str, ...], list[Any]]] = field(default_factory=list)

    def answer(self, *call: str, with_: Any) -> None:
        """Answer calls that begin with these words; of several answers, the newest that matches.

        A list holds successive answers, of which the last one stays. An error is raised, a function
        is called without arguments.
        """
        self.answers.insert(0, (call, with_ if isinstance(with_, list) else [with_]))

    def asked(self, method: str) -> list[tuple[str, ...]]:
        """Return the arguments of each call of a method."""
        return [call[1:] for call in self.calls if call[0] == method]

    def _take(self, call: tuple[str, ...], default: Any) -> Any:
        self.calls.append(call)
        for words, found in self.answers:
            if call[: len(words)] == words:
                answer = found.pop(0) if len(found) > 1 else found[0]
                if isinstance(answer, BaseException):
                    raise answer
                return answer() if callable(answer) else answer
        return default


_DEFAULTS: dict[str, Any] = {
    "execute": result(),
    "run_once": result(),
    "build_image_from_text": result(),
    "platform": "linux/amd64",
    "state": RUNNING,
    **dict.fromkeys(("containers", "volumes", "networks", "images"), ()),
    **dict.fromkeys(("logs", "label_of", "image_of", "address", "identity"), ""),
}


def _recorded(method: str) -> Callable[..., Any]:
    def call(self: FakeEngine, *arguments: object, **options: Any) -> Any:
        default = copy.copy(_DEFAULTS.get(method))
        found = self._take((method, *map(str, arguments)), default)
        if isinstance(found, Result) and found.returncode and options.get("check", True):
            raise ProcessError([method, *map(str, arguments)], "failed", found.stdout, found.stderr)
        return list(found) if isinstance(found, tuple) else found

    return call


for _name, _value in [*vars(ImageStore).items(), *vars(Engine).items()]:
    if callable(_value) and not _name.startswith("_"):
        setattr(FakeEngine, _name, _recorded(_name))


def die(record: RunRecord) -> None:
    """Let the process of a run be gone: the kernel frees its lock."""
    run._held.pop(record.folder).release()


def record(run_id: str = "r1", *, dead: bool = False, **fields: Any) -> RunRecord:
    """Return the record of a run of this process, or of one that is gone."""
    made = new_record(run_id=run_id)
    saved = made.model_copy(update={"complete": True, **fields})
    saved.save()
    if dead:
        die(saved)
    return saved


def left() -> list[str]:
    return [known.run_id for known in records()]


def refusal(code: int, message: str, reason: str = "") -> KubeError:
    """Return the error of an API server that refuses a request."""
    body = json.dumps({"reason": reason, "message": message})
    return KubeError("request", SimpleNamespace(body=body, status=code, reason=reason))


class FakeKube(Kube):
    """Holds raw objects in memory; `verbs` has (verb, kind, name) of each request.

    `before` maps a verb to a function that is called with (kind, name) before it is obeyed: it may
    raise a refusal, or change the objects as a controller would. Deleted objects go at once, unless
    they have finalizers.
    """

    def __init__(self, *objects: Object) -> None:
        self.host = "fake"
        self._guards = ()
        self.objects: dict[tuple[str, str | None, str], Object] = {}
        self.verbs: list[tuple[str, str, str]] = []
        self.before: dict[str, Callable[[str, str], None]] = {}
        self.log = ""
        self.executed: list[tuple[str, ...]] = []
        self.output = ""
        self._uids = itertools.count(1)
        self._one_at_a_time = threading.RLock()
        for obj in objects:
            self.put(obj)

    def put(self, obj: Object) -> Object:
        """Add an object, or replace the one of its name, without a request."""
        kept = copy.deepcopy(obj)
        meta = kept["metadata"]
        meta.setdefault("uid", f"uid-{next(self._uids)}")
        self.objects[kept["kind"], meta.get("namespace"), meta["name"]] = kept
        return kept

    def changes(self) -> builtins.list[tuple[str, str, str]]:
        """Return the requests that change something, or reach into a pod."""
        return [asked for asked in self.verbs if asked[0] not in ("get", "list", "logs")]

    def server_version(self) -> str:
        return "v1.37.0"

    def _take(self, request: Request) -> Request:
        request = self._admit(request)
        self.verbs.append((request.verb, request.kind, request.name))
        if request.verb in self.before:
            self.before[request.verb](request.kind, request.name)
        return request

    def _request(self, request: Request, **arguments: Any) -> Any:
        taken = self._take(request)  # not under the lock: a guard may wait for another thread
        with self._one_at_a_time:
            answer = getattr(self, f"_on_{taken.verb}")(taken, **arguments)
            copied = copy.deepcopy(answer)
        return SimpleNamespace(to_dict=lambda: copied)

    def _there(self, asked: Request) -> Object:
        places = (asked.namespace, None)
        found = [self.objects.get((asked.kind, place, asked.name)) for place in places]
        obj = found[0] or found[1]
        if obj is None:
            raise refusal(404, f'{asked.kind} "{asked.name}" not found', "NotFound")
        return obj

    def _on_get(self, asked: Request) -> Object:
        return self._there(asked)

    def _on_list(self, asked: Request) -> Object:
        items = [
            obj
            for (kind, namespace, _), obj in self.objects.items()
            if kind == asked.kind
            and asked.namespace in (None, namespace)
            and _selects(asked.labels, lambda key, o=obj: _labels(o).get(key))  # type: ignore[misc]
            and _selects(asked.fields, lambda key, o=obj: _at(o, key))  # type: ignore[misc]
        ]
        return {"items": items}

    def _on_create(self, asked: Request, **_: Any) -> Object:
        assert asked.body is not None
        if (asked.kind, asked.namespace, asked.name) in self.objects:
            raise refusal(409, f'{asked.kind} "{asked.name}" already exists', "AlreadyExists")
        return asked.body if asked.dry_run else self.put(asked.body)

    def _on_patch(self, asked: Request, **_: Any) -> Object:
        found = self._there(asked)
        if asked.dry_run:
            found = copy.deepcopy(found)
        _merge(found, asked.body or {})
        return found

    def _on_delete(self, asked: Request) -> Object:
        found = self._there(asked)
        if asked.dry_run:
            return found
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        else:
            self.objects = {key: obj for key, obj in self.objects.items() if obj is not found}
        return found

    _on_evict = _on_delete

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        previous: bool = False,
        tail_lines: int = 200,
    ) -> str:
        self._take(Request("logs", "Pod", pod, namespace))
        return "" if previous else self.log

    def execute(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        *,
        container: str | None = None,
        timeout: int = 60,
    ) -> str:
        self._take(Request("execute", "Pod", pod, namespace))
        self.executed.append((pod, *argv) if container is None else (pod, container, *argv))
        return self.output

    def forward(self, namespace: str, pod: str, port: int) -> Any:
        self._take(Request("forward", "Pod", pod, namespace))


class FakeFencedKube(FencedKube, FakeKube):
    """A cluster in memory behind the fence of a run."""

    def __init__(self, run_id: str, *objects: Object, default_classes: bool = False) -> None:
        FakeKube.__init__(self, *objects)
        self.run_id = run_id
        self._default_classes = default_classes
        self._guards = (self._refuse_foreign,)


def _labels(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _at(obj: Object, path: str) -> str | None:
    found: Any = obj
    for key in path.split("."):
        found = (found or {}).get(key)
    return None if found is None else str(found)


def _selects(selector: str, value: Callable[[str], str | None]) -> bool:
    """Whether an object meets a selector: `KEY`, `KEY=VALUE` or `KEY!=VALUE`, with commas."""
    for term in filter(None, selector.split(",")):
        key, equals, wanted = term.partition("=")
        found = value(key.removesuffix("!"))
        if key.endswith("!"):
            if found == wanted:
                return False
        elif found is None or (equals and found != wanted):
            return False
    return True


def _merge(target: Object, body: Object) -> None:
    """Change an object by a JSON merge patch (RFC 7396)."""
    for key, value in body.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = copy.deepcopy(value)
