"""What a kind cluster is made from: images from where the user says, and a kept one if it fits."""

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEngine, FakeKube, refusal, result
from programs_on_path import Put

from landfast import paths
from landfast.cluster import built_images, kind_images
from landfast.cluster.base import Cluster, wait_for_nodes
from landfast.cluster.kind import Kind
from landfast.cluster.kind_provider import _kept, _Parts
from landfast.cluster.provider import Environment, save_environment
from landfast.errors import BadInput, LandfastError, Unreachable
from landfast.image_names import ImageName
from landfast.images import Images, registry_names
from landfast.kit.cache import Cache
from landfast.kit.programs import Programs
from landfast.machine.parts import Parts
from landfast.nfs.client import install_helper
from landfast.nfs.export import Export
from landfast.nfs.kernel_server import KernelServer
from landfast.progress import Progress
from landfast.run import RunRecord, new_record
from landfast.settings import load_settings

BASE = ImageName.parse(registry_names()["debian"])
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

    @pytest.mark.parametrize("part", ["node", "mysql", "nfs-server"])
    def test_the_kit_has_its_own_node_mysql_and_server(self, part: str) -> None:
        given = {f"{part}_image".replace("-", "_"): "r.example/mine:1"}
        with pytest.raises(BadInput, match=f"--{part}-image needs --images registry"):
            provide(FakeEngine(from_kit=True), **given)

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


def lacks(*parts: str) -> FakeEngine:
    """Return an engine that has every image but those whose names contain one of some words."""
    engine = FakeEngine()
    engine.answer("image_digest", with_="sha256:1")
    for part in parts:
        engine.answer("image_digest", part, with_=None)
    return engine


class TestTheNfsServersImage:
    """Public ones lack what chaos needs, so Landfast builds its own unless the user gives one."""

    OWN = built_images.nfs_server("linux/amd64")

    def test_it_is_built_from_debian_with_the_kits_packages(self) -> None:
        engine = lacks(self.OWN, str(BASE.tagged()))
        images = provide(engine)
        assert images.nfs_server == self.OWN
        assert engine.asked("pull_image") == [(str(BASE),)]
        assert engine.asked("tag_image") == [(str(BASE), str(BASE.tagged()))]
        ((tag, containerfile),) = engine.asked("build_image_from_text")
        assert tag == self.OWN
        assert "FROM ${BASE}" in containerfile

    def test_it_is_not_built_where_the_engine_has_it(self) -> None:
        engine = lacks(str(BASE.tagged()))
        assert provide(engine).nfs_server == self.OWN
        assert engine.asked("pull_image") == engine.asked("build_image_from_text") == []
        assert engine.asked("registry_refusal") == [], "an archive needs no registry"

    @pytest.mark.parametrize("has", [True, False])
    def test_a_mirror_may_have_it(self, has: bool) -> None:
        engine = lacks(self.OWN, str(BASE.tagged()))
        mirrored = f"m.example/{self.OWN}"
        engine.answer("registry_refusal", mirrored, with_=None if has else "denied")
        provide(engine, registry="m.example")
        assert bool(engine.asked("build_image_from_text")) is not has
        base = str(BASE.tagged()).replace("docker.io", "m.example")
        assert engine.asked("pull_image") == [(mirrored,)] if has else [(base,)]

    def test_without_a_mirror_nobody_is_asked_for_it(self) -> None:
        engine = lacks("landfast/", self.OWN)
        provide(engine)
        assert not any("landfast/" in name for (name,) in engine.asked("registry_refusal"))

    def test_the_users_own_is_pulled_like_the_others(self) -> None:
        engine = lacks("r.example/ganesha:9")
        images = provide(engine, nfs_server_image="r.example/ganesha:9")
        assert images.nfs_server == "r.example/ganesha:9"
        assert engine.asked("pull_image") == [("r.example/ganesha:9",)]
        assert engine.asked("build_image_from_text") == []

    @pytest.mark.parametrize(
        ("printed", "reason"),
        [
            (
                "#6 1.2 W: slow\n#6 9.86 E: Failed to fetch http://d/x  Could not resolve 'd'\n"
                "6.1 E: Some index files failed to download.\nERROR: failed to solve: exit code: 9",
                "Failed to fetch http://d/x  Could not resolve 'd'; if",
            ),
            ("Step 1/5\nThe command 'x' returned a non-zero code: 1\n", "a non-zero code: 1; if"),
            (
                "a warning\nERROR: BuildKit is enabled but buildx is missing.\n"
                "       Install it:\n       https://docs.docker.com/go/buildx/\n",
                ": ERROR: BuildKit is enabled but buildx is missing. Install it: https://docs.",
            ),
            ("", "docker said nothing; if"),
        ],
    )
    def test_a_failed_build_is_one_sentence_with_its_reason(
        self, printed: str, reason: str
    ) -> None:
        engine = lacks(self.OWN)
        engine.answer("build_image_from_text", with_=result(stderr=printed, code=1))
        with pytest.raises(BadInput) as caught:
            provide(engine)
        assert f"cannot be built on {BASE.tagged()}: " in str(caught.value)
        assert reason in str(caught.value)
        assert "--nfs-server-image" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_every_builder_can_read_its_containerfile(self) -> None:
        text = (paths.PROJECT / "landfast/nfs/Containerfile").read_text()
        code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert "--mount" not in code
        assert "<<" not in code
        assert "COPY" not in code, "it is built without a folder"

    def test_its_name_changes_with_the_platform(self) -> None:
        assert built_images.nfs_server("linux/arm64") != self.OWN


