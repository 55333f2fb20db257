"""What a kind cluster is made from: images from where the user says, and a kept one if it fits."""

from pathlib import Path

import pytest
from fakes import FakeEngine

from landfast import paths
from landfast.cluster import kind_images
from landfast.cluster.base import Cluster
from landfast.cluster.kind import Kind
from landfast.cluster.kind_provider import _kept, _Parts
from landfast.cluster.provider import Environment, save_environment
from landfast.errors import BadInput
from landfast.images import Images
from landfast.nfs.client import install_helper
from landfast.nfs.export import Export
from landfast.progress import Progress
from landfast.run import RunRecord, new_record
from landfast.settings import load_settings

KIT = Images("kit", *(f"landfast/{part}:1" for part in ("node", "nfs", "prov", "db", "box", "rec")))


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(kind_images, "build_kit", lambda *_: KIT)  # ten minutes of compilers


def provide(engine: FakeEngine, **settings: object) -> Images:
    return kind_images.provide(load_settings(settings), engine, Progress())


class TestImages:
    @pytest.mark.parametrize(
        ("from_kit", "settings", "source"),
        [
            (True, {}, "kit"),
            (False, {}, "registry"),
            (False, {"images": "kit"}, "kit"),
            (True, {"images": "registry"}, "registry"),
            (True, {"registry": "mirror.example"}, "registry"),
        ],
    )
    def test_they_come_from_where_the_user_says_else_from_where_the_engine_does(
        self, from_kit: bool, settings: dict[str, str], source: str
    ) -> None:
        engine = FakeEngine(from_kit=from_kit)
        assert provide(engine, **settings).source == source
        assert bool(engine.asked("pull_image")) == (source == "registry")

    def test_what_the_engine_has_is_not_pulled(self) -> None:
        engine = FakeEngine()
        engine.answer("image_digest", with_="sha256:1")
        provide(engine, images="registry")
        assert engine.asked("pull_image") == []

    @pytest.mark.parametrize("part", ["node", "mysql"])
    def test_the_kit_has_its_own_node_and_mysql(self, part: str) -> None:
        with pytest.raises(BadInput, match=f"--{part}-image needs --images registry"):
            provide(FakeEngine(from_kit=True), **{f"{part}_image": "r.example/mine:1"})

    def test_a_provisioner_of_the_users_own_replaces_the_kits_and_is_loaded(self) -> None:
        engine = FakeEngine(from_kit=True)
        images = provide(engine, provisioner_image="r.example/prov:2")
        assert (images.provisioner, images.mysql) == ("r.example/prov:2", KIT.mysql)
        assert engine.asked("pull_image") == [("r.example/prov:2",)]
        assert kind_images.not_in_nodes(images) == ["r.example/prov:2"]

    def test_only_the_kits_node_has_the_workloads_images(self) -> None:
        assert kind_images.not_in_nodes(KIT) == []
        pulled = provide(FakeEngine())
        assert kind_images.not_in_nodes(pulled) == pulled.workloads()


def test_the_mount_helper_replaces_both_names_that_mount_looks_for(tmp_path: Path) -> None:
    engine = FakeEngine()
    install_helper(engine, "n1", tmp_path)
    assert [call[0] for call in engine.calls] == ["execute", "copy_into"] * 2
    assert [call[-1] for call in engine.asked("copy_into")] == [
        "/usr/sbin/mount.nfs",
        "/usr/sbin/mount.nfs4",
    ]


class TestKept:
    """`--keep` uses the newest kept cluster that was made from the same parts and answers."""

    @pytest.fixture(autouse=True)
    def api(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """The API servers that do not answer, by the name of their clusters."""
        dead: dict[str, str] = {}

        class Server:
            def __init__(self, _kubeconfig: Path, name: str) -> None:
                self.name = name

            def server_version(self) -> str:
                if self.name in dead:
                    raise BadInput(dead[self.name])
                return "v1.37.0"

        monkeypatch.setattr("landfast.cluster.base.Kube", Server)
        return dead

    def keep(self, run_id: str, *, images: Images = KIT, client: str = "fuse") -> RunRecord:
        record = new_record(run_id=run_id)
        record.complete = record.kept = True
        record.save()
        cluster = Cluster(
            provider="kind", name=run_id, kubeconfig=Path("k"), context=run_id, nodes=("n1",)
        )
        export = Export(server="10.0.0.5", path="/data", kind="container", container="nfs")
        env = Environment(
            run_id=run_id,
            cluster=cluster,
            export=export,
            images=images,
            nfs_client=client,
            engine=FakeEngine(),
        )
        save_environment(record, env)
        return record

    def used(self, engine: FakeEngine) -> str | None:
        parts = _Parts(Kind(engine, Path("kind")), KIT, "fuse", None, 3306)
        found = _kept(parts, Progress())
        return found[0].run_id if found else None

    def test_without_one_a_new_one_is_made(self) -> None:
        assert self.used(FakeEngine()) is None

    def test_the_newest_that_was_made_from_the_same_parts_is_used(self) -> None:
        self.keep("1-old")
        self.keep("2-same")
        self.keep("3-other-client", client="kernel")
        self.keep("4-other-images", images=Images("registry", *"abcdef"))
        new_record(run_id="5-not-kept")
        unfinished = new_record(run_id="6-unfinished")
        unfinished.kept = True
        unfinished.save()
        assert self.used(FakeEngine()) == "2-same"

    def test_one_that_does_not_answer_is_removed(self, api: dict[str, str]) -> None:
        self.keep("1-answers")
        dead = self.keep("2-dead")
        api["2-dead"] = "the API server cannot be reached"
        engine = FakeEngine()
        assert self.used(engine) == "1-answers"
        assert not dead.folder.exists()
        assert ("landfast.run=2-dead",) in engine.asked("containers")


def test_environment_with_another_export_looks_at_that_one() -> None:
    cluster = Cluster(provider="kind", name="c", kubeconfig=Path("k"), context="c", nodes=("n1",))
    export = Export(server="10.0.0.5", path="/data", kind="container", container="nfs")
    env = Environment(
        run_id="1",
        cluster=cluster,
        export=export,
        images=KIT,
        nfs_client="fuse",
        engine=FakeEngine(),
    )
    assert env.inspector.where.endswith("container nfs")
    other = env.model_copy(update={"export": export.model_copy(update={"container": "disk"})})
    assert other.inspector.where.endswith("container disk")
