"""The kit's sources: recipes fit together, and a key changes with what it names."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from landfast import paths, timeouts
from landfast.cluster.kind import cluster_config
from landfast.docker import Engine
from landfast.engine_host import EngineHost
from landfast.errors import BadInput
from landfast.kit import build, images, kernel, programs
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder, needed, recipes
from landfast.nfs.client import choose
from landfast.progress import Progress


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Copy the kit's sources, for a test to change."""
    copy = tmp_path / "kit"
    shutil.copytree(paths.KIT, copy, symlinks=True)
    monkeypatch.setattr(programs, "GO_MODULE", copy / "go")
    monkeypatch.setattr(images, "_FOLDER", copy / "images")
    monkeypatch.setattr(paths, "KIT", copy)
    cached = (recipes, programs.versions, programs.kubernetes_version)
    for function in cached:
        function.cache_clear()
    yield copy
    for function in cached:
        function.cache_clear()


def keys() -> dict[str, str]:
    builder = ImageBuilder(Engine("none"), Cache(Path("/nonexistent")), Progress())
    found = {f"image {name}": builder.key(name) for name in recipes()}
    for recipe in recipes().values():
        found |= {name: builder.programs.key(name) for name in recipe.programs}
    return found


def changed(before: dict[str, str]) -> set[str]:
    after = keys()
    assert set(before) == set(after)
    return {name for name in after if after[name] != before[name]}


def append(path: Path, text: str = "\n// changed\n") -> None:
    path.write_text(path.read_text() + text)


def test_a_changed_program_changes_its_key_and_that_of_its_image(kit: Path) -> None:
    before = keys()
    append(kit / "go" / "cmd" / "podnet" / "main.go")
    assert changed(before) == {"podnet", "image podnet"}


def test_a_changed_module_changes_every_program(kit: Path) -> None:
    before = keys()
    append(kit / "go" / "go.sum")
    assert {"kube", "pause", "podnet", "nfs-provisioner", "mount.nfs"} <= changed(before)
    assert "image mysql" not in changed(before)


