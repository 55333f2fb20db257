"""A cluster of others: its node notes what is run on it."""

from collections.abc import Callable, Sequence
from typing import Any

from fakes import FakeKube

from landfast.errors import LandfastError

Object = dict[str, Any]
RUN = "1126-1-abcd"
HANDS = f"landfast-{RUN}-node"
_READY = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}


class Node(FakeKube):
    """A cluster whose pods are Ready at once, and whose node notes what is run on it."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(*objects)
        self.ran: list[tuple[str, ...]] = []
        self.answer: Callable[[tuple[str, ...]], str] = lambda _: ""

    def _on_create(self, asked: Any, **options: Any) -> Object:
        made = super()._on_create(asked, **options)
        if asked.kind == "Namespace":
            account = {"name": "default", "namespace": asked.name}
            self.put({"kind": "ServiceAccount", "metadata": account})
        if asked.kind == "Pod":
            self.put({**made, "status": _READY})
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
        entered = "nsenter" in argv
        asked = tuple(argv)[argv.index("-c") + 3 :] if entered else tuple(argv)
        self.ran.append(asked)
        return self.answer(asked)

    def scripts(self) -> str:
        """Return all that was run, as a text to look for words in."""
        return "\n".join(" ".join(words) for words in self.ran)


def refuse(*words: str) -> Callable[[tuple[str, ...]], str]:
    """Return an answer that is an error to whatever has these words."""

    def answer(asked: tuple[str, ...]) -> str:
        if all(word in " ".join(asked) for word in words):
            raise LandfastError(f"{words[0]} is refused")
        return ""

    return answer
