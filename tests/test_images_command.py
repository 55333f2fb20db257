"""`landfast images`: the list, the archive, the mirror, and what can go wrong with each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, result

from landfast import images_command, paths
from landfast.cluster import built_images, kind_images
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.images import registry_names
from landfast.kit import engine as engines
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.settings import Settings, load_settings

HAS_NFS, HAS_NONE = result("kernel-nfs\nfuse\n99999999 0\n"), result("fuse\n99999999 0\n")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A host with an engine of its own that has every image; its kernel has NFS."""
    engine = FakeEngine()
    engine.answer("image_digest", with_="sha256:1")
    engine.answer("run_once", with_=HAS_NFS)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(engines, "find", lambda: engine)
    return engine


def settings(**given: Any) -> Settings:
    return load_settings(given)


def by_part(**given: Any) -> dict[str, images_command.Listed]:
    return {image.part: image for image in images_command.listed(settings(**given))}


class TestList:
    def test_it_says_where_each_image_comes_from_and_whether_it_is_there(
        self, engine: FakeEngine
    ) -> None:
        gone = registry_names()["mysql"].partition("@")[0]
        engine.answer("image_digest", gone, with_=None)
        found = by_part()
        assert set(found) == {
            *("node", "provisioner", "mysql", "busybox", "recycler", "nfs_server", "nfs_client")
        }
        assert found["mysql"] == images_command.Listed(
            "mysql", gone, registry_names()["mysql"], there=False
        )
        assert found["node"].there
        assert found["nfs_server"].origin == "built here"
        assert "if the engine's kernel has no NFS client" in found["nfs_client"].origin

    def test_it_changes_nothing(self, engine: FakeEngine, tmp_path: Path) -> None:
        by_part(registry="m.example")
        assert {call[0] for call in engine.calls} == {"image_digest", "platform"}
        assert not (tmp_path / "cache").exists()

    def test_options_change_it(self, engine: FakeEngine) -> None:
        found = by_part(
            registry="m.example",
            nfs_client="kernel",
            node_image="kindest/node:v1.28.15",
            nfs_server_image="r.example/ganesha:9",
        )
        assert found["node"].origin == "m.example/kindest/node:v1.28.15"
        assert found["recycler"].name == "registry.k8s.io/debian-base:v2.0.0"
        assert found["nfs_server"].origin == "r.example/ganesha:9"
        assert "nfs_client" not in found

    def test_a_mirror_may_have_what_is_built_otherwise(self, engine: FakeEngine) -> None:
        origin = by_part(registry="m.example")["nfs_server"].origin
        assert origin.startswith("m.example/landfast/nfs-ganesha:")
        assert origin.endswith(", or built here")

    @pytest.mark.parametrize("running", [True, False])
    def test_the_kits_images_are_known_before_they_are_built(
        self, engine: FakeEngine, running: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "find", lambda: engine if running else None)
        found = by_part(images="kit")
        assert {image.origin for image in found.values()} == {"the kit"}
        assert found["node"].name.startswith("landfast/kind-node:")
        assert all(image.there == running for image in found.values())

    def test_without_an_engine_it_is_for_this_hosts_platform(
        self, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "find", lambda: None)
        monkeypatch.setattr("platform.machine", lambda: "aarch64")
        found = by_part(images="registry")
        assert found["nfs_server"].name == built_images.nfs_server("linux/arm64")
        assert not found["node"].there