def test_the_csi_drivers_module_changes_nothing_that_every_kit_has(kit: Path) -> None:
    before = keys()
    append(kit / "csi" / "go.sum")
    csi = {"nfs-csi", "csi-provisioner", "csi-resizer"}
    assert changed(before) == csi | {f"image {name}" for name in csi}
    assert csi | {"landfast", "machine", "kernel-nfs-server"} == set(recipes()) - set(needed())


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_built_on_demand_belongs_to_the_whole_kit(
    whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built: list[str] = []
    monkeypatch.setattr(ImageBuilder, "all", lambda _: None)
    monkeypatch.setattr(ImageBuilder, "image", lambda _, name: built.append(name))
    monkeypatch.setattr(programs.Programs, "kind", lambda _: None)
    monkeypatch.setattr(build, "free_gib", lambda _: 100)
    build.build_kit(Engine("none"), Progress(), whole=whole)
    assert sorted(built) == (["csi-provisioner", "csi-resizer", "nfs-csi"] if whole else [])


def test_whether_an_image_is_always_built_is_no_part_of_its_key(kit: Path) -> None:
    before = keys()
    path = kit / "images" / "images.yaml"
    path.write_text(
        path.read_text().replace("{programs: [pause]}", "{programs: [pause], on_demand: true}")
    )
    recipes.cache_clear()
    assert "pause" not in needed()
    assert changed(before) == set()


def test_a_changed_mount_helper_changes_itself_and_the_node(kit: Path) -> None:
    before = keys()
    append(next((kit / "go" / "cmd" / "mount.nfs" / "internal").rglob("*.go")))
    assert changed(before) == {"mount.nfs", "image node"}


def test_a_changed_kernel_changes_itself_and_the_machine(kit: Path) -> None:
    before = keys()
    append(kit / "linux" / "config", "# CONFIG_QUOTA is not set\n")
    assert changed(before) == {"linux", "image machine"}
    before = keys()
    append(kit / "go" / "cmd" / "machine" / "init.go")
    assert changed(before) == {"machine", "image machine"}


def test_a_changed_dockerfile_or_file_changes_its_image_alone(kit: Path) -> None:
    before = keys()
    append(kit / "images" / "busybox" / "Dockerfile", "# changed\n")
    append(kit / "images" / "mysql" / "files" / "usr/local/bin/docker-entrypoint", "# changed\n")
    assert changed(before) == {"image busybox", "image mysql"}


def test_a_changed_list_of_packages_changes_its_image_alone(kit: Path) -> None:
    before = keys()
    path = kit / "images" / "images.yaml"
    path.write_text(path.read_text().replace("faketime]", "faketime, acl]", 1))
    recipes.cache_clear()
    assert changed(before) == {"image nfs-server"}


def test_the_kubernetes_version_stands_in_go_mod(kit: Path) -> None:
    assert re.fullmatch(r"1\.\d+\.\d+", programs.kubernetes_version())
    path = kit / "go" / "go.mod"
    path.write_text(
        re.sub(r"k8s\.io/kubernetes v\S+", "k8s.io/kubernetes v1.99.7", path.read_text())
    )
    programs.kubernetes_version.cache_clear()
    assert programs.kubernetes_version() == "1.99.7"


def test_a_go_mod_without_kubernetes_is_one_sentence(kit: Path) -> None:
    (kit / "go" / "go.mod").write_text("module landfast/kit\n")
    programs.kubernetes_version.cache_clear()
    with pytest.raises(BadInput, match="does not require k8s.io/kubernetes$"):
        programs.kubernetes_version()


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_has_its_parts(name: str) -> None:
    recipe = recipes()[name]
    folder = paths.KIT / "images" / name
    dockerfile = (folder / "Dockerfile").read_text()
    assert dockerfile.startswith(("#", "FROM"))
    assert "FROM scratch" in dockerfile, "the kit pulls nothing"
    assert ("rootfs.tar" in dockerfile) == (recipe.rootfs is not None)
    assert ("COPY files/" in dockerfile) == (folder / "files").is_dir()
    for program in {*recipe.programs} - {kernel.NAME}:
        module, package = programs.source(program)
        assert (module / package).is_dir() or f"\t{package}\n" in (module / "go.mod").read_text()
        assert "bin/" in dockerfile
    assert recipe.fallback is None or recipe.fallback in recipes()
    if recipe.rootfs is not None:
        assert recipe.rootfs.names() == sorted(
            set(recipe.rootfs.names()), key=recipe.rootfs.names().index
        )


def test_every_folder_of_an_image_has_a_recipe() -> None:
    folders = {path.name for path in (paths.KIT / "images").iterdir() if path.is_dir()}
    assert folders == set(recipes())


@pytest.mark.parametrize("version", [(1, 35), (1, 32)])
def test_kubeadm_before_1_36_gets_its_arguments_as_a_map(version: tuple[int, int]) -> None:
    (patch,) = cluster_config(version, 3306, 2)["kubeadmConfigPatches"]
    arguments = yaml.safe_load(patch)["controllerManager"]["extraArgs"]
    assert arguments == {"kube-api-qps": "500", "kube-api-burst": "1000", "leader-elect": "false"}


@pytest.mark.parametrize("version", [(1, 36), (1, 37), None])
def test_kubeadm_from_1_36_on_gets_its_arguments_as_a_list(
    version: tuple[int, int] | None,
) -> None:
    patch, *_ = cluster_config(version, 3306, 2)["kubeadmConfigPatches"]
    arguments = yaml.safe_load(patch)["controllerManager"]["extraArgs"]
    assert {"name": "kube-api-burst", "value": "1000"} in arguments
    assert len(arguments) == 3


def test_patience_stretches_the_limits_of_kubeadm(monkeypatch: pytest.MonkeyPatch) -> None:
    def limits() -> list[str]:
        patches = map(yaml.safe_load, cluster_config((1, 37), 3306, 2)["kubeadmConfigPatches"])
        return [patch["timeouts"]["kubernetesAPICall"] for patch in patches if "timeouts" in patch]

    monkeypatch.setattr(timeouts, "_factor", 1.0)
    assert limits() == ["60s", "60s"]
    monkeypatch.setattr(timeouts, "_factor", 2.5)
    assert limits() == ["150s", "150s"]


def test_the_cluster_is_reached_through_loopback_only() -> None:
    config = cluster_config((1, 37), 43210, 2)
    assert config["networking"]["apiServerAddress"] == "127.0.0.1"
    roles = [node["role"] for node in config["nodes"]]
    assert roles == ["control-plane", "worker", "worker"]
    (port,) = config["nodes"][0]["extraPortMappings"]
    assert (port["listenAddress"], port["hostPort"], port["containerPort"]) == (
        "127.0.0.1",
        43210,
        30306,
    )


@pytest.mark.parametrize(
    ("asked", "kernel", "chosen"),
    [
        ("auto", True, "kernel"),
        ("auto", False, "fuse"),
        ("fuse", True, "fuse"),
        ("fuse", False, "fuse"),
        ("kernel", True, "kernel"),
    ],
)
def test_the_kernels_nfs_client_is_used_where_there_is_one(
    asked: str, kernel: bool, chosen: str
) -> None:
    assert choose(asked, EngineHost(kernel, True, 9.0, 0.0)) == chosen  # type: ignore[arg-type]


def test_a_missing_kernel_client_is_bad_input() -> None:
    with pytest.raises(BadInput, match="load the module nfsv4 there, or "):
        choose("kernel", EngineHost(False, True, 9.0, 0.0))


def test_a_missing_dev_fuse_is_bad_input() -> None:
    with pytest.raises(BadInput, match="has no /dev/fuse, .*: run `modprobe fuse` there"):
        choose("auto", EngineHost(False, False, 9.0, 0.0))
