"""The public images: pinned to what kind and kube-controller-manager themselves ask for."""

import json
import re
from pathlib import Path

import pytest
import yaml

from landfast import paths, process
from landfast.image_names import ImageName
from landfast.images import recycler, registry_names
from landfast.kit.programs import GO_MODULE, kubernetes_version, versions

NO_GO = "Go is not installed: it finds the sources that these names are compared with"


def go(*arguments: str, **env: str) -> str:
    """Return what Go prints in the kit's module; skip the test where there is no Go."""
    program = process.find_program("go")
    if program is None:
        pytest.skip(NO_GO)
    done = process.run([program, *arguments], timeout=120, env=env, cwd=GO_MODULE, check=False)
    return done.stdout


def test_the_node_is_the_one_that_the_pinned_kind_makes_clusters_of() -> None:
    module = json.loads(go("mod", "download", "-json", f"sigs.k8s.io/kind@v{versions()['kind']}"))
    assert "Dir" in module, module
    source = Path(module["Dir"], "pkg/apis/config/defaults/image.go").read_text()
    (image,) = re.findall(r'^const Image = "(.*)"$', source, re.MULTILINE)
    assert str(ImageName.parse(image)) == registry_names()["node"]


def test_the_node_is_of_the_kits_minor_version() -> None:
    minor = kubernetes_version().rpartition(".")[0]
    assert ImageName.parse(registry_names()["node"]).tag.startswith(f"v{minor}.")


def test_the_kits_kubernetes_asks_for_the_recycler_that_the_table_has() -> None:
    found = go("list", "-m", "-json", "k8s.io/kubernetes", GOPROXY="off", GOFLAGS="-mod=mod")
    folder = json.loads(found or "{}").get("Dir")
    if not folder or not Path(folder).is_dir():
        pytest.skip("Go's module cache does not have k8s.io/kubernetes; `nox -s kit` fills it")
    source = Path(folder, "pkg/volume/plugins.go").read_text()
    assert f'"{recycler(kubernetes_version())}"' in source


@pytest.mark.parametrize(("part", "name"), registry_names().items())
def test_every_name_is_full_and_pinned(part: str, name: str) -> None:
    parsed = ImageName.parse(name)
    assert str(parsed) == name, "it names its registry"
    assert parsed.tag
    pinned = re.fullmatch(r"sha256:[0-9a-f]{64}", parsed.digest)
    assert bool(pinned) == (part != "recycler"), "Kubernetes asks for that one by its tag"


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("v1.27.3", "v2.0.0"),
        ("1.28.15", "v2.0.0"),
        ("v1.29.0", "bookworm-v1.0.0"),
        ("v1.30.14-gke.100", "bookworm-v1.0.3"),
        ("v1.31.13", "bookworm-v1.0.3"),
        ("v1.31.14+k3s1", "bookworm-v1.0.6"),
        ("v1.33.0", "bookworm-v1.0.4"),
        ("v1.37.2", "bookworm-v1.0.6"),
        ("v1.99.0", "bookworm-v1.0.6"),
        ("latest", "bookworm-v1.0.6"),
        ("", "bookworm-v1.0.6"),
        ("v1.20.0", "v2.0.0"),
    ],
)
def test_recycler_of_a_version(version: str, tag: str) -> None:
    assert ImageName.parse(recycler(version)).tag == tag


def test_the_table_of_recyclers_is_in_order() -> None:
    releases = list(yaml.safe_load(paths.IMAGES_FILE.read_text())["recyclers"])
    assert releases == sorted(releases, key=lambda r: [int(part) for part in r.split(".")])


def test_the_readme_names_the_kind_that_a_host_without_internet_needs() -> None:
    readme = (paths.PROJECT / "README.md").read_text()
    assert f"needs kind {versions()['kind']} on PATH" in readme
