"""A Docker engine and a Kubernetes API that exist in memory and record what they are asked."""

import builtins
import copy
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from landfast.docker import ContainerState, Engine
from landfast.kube.client import Kube, KubeError, Object
from landfast.process import ProcessError, Result

RUNNING = ContainerState("running", 0, "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 1)


def result(stdout: str = "", stderr: str = "", code: int = 0) -> Result:
    """Return what a program did that printed this."""
    return Result((), code, stdout, stderr, 0.0)


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
    "state": RUNNING,
    **dict.fromkeys(("containers", "volumes", "networks", "images"), ()),
    **dict.fromkeys(("logs", "label_of", "image_of", "address"), ""),
}


def _recorded(method: str) -> Callable[..., Any]:
    def call(self: FakeEngine, *arguments: object, **options: Any) -> Any:
        default = copy.copy(_DEFAULTS.get(method))
        found = self._take((method, *map(str, arguments)), default)
        if isinstance(found, Result) and found.returncode and options.get("check", True):
            raise ProcessError([method, *map(str, arguments)], "failed", found.stdout, found.stderr)
        return list(found) if isinstance(found, tuple) else found

    return call


for _name, _value in list(vars(Engine).items()):
    if callable(_value) and not _name.startswith("_"):
        setattr(FakeEngine, _name, _recorded(_name))


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
        self.objects: dict[tuple[str, str | None, str], Object] = {}
        self.verbs: list[tuple[str, str, str]] = []
        self.before: dict[str, Callable[[str, str], None]] = {}
        self.log = ""
        self.executed: list[tuple[str, ...]] = []
        self._uids = itertools.count(1)
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
        """Return the requests that change something."""
        return [asked for asked in self.verbs if asked[0] not in ("get", "list", "logs")]

    def _ask(self, verb: str, kind: str, name: str) -> None:
        self.verbs.append((verb, kind, name))
        if verb in self.before:
            self.before[verb](kind, name)

    def _there(self, kind: str, name: str, namespace: str | None) -> Object:
        found = self.objects.get((kind, namespace, name)) or self.objects.get((kind, None, name))
        if found is None:
            raise refusal(404, f'{kind} "{name}" not found', "NotFound")
        return found

    def server_version(self) -> str:
        return "v1.37.0"

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        self._ask("get", kind, name)
        return copy.deepcopy(self._there(kind, name, namespace))

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> builtins.list[Object]:
        self._ask("list", kind, "")
        return [
            copy.deepcopy(obj)
            for (known, space, _), obj in self.objects.items()
            if known == kind
            and namespace in (None, space)
            and _selects(labels, lambda key, o=obj: o["metadata"].get("labels", {}).get(key))  # type: ignore[misc]
            and _selects(fields, lambda key, o=obj: _at(o, key))  # type: ignore[misc]
        ]

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        meta = obj["metadata"]
        self._ask("create", obj["kind"], meta.get("name", ""))
        if (obj["kind"], meta.get("namespace"), meta["name"]) in self.objects:
            raise refusal(409, f'{obj["kind"]} "{meta["name"]}" already exists', "AlreadyExists")
        return copy.deepcopy(obj if dry_run else self.put(obj))

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> Object:
        self._ask("patch", kind, name)
        found = self._there(kind, name, namespace)
        _merge(found, body)
        return copy.deepcopy(found)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_seconds: int | None = None,
        propagation: str = "Background",
    ) -> bool:
        self._ask("delete", kind, name)
        try:
            found = self._there(kind, name, namespace)
        except KubeError:
            return False
        if found["metadata"].get("finalizers"):
            found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        else:
            self.objects = {key: obj for key, obj in self.objects.items() if obj is not found}
        return True

    def evict(self, pod: str, namespace: str) -> None:
        self._ask("evict", "Pod", pod)
        if not self.delete("Pod", pod, namespace):
            raise refusal(404, f'Pod "{pod}" not found', "NotFound")

    def logs(
        self, namespace: str, pod: str, *, previous: bool = False, tail_lines: int = 200
    ) -> str:
        self._ask("logs", "Pod", pod)
        return "" if previous else self.log

    def execute(self, namespace: str, pod: str, argv: Sequence[str], *, timeout: int = 60) -> str:
        self._ask("execute", "Pod", pod)
        self.executed.append((pod, *argv))
        return ""


def _at(obj: Object, path: str) -> str | None:
    found: Any = obj
    for key in path.split("."):
        found = (found or {}).get(key)
    return None if found is None else str(found)


def _selects(selector: str, value: Callable[[str], str | None]) -> bool:
    """Whether an object's values meet a selector: `KEY` or `KEY=VALUE`, separated by commas."""
    for term in filter(None, selector.split(",")):
        key, equals, wanted = term.partition("=")
        found = value(key)
        if found is None or (equals and found != wanted):
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