def put_archive(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Let the engine write archives; return the names that each was asked for."""
    saved: list[tuple[str, ...]] = []

    def save(_: Engine, archive: Path, *images: str) -> None:
        saved.append(images)
        archive.write_text("images")

    monkeypatch.setattr(FakeEngine, "save_images", save)
    return saved


class TestSave:
    @pytest.mark.parametrize(
        ("kernel", "client", "helper"),
        [
            (HAS_NFS, "auto", False),
            (HAS_NONE, "auto", True),
            (HAS_NFS, "fuse", True),
            (HAS_NONE, "kernel", False),
        ],
    )
    def test_one_archive_holds_what_a_run_with_these_options_needs(
        self,
        engine: FakeEngine,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        kernel: Any,
        client: str,
        helper: bool,
    ) -> None:
        saved = put_archive(engine, monkeypatch)
        engine.answer("run_once", with_=kernel)
        archive = tmp_path / "images.tar"
        images_command.save(settings(nfs_client=client), archive, Progress())
        assert archive.read_text() == "images"
        (names,) = saved
        used = kind_images.provide(settings(), engine, Progress())
        assert set(used.all().values()) <= set(names)
        assert any("landfast/nfs-client:" in name for name in names) == helper
        assert not any("@" in name for name in names), "an archive keeps tags"
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["images.tar"]

    @pytest.mark.parametrize("place", ["missing/images.tar", "folder"])
    def test_a_place_that_cannot_be_written_is_one_sentence_before_any_pull(
        self, engine: FakeEngine, tmp_path: Path, place: str
    ) -> None:
        (tmp_path / "folder").mkdir()
        with pytest.raises(BadInput, match=rf"^--save \S+{place} cannot be written: [^\n]+$"):
            images_command.save(settings(), tmp_path / place, Progress())
        assert engine.calls == []

    def test_a_full_disk_is_one_sentence_and_leaves_nothing(
        self, engine: FakeEngine, tmp_path: Path
    ) -> None:
        full = ProcessError(["docker", "save"], "failed", "", "write x: no space left on device")
        engine.answer("save_images", with_=full)
        target = tmp_path / "place"
        target.mkdir()
        with pytest.raises(BadInput, match="cannot be written: write x: no space left on device$"):
            images_command.save(settings(), target / "images.tar", Progress())
        assert list(target.iterdir()) == []


class TestPush:
    def test_a_mirror_gets_what_registry_looks_for(self, engine: FakeEngine) -> None:
        engine.answer("run_once", with_=HAS_NONE)
        images_command.push(settings(), "m.example:5000/hub", Progress())
        pushed = {name for (name,) in engine.asked("push_image")}
        wanted = by_part(registry="m.example:5000/hub", nfs_client="fuse")
        assert pushed == {image.origin.partition(",")[0] for image in wanted.values()}
        assert {target for _, target in engine.asked("tag_image")} == pushed

    @pytest.mark.parametrize("had", [True, False])
    def test_names_for_the_mirror_go_unless_they_were_there(
        self, engine: FakeEngine, had: bool
    ) -> None:
        for image in by_part(registry="m.example").values():
            there = "sha256:1" if had else None
            engine.answer("image_digest", image.origin.partition(",")[0], with_=there)
        images_command.push(settings(), "m.example", Progress())
        gone = engine.asked("remove_image")
        assert gone == ([] if had else engine.asked("push_image"))

    def test_a_mirror_that_does_not_answer_is_one_sentence(self, engine: FakeEngine) -> None:
        refused = ProcessError(["docker", "push"], "failed", "", "dial tcp: connection refused")
        engine.answer("push_image", with_=refused)
        with pytest.raises(BadInput) as caught:
            images_command.push(settings(), "m.example", Progress())
        assert str(caught.value).startswith("--push m.example does not take m.example/kindest/node")
        assert str(caught.value).endswith(": dial tcp: connection refused")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "act",
    [
        lambda folder: images_command.save(settings(images="kit"), folder / "a.tar", Progress()),
        lambda _: images_command.push(settings(images="kit"), "m.example", Progress()),
    ],
)
def test_the_kits_images_stay_where_they_are_built(
    engine: FakeEngine, tmp_path: Path, act: Callable[[Path], None]
) -> None:
    with pytest.raises(BadInput, match="needs --images registry"):
        act(tmp_path)
    assert engine.calls == []
    assert list(tmp_path.glob("*.tar")) == []
