"""Throw-away stacks of a test are removed after it, whatever became of it."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeKube

from fixtures import stacks
from landfast.images import Images
from landfast.nfs.export import Export
from landfast.stack import Stack


class Maker:
    """The fixture `new_stack` of one test, on a cluster in memory; `removed` has what went."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kube = FakeKube()
        self.folders: list[str] = []
        self.removed: list[str] = []
        self.together = threading.Barrier(2, timeout=10)
        monkeypatch.setattr(Stack, "remove", self._remove)
        env = SimpleNamespace(
            cluster=SimpleNamespace(kube=self.kube, owned=True),
            export=Export(server="10.0.0.1", path="/", kind="external"),
            images=Images("kit", *[""] * 6),
            inspector=SimpleNamespace(make_folder=self.folders.append),
            run_id="r",
            subtree="",
            suffix="",
            namespace="default",
        )
        self.judgement = SimpleNamespace(stacks=[])
        request = SimpleNamespace(node=SimpleNamespace(name="test_A pod's [x]"))
        make: Any = stacks.new_stack
        self.fixture: Iterator[Any] = make.__wrapped__(env, self.judgement, [], request)
        self.new = next(self.fixture)

    def _remove(self, stack: Stack) -> None:
        self.together.wait()
        self.removed.append(stack.namespace)

    def end(self) -> None:
        with pytest.raises(StopIteration):
            next(self.fixture)


def test_every_stack_that_was_made_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker(monkeypatch)
    made = [maker.new(), maker.new()]
    names = {stack.namespace for stack in made}
    assert all(name.startswith("landfast-a-pod-s-x-") for name in names)
    assert {name for _, _, name in maker.kube.objects} == names
    assert len(set(maker.folders)) == 2
    assert maker.judgement.stacks == made
    assert maker.removed == []
    maker.end()  # side by side: each waits for the other
    assert set(maker.removed) == names


def test_a_stack_that_was_made_by_half_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker(monkeypatch)
    maker.together = threading.Barrier(1)

    def refuse(*_: str) -> None:
        raise RuntimeError("refused")

    maker.kube.before["create"] = refuse
    with pytest.raises(RuntimeError):
        maker.new()
    maker.end()
    assert len(maker.removed) == 1


def test_what_cannot_be_removed_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker(monkeypatch)
    maker.together = threading.Barrier(1)
    maker.new()
    maker.together.abort()
    with pytest.raises(threading.BrokenBarrierError):
        next(maker.fixture)


def test_without_a_stack_nothing_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker(monkeypatch)
    maker.end()
    assert maker.removed == []
