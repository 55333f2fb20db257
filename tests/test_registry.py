"""Image names: what a mirror, a digest and an override make of them; what is missing is named."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from landfast import registry
from landfast.errors import BadInput
from landfast.images import registry_names
from landfast.process import ProcessError
from landfast.registry import Source


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("mysql:8.4", "docker.io/library/mysql:8.4"),
        ("kindest/node:v1", "docker.io/kindest/node:v1"),
        ("registry.example/mysql", "registry.example/mysql"),
        ("localhost/mysql", "localhost/mysql"),
        ("box:5000/mysql:1", "box:5000/mysql:1"),
    ],
)
def test_full_names_are_dockers(name: str, full: str) -> None:
    assert registry.canonical(name) == full


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("a.b/mysql:8.4", "a.b/mysql:8.4"),
        ("a.b:5000/mysql:8@sha256:0123456789abcdef", "a.b:5000/mysql:8"),
        ("a.b:5000/mysql@sha256:0123456789abcdef", "a.b:5000/mysql:0123456789ab"),
    ],
)
def test_an_image_of_a_digest_gets_a_tag(name: str, tag: str) -> None:
    assert registry.without_digest(name) == tag


@pytest.mark.parametrize(
    ("name", "loopback"),
    [
        ("127.0.0.1:5000/a", True),
        ("127.1.2.3/a", True),
        ("localhost:5000/a", True),
        ("[::1]:5000/a", True),
        ("10.0.0.1:5000/a", False),
        ("mirror.example/a", False),
    ],
)
def test_loopback_is_recognised(name: str, loopback: bool) -> None:
    assert registry.is_loopback(name) is loopback


class TestSources:
    def test_without_a_mirror_images_come_from_their_own_registries(self) -> None:
        found = registry.sources(None, {})
        assert {part: source.pull for part, source in found.items()} == registry_names()
        assert all(source.name == source.pull for source in found.values())
        assert registry.as_images(found).source == "registry"

    def test_a_mirror_replaces_only_the_host(self) -> None:
        found = registry.sources("m.example:5000/hub/", {})
        assert found["mysql"].pull == "m.example:5000/hub/library/mysql:8.4"
        assert found["recycler"].pull.startswith("m.example:5000/hub/build-image/")
        assert found["mysql"].name == "docker.io/library/mysql:8.4", "pods know this name"

    def test_an_override_that_names_its_registry_is_not_mirrored(self) -> None:
        given = {"node": "own.example/node:v1@sha256:" + "0" * 64, "mysql": "mysql:8.0"}
        found = registry.sources("m.example", given)
        assert found["node"] == Source("own.example/node:v1", given["node"])
        assert found["mysql"].pull == "m.example/library/mysql:8.0"


class FakeEngine:
    """Has some images, and knows how the registry answers for others."""

    def __init__(self, there: set[str], answers: Mapping[str, str | None]) -> None:
        self.there = there
        self.answers = answers
        self.calls: list[tuple[str, ...]] = []

    def image_digest(self, image: str) -> str | None:
        return "sha256:0" if image in self.there else None

    def docker(self, *arguments: str, **_: Any) -> Any:
        self.calls.append(arguments)
        error = self.answers.get(arguments[-1])
        if error == "slow":
            raise ProcessError(["docker"], "did not end within 20 s", "")
        return SimpleNamespace(returncode=1 if error is not None else 0, stderr=error or "")


def check(there: set[str], answers: Mapping[str, str | None]) -> list[Source]:
    engine: Any = FakeEngine(there, answers)
    found = {name: Source(f"full/{name}", f"m/{name}") for name in ("a", "b", "c")}
    return registry.check(engine, found)


class TestCheck:
    def test_what_the_engine_has_needs_no_registry(self) -> None:
        assert check({"full/a", "full/b", "full/c"}, {"m/a": "manifest unknown"}) == []

    def test_what_it_has_not_is_to_be_pulled(self) -> None:
        assert check({"full/b"}, {}) == [Source("full/a", "m/a"), Source("full/c", "m/c")]

    def test_all_missing_ones_are_named_at_once(self) -> None:
        with pytest.raises(BadInput, match=r"there is no m/a, no m/c in the registry; take "):
            check(set(), {"m/a": "no such manifest: m/a", "m/c": "manifest unknown"})

    @pytest.mark.parametrize("error", ["connection refused", "slow", ""])
    def test_a_registry_that_does_not_answer_is_said(self, error: str) -> None:
        with pytest.raises(BadInput, match=r"no registry answers for m/a, m/b \("):
            check({"full/c"}, {"m/a": error, "m/b": error})


def test_an_insecure_registry_is_asked_on_loopback_only() -> None:
    engine: Any = FakeEngine(set(), {})
    registry.check(engine, {"a": Source("a", "127.0.0.1:5000/a"), "b": Source("b", "m.example/b")})
    assert ("manifest", "inspect", "--insecure", "127.0.0.1:5000/a") in engine.calls
    assert ("manifest", "inspect", "m.example/b") in engine.calls


def test_pulled_images_get_the_names_that_pods_ask_for() -> None:
    engine: Any = FakeEngine(set(), {})
    registry.pull(engine, [Source("full/a", "m/a"), Source("b", "b")])
    assert ("tag", "m/a", "full/a") in engine.calls
    assert [call[0] for call in engine.calls].count("tag") == 1


def test_images_are_saved_once_and_loaded_into_every_node() -> None:
    engine: Any = FakeEngine(set(), {})
    registry.load_into_nodes(engine, ["a", "b"], ["n1", "n2"])
    assert [call[0] for call in engine.calls].count("save") == 1
    assert {call[2] for call in engine.calls if call[0] == "exec"} == {"n1", "n2"}
