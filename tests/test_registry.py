"""Image names: what a mirror, a digest and an override make of them; what is missing is named."""

from collections.abc import Mapping

import pytest
from fakes import FakeEngine

from landfast import registry
from landfast.errors import BadInput, LandfastError
from landfast.image_names import ImageName, names_registry
from landfast.images import registry_names
from landfast.kit import debian
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
    def test_without_a_mirror_images_come_from_their_own_registries_by_digest(self) -> None:
        found = registry.sources(None, {})
        pulled = {part: source.pull for part, source in found.items()}
        assert {**pulled, "debian": registry.server_base(None).pull} == registry_names()
        for part, source in found.items():
            assert ("@sha256:" in source.pull) == (part != "recycler")
            assert source.name == source.pull.partition("@")[0], "pods and kind know this name"

    def test_a_mirror_replaces_the_host_and_is_asked_by_tag(self) -> None:
        found = registry.sources("m.example:5000/hub/", {})
        name = found["busybox"].name
        assert name.startswith("docker.io/library/busybox:"), "pods know this name"
        assert found["busybox"].pull == name.replace("docker.io", "m.example:5000/hub")
        assert found["recycler"].pull.startswith("m.example:5000/hub/build-image/")

    def test_a_digest_that_the_user_gives_holds_on_a_mirror_too(self) -> None:
        given = "mysql:8.0@sha256:" + "0" * 64
        found = registry.sources("m.example", {"mysql": given})
        assert found["mysql"].pull == f"m.example/library/{given}"

    @pytest.mark.parametrize(
        ("node", "kubernetes", "image"),
        [
            ("kindest/node:v1.28.15", "", "registry.k8s.io/debian-base:v2.0.0"),
            ("kindest/node:v1.30.1@sha256:0", "", "build-image/debian-base:bookworm-v1.0.2"),
            ("kindest/node:v1.34.11", "v1.29.3-eks-1", "build-image/debian-base:bookworm-v1.0.1"),
            ("mine:latest", "", "build-image/debian-base:bookworm-v1.0.6"),
        ],
    )
    def test_the_recycler_is_the_one_that_the_clusters_version_asks_for(
        self, node: str, kubernetes: str, image: str
    ) -> None:
        found = registry.sources(None, {"node": node}, kubernetes)
        assert found["recycler"].name.endswith(image)

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
    found = {name: Source(f"full/{name}", f"m.io/{name}") for name in ("a", "b", "c")}
    return registry.check(engine, [*found.values()])


class TestCheck:
    def test_what_the_engine_has_needs_no_registry(self) -> None:
        assert check({"full/a", "full/b", "full/c"}, {"m.io/a": "manifest unknown"}) == []

    def test_what_it_has_not_is_to_be_pulled(self) -> None:
        assert check({"full/b"}, {}) == [Source("full/a", "m.io/a"), Source("full/c", "m.io/c")]

    def test_all_missing_ones_are_named_at_once(self) -> None:
        with pytest.raises(BadInput, match=r"the registry does not have m.io/a, m.io/c; use "):
            check(set(), {"m.io/a": "", "m.io/c": ""})

    @pytest.mark.parametrize("builds", [True, False])
    def test_the_kit_is_advised_only_where_this_host_can_build_it(
        self, builds: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(debian, "refusal", lambda: None if builds else "needs root")
        with pytest.raises(BadInput) as caught:
            check(set(), {"m.io/a": ""})
        assert ("--images kit" in str(caught.value)) == builds
        assert "--registry HOST" in str(caught.value)

    def test_a_registry_that_does_not_answer_is_named(self) -> None:
        with pytest.raises(BadInput, match=r"no registry answers for m.io/a, m.io/b \(refused\)"):
            check({"full/c"}, {"m.io/a": "refused", "m.io/b": "refused"})


@pytest.mark.parametrize(("image", "insecure"), [("127.0.0.1:5000/a", True), ("m.io/a", False)])
def test_only_a_registry_on_this_host_is_asked_without_tls(
    image: str, insecure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(
        FakeEngine, "registry_refusal", lambda _self, _image, *, insecure: asked.append(insecure)
    )
    registry.check(FakeEngine(), [Source("a", image)])
    assert asked == [insecure]


def test_a_registry_is_asked_for_the_digest_not_for_a_tag_that_may_have_moved_on() -> None:
    engine = FakeEngine()
    registry.check(engine, [Source("r.io/a:1", f"r.io/a:1@sha256:{'0' * 64}")])
    assert engine.asked("registry_refusal") == [(f"r.io/a@sha256:{'0' * 64}",)]


def test_a_mirror_is_asked_for_what_landfast_builds() -> None:
    engine = FakeEngine()
    engine.answer("registry_refusal", "m.example/landfast/a:1", with_="")
    engine.answer("registry_refusal", "m.example/landfast/b:1", with_=None)
    engine.answer("registry_refusal", "m.example/landfast/c:1", with_="denied")
    names = {part: f"landfast/{part}:1" for part in "abc"}
    found = registry.on_mirror(engine, "m.example", names)
    assert found == {"b": Source("landfast/b:1", "m.example/landfast/b:1")}


def test_pulled_images_get_the_names_that_pods_ask_for() -> None:
    engine = FakeEngine()
    registry.pull(engine, [Source("full/a", "m/a"), Source("b", "b")])
    assert sorted(engine.asked("pull_image")) == [("b",), ("m/a",)]
    assert engine.asked("tag_image") == [("m/a", "full/a")]


def test_an_image_that_cannot_be_pulled_is_one_sentence() -> None:
    engine = FakeEngine()
    full = "a layer\nwrite /x: no space left on device\n"
    engine.answer("pull_image", with_=ProcessError(["docker", "pull"], "failed", "", full))
    with pytest.raises(LandfastError, match="^cannot pull m/a: write /x: no space left on device$"):
        registry.pull(engine, [Source("full/a", "m/a")])
    assert engine.asked("tag_image") == []


def test_images_are_saved_once_and_loaded_into_every_node() -> None:
    engine = FakeEngine()
    registry.load_into_nodes(engine, ["a", "b"], ["n1", "n2"])
    assert len(engine.asked("save_images")) == 1
    assert {call[0] for call in engine.asked("execute")} == {"n1", "n2"}
