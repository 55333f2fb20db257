"""Image names: what a mirror, a digest and an override make of them; what is missing is named."""

from collections.abc import Mapping

import pytest
from fakes import FakeEngine

from landfast import registry
from landfast.errors import BadInput
from landfast.image_names import ImageName, names_registry
from landfast.images import registry_names
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
    assert str(ImageName.parse(name)) == full


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("a.b/mysql:8.4", "a.b/mysql:8.4"),
        ("a.b:5000/mysql:8@sha256:0123456789abcdef", "a.b:5000/mysql:8"),
        ("a.b:5000/mysql@sha256:0123456789abcdef", "a.b:5000/mysql:0123456789ab"),
    ],
)
def test_an_image_of_a_digest_gets_a_tag(name: str, tag: str) -> None:
    assert str(ImageName.parse(name).tagged()) == tag


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
    assert ImageName.parse(name).is_loopback is loopback


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("mysql:8.4", (8, 4)),
        ("mysql:5.6.51-debian", (5, 6)),
        ("kindest/node:v1.37.2@sha256:0", (1, 37)),
        ("mysql:latest", None),
        ("mysql", None),
        ("a.b:5000/mysql", None),
        ("landfast/mysql:1a2b3c", None),
    ],
)
def test_the_version_of_an_image_is_its_tag(name: str, version: tuple[int, int] | None) -> None:
    assert ImageName.parse(name).version == version


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mysql:8", False), ("a/b:8@sha256:0", False), ("docker.io/a/b", True), ("h:5/m", True)],
)
def test_a_name_may_say_its_registry(name: str, expected: bool) -> None:
    assert names_registry(name) is expected


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


def check(there: set[str], answers: Mapping[str, str | None]) -> list[Source]:
    """Check three images of an engine that has some, with the registry's answers for others."""
    engine = FakeEngine()
    for image in there:
        engine.answer("image_digest", image, with_="sha256:0")
    for image, refusal in answers.items():
        engine.answer("registry_refusal", image, with_=refusal)
    found = {name: Source(f"full/{name}", f"m/{name}") for name in ("a", "b", "c")}
    return registry.check(engine, found)


class TestCheck:
    def test_what_the_engine_has_needs_no_registry(self) -> None:
        assert check({"full/a", "full/b", "full/c"}, {"m/a": "manifest unknown"}) == []

    def test_what_it_has_not_is_to_be_pulled(self) -> None:
        assert check({"full/b"}, {}) == [Source("full/a", "m/a"), Source("full/c", "m/c")]

    def test_all_missing_ones_are_named_at_once(self) -> None:
        with pytest.raises(BadInput, match=r"the registry does not have m/a, m/c; use "):
            check(set(), {"m/a": "", "m/c": ""})

    def test_a_registry_that_does_not_answer_is_named(self) -> None:
        with pytest.raises(BadInput, match=r"no registry answers for m/a, m/b \(refused\)"):
            check({"full/c"}, {"m/a": "refused", "m/b": "refused"})


@pytest.mark.parametrize(("image", "insecure"), [("127.0.0.1:5000/a", True), ("m.io/a", False)])
def test_only_a_registry_on_this_host_is_asked_without_tls(
    image: str, insecure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(
        FakeEngine, "registry_refusal", lambda _self, _image, *, insecure: asked.append(insecure)
    )
    registry.check(FakeEngine(), {"a": Source("a", image)})
    assert asked == [insecure]


def test_pulled_images_get_the_names_that_pods_ask_for() -> None:
    engine = FakeEngine()
    registry.pull(engine, [Source("full/a", "m/a"), Source("b", "b")])
    assert sorted(engine.asked("pull_image")) == [("b",), ("m/a",)]
    assert engine.asked("tag_image") == [("m/a", "full/a")]


def test_images_are_saved_once_and_loaded_into_every_node() -> None:
    engine = FakeEngine()
    registry.load_into_nodes(engine, ["a", "b"], ["n1", "n2"])
    assert len(engine.asked("save_images")) == 1
    assert {call[0] for call in engine.asked("execute")} == {"n1", "n2"}
