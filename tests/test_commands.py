"""What the commands say and how they end, on a host whose programs answer as a test says."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import die
from programs_on_path import Put, calls, docker

from landfast import cli, doctor, paths
from landfast.doctor import HostCheck
from landfast.images import Images
from landfast.run import new_record

Invoke = Callable[..., tuple[int, str]]
ENGINE = docker('container) [ "$2" = ls ] ;;')


@pytest.fixture
def invoke(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    put: Put,
) -> Invoke:
    """Return a function that runs a command where a Docker engine answers and holds nothing."""
    put("docker", ENGINE)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(paths, "engine_runtime", lambda: tmp_path / "runtime")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["landfast", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out + said.err

    return invoke


def left_behind(run_id: str, *, kept: bool) -> None:
    record = new_record(run_id=run_id)
    record.complete, record.kept = True, kept
    record.save()
    die(record)


class TestRemoval:
    def test_nothing_to_remove_is_said(self, invoke: Invoke) -> None:
        assert invoke("cleanup") == (0, "nothing to remove\n")
        assert invoke("down") == (0, "nothing to remove\n")

    @pytest.mark.parametrize(("command", "removed"), [("cleanup", ["1"]), ("down", ["1", "2"])])
    def test_only_down_removes_kept_clusters(
        self, invoke: Invoke, command: str, removed: list[str]
    ) -> None:
        left_behind("1", kept=False)
        left_behind("2", kept=True)
        code, said = invoke(command)
        assert (code, said.splitlines()[-1]) == (
            0,
            f"removed {len(removed)} run(s): {', '.join(removed)}",
        )

    def test_an_engine_that_does_not_run_is_not_an_error(self, invoke: Invoke) -> None:
        assert invoke("down", "--engine") == (
            0,
            "nothing to remove\nthe kit's engine is not running\n",
        )


def test_heal_says_that_there_was_nothing_to_heal(invoke: Invoke) -> None:
    assert invoke("heal") == (0, "no run left a fault behind\n")


def test_kit_names_each_image_that_it_has(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    images = Images("kit", *(f"landfast/{n}:1" for n in ("node", "nfs", "prov", "db", "box", "r")))
    monkeypatch.setattr(cli, "build_kit", lambda *_, **__: images)  # ten minutes of compilers
    code, said = invoke("kit")
    assert code == 0
    assert [line.split() for line in said.splitlines()] == [
        [part, image] for part, image in images.all().items()
    ]


@pytest.mark.parametrize(
    ("ok", "mark", "code"), [(True, "ok", 0), (None, "--", 0), (False, "!!", 4)]
)
def test_doctor_fails_only_where_a_run_would(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, ok: bool | None, mark: str, code: int
) -> None:
    checks = [HostCheck("memory", "[8 GiB]", True), HostCheck("disk", "[1 GiB]", ok)]
    monkeypatch.setattr(doctor, "examine", lambda: checks)
    found, said = invoke("doctor")
    assert found == code
    assert [line.split() for line in said.splitlines()][1:3] == [
        ["ok", "memory", "[8", "GiB]"],
        [mark, "disk", "[1", "GiB]"],
    ]
    assert ("see the lines marked !!" in said) == bool(code)


class TestUp:
    @pytest.fixture
    def brought_up(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """The settings of each environment; it has the engine that `from_kit` says."""
        seen: list[Any] = []

        @contextlib.contextmanager
        def environment(settings: Any, _progress: object) -> Iterator[Any]:
            seen.append(settings)
            yield SimpleNamespace(
                cluster=SimpleNamespace(name="landfast-1", kubeconfig=Path("/k")),
                export=SimpleNamespace(server="10.0.0.5", path="/data", container="nfs"),
                engine=SimpleNamespace(from_kit=True, env={"DOCKER_HOST": "unix:///own"}),
            )

        monkeypatch.setattr(cli, "environment", environment)
        return seen

    def test_it_keeps_the_cluster_and_says_how_to_look_inside(
        self, invoke: Invoke, brought_up: list[Any]
    ) -> None:
        code, said = invoke("up")
        assert code == 0
        assert [settings.keep for settings in brought_up] == [True]
        for line in ("kubectl --kubeconfig /k ", "10.0.0.5:/data", "DOCKER_HOST=unix:///own"):
            assert line in said

    @pytest.mark.parametrize("where", ["flag", "variable"])
    def test_an_existing_cluster_is_up_already(
        self,
        invoke: Invoke,
        brought_up: list[Any],
        monkeypatch: pytest.MonkeyPatch,
        where: str,
    ) -> None:
        if where == "variable":
            for name, value in (("CLUSTER", "existing"), ("CONTEXT", "x"), ("NFS_SERVER", "h:/p")):
                monkeypatch.setenv(f"LANDFAST_{name}", value)
        code, said = invoke("up", *(["--cluster", "existing"] if where == "flag" else []))
        assert code == 4
        assert "an existing cluster is already up" in said
        assert brought_up == []


@pytest.mark.parametrize(
    ("name", "flags", "expected"),
    [
        ("conformance", {}, ["-n auto --dist loadgroup"]),
        ("conformance", {"processes": "3"}, ["-n 3 --dist loadgroup"]),
        ("conformance", {"processes": "0"}, []),
        ("smoke", {}, []),
        ("chaos", {"scenario": "pod-delete"}, ["--scenario=pod-delete"]),
        ("smoke", {"keep": True}, ["--keep"]),
        ("conformance", {"processes": "0", "select": "dynamic"}, ["-k dynamic"]),
        ("smoke", {"fail_fast": True}, ["-x"]),
        ("smoke", {"mount_options": ["ro", "a=1,b"]}, ["--mount-options=ro --mount-options=a=1,b"]),
    ],
)
def test_a_suite_s_flags_become_pytests(
    name: str, flags: dict[str, Any], expected: list[str]
) -> None:
    arguments = cli.pytest_arguments(name, flags, ["--co"])
    said = " ".join(arguments)
    assert all(part in said for part in expected)
    assert ("--dist" in said) == any("--dist" in part for part in expected)
    assert arguments[-2:] == ["--co", str(paths.SUITES / name)]


def test_the_engine_is_asked_for_nothing_where_nothing_is_left(
    invoke: Invoke, tmp_path: Path
) -> None:
    invoke("cleanup")
    assert calls(tmp_path) == []


def test_job_prints_what_kubectl_applies_and_touches_nothing(
    invoke: Invoke, tmp_path: Path
) -> None:
    code, said = invoke("job", "--storage-class", "fast-nfs", "smoke")
    assert code == 0
    assert "kind: Job\n" in said
    assert not calls(tmp_path)
    assert invoke("job", "--storage-class", "fast-nfs", "audit")[0] == 4