class TestTheMountHelper:
    @pytest.fixture
    def programs(self, tmp_path: Path, put: Put) -> Programs:
        put(
            "go",
            'if [ "$1" = version ]; then echo go version go99.1 linux/amd64; exit; fi\n'
            'while [ $# -gt 0 ]; do [ "$1" != -o ] || echo "$GOOS/$GOARCH" > "$2"; shift; done',
        )
        return Programs(Cache(tmp_path / "cache"), Progress())

    def test_it_is_compiled_for_the_engines_platform_and_put_into_an_image(
        self, programs: Programs, tmp_path: Path
    ) -> None:
        engine = FakeEngine()
        engine.answer("platform", with_="linux/arm64")
        helper = built_images.mount_helper(engine, programs, Progress(), tmp_path)
        assert helper == tmp_path / "mount.nfs"
        compiled = programs.path("mount.nfs", "linux/arm64")
        assert compiled.read_text() == "linux/arm64\n"
        image = built_images.nfs_client(programs, "linux/arm64")
        assert engine.asked("build_image")[0][0] == image
        assert engine.asked("create_container")[0][0] == image
        assert engine.asked("copy_out_of")[0][1:] == ("/mount.nfs", str(helper))
        made, gone = engine.asked("create_container"), engine.asked("remove_containers")
        assert len(gone) == 2 * len(made), "an old one before it, its own afterwards"

    def test_it_is_copied_out_of_an_image_that_the_engine_has(
        self, programs: Programs, tmp_path: Path
    ) -> None:
        engine = FakeEngine()
        engine.answer("image_digest", with_="sha256:1")
        built_images.mount_helper(engine, programs, Progress(), tmp_path)
        assert engine.asked("build_image") == []
        assert not (tmp_path / "cache").exists(), "nothing is compiled"
        assert len(engine.asked("copy_out_of")) == 1

    def test_programs_for_this_host_and_for_an_engine_do_not_replace_each_other(
        self, programs: Programs
    ) -> None:
        own, other = programs.path("mount.nfs"), programs.path("mount.nfs", "linux/arm64")
        assert own.exists()
        assert other.exists()

    @pytest.mark.parametrize(("client", "pulled"), [("auto", True), ("kernel", False)])
    def test_a_mirror_may_have_its_image(
        self, client: str, pulled: bool, programs: Programs
    ) -> None:
        name = built_images.nfs_client(programs, "linux/amd64")
        engine = lacks(name)
        provide(engine, registry="m.example", nfs_client=client)
        assert engine.asked("pull_image") == ([(f"m.example/{name}",)] if pulled else [])


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
            def __init__(self, _kubeconfig: Path, name: str, **_: object) -> None:
                self.name = name

            def server_version(self) -> str:
                if self.name in dead:
                    raise BadInput(dead[self.name])
                return "v1.37.0"

        monkeypatch.setattr("landfast.cluster.base.Kube", Server)
        return dead

    def keep(
        self,
        run_id: str,
        *,
        images: Images = KIT,
        client: str = "fuse",
        server: Parts | None = None,
    ) -> RunRecord:
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
            kernel_server=server,
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
        self.keep("3-machines", client="machine")
        self.keep("3-server", server=Parts(image="m", disk="d", system="s"))
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
    mounted = env.with_export(export.mounted_with(("nfsvers=4.1",)))
    machine = replace(FakeEngine(), machines=frozenset({"disk"}))
    other = mounted.served_by(KernelServer(machine, "disk", "10.0.0.6", "system"))
    assert other.inspector.where.endswith("container disk")
    assert other.engine is machine
    assert other.export.mount_options == ("nfsvers=4.1",)


def test_an_api_server_that_starts_anew_is_waited_for() -> None:
    """It refuses connections first, then whatever needs a right: it has not read the roles yet."""
    conditions = [{"type": "Ready", "status": "True"}]
    node = {"kind": "Node", "metadata": {"name": "a"}, "status": {"conditions": conditions}}
    kube = FakeKube(node)
    answers: list[LandfastError] = [refusal(403, "nodes is forbidden", "Forbidden"), Unreachable()]

    def answer(*_: str) -> None:
        if answers:
            raise answers.pop()

    kube.before["list"] = answer
    assert [found["metadata"]["name"] for found in wait_for_nodes(kube, 1, timeout=60)] == ["a"]
