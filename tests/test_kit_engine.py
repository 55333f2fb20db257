"""Which Docker engine a run uses, and when the kit starts one of its own."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from programs_on_path import Put, calls, docker

from landfast import paths, process, timeouts
from landfast.errors import BadInput
from landfast.kit import debian
from landfast.kit import engine as engines
from landfast.process import ProcessError
from landfast.progress import Progress


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(paths, "engine_runtime", lambda: tmp_path / "runtime")
    monkeypatch.setattr(engines, "_INOTIFY", tmp_path / "max_user_instances")
    (tmp_path / "max_user_instances").write_text("128\n")
    monkeypatch.delenv("DOCKER_HOST", raising=False)


TUNNEL = "tcp://127.0.0.1:2375"


@pytest.fixture
def put_docker(put: Put, tmp_path: Path) -> Put:
    """Return a function that puts a `docker` on PATH for the engines that answer.

    "host" answers without DOCKER_HOST, "kit" at the kit's socket, "other" at TUNNEL.
    """

    def put_docker(*engines: str, **said: Any) -> None:
        hosts = {"host": "''", "kit": f"unix://{tmp_path}/runtime/docker.sock", "other": TUNNEL}
        known = [f"version:{hosts.get(name, name)}) name={name} ;;" for name in engines]
        which = ['case "$1:$DOCKER_HOST" in', *known, "version:*) exit 1 ;;", "esac"]
        put("docker", "\n".join([*which, f'({docker(**said)}) | sed "s|28.2.2|$name|"']))

    return put_docker


@pytest.mark.parametrize(
    ("answer", "asked", "found"),
    [
        (["host", "kit"], None, "host"),
        (["kit"], None, "kit"),
        ([], None, None),
        (["host", "kit", "other"], TUNNEL, "other"),
        (["host", "kit"], "unix://{}/runtime/docker.sock", "kit"),
        (["host"], "unix://{}/runtime/docker.sock", None),
    ],
)
def test_the_hosts_own_engine_comes_first_unless_another_is_asked_for(
    put_docker: Put,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: list[str],
    asked: str | None,
    found: str | None,
) -> None:
    put_docker(*answer)
    if asked is not None:
        monkeypatch.setenv("DOCKER_HOST", asked.format(tmp_path))
    engine = engines.find()
    assert (engine.version if engine else None) == found
    assert engine is None or engine.from_kit == (found == "kit")


def test_no_other_engine_is_tried_than_the_one_that_was_asked_for(
    put_docker: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_docker("host", "kit")
    monkeypatch.setenv("DOCKER_HOST", "tcp://remote")
    with pytest.raises(BadInput, match="no Docker engine answers at DOCKER_HOST=tcp://remote"):
        engines.find()


@pytest.mark.parametrize("endpoint", ["ssh://me@build", "tcp://10.0.0.7:2376", "tcp://docker:2375"])
def test_an_engine_on_another_machine_is_refused(
    put_docker: Put, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    put_docker(endpoint)
    monkeypatch.setenv("DOCKER_HOST", endpoint)
    with pytest.raises(
        BadInput, match=rf"on another machine \({endpoint}\), .* run Landfast on th"
    ):
        engines.find()


def test_a_rootless_engine_is_refused(put_docker: Put) -> None:
    put_docker("host", options=["name=rootless"])
    with pytest.raises(BadInput, match=r"is rootless, and NFS can .* use an engine that runs as"):
        engines.find()


def test_an_engine_that_the_user_may_not_use_says_how(put: Put) -> None:
    said = "permission denied while trying to connect to the docker API at unix:///d.sock"
    put("docker", f"[ $1 != version ] || {{ echo '{said}' >&2; exit 1; }}\n{docker()}")
    with pytest.raises(BadInput, match="runs, but not for you: add your user to the group docker"):
        engines.find()


def test_podman_is_refused_as_a_program_and_as_an_engine(put_docker: Put) -> None:
    put_docker("host", cli="podman version 5.4.2")
    with pytest.raises(BadInput, match=r"^the program `docker` is not Docker's, .* does not supp"):
        engines.find()
    put_docker("host", component="Podman Engine")
    with pytest.raises(BadInput, match=r"^the engine behind `docker` is podman, .* does not supp"):
        engines.find()


def test_an_engine_that_runs_is_taken_as_it_is(put_docker: Put, tmp_path: Path) -> None:
    put_docker("host")
    assert engines.ensure(Progress()).version == "host"
    assert not (tmp_path / "cache").exists()


def test_where_none_can_be_started_the_user_reads_why(
    put_docker: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_docker()
    monkeypatch.setattr(debian, "KEYRING", Path("/nonexistent"))
    with pytest.raises(BadInput, match="cannot start one here: this host is not Debian"):
        engines.ensure(Progress())


class TestStart:
    @pytest.fixture
    def debian_host(self, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
        """A Debian host without an engine, whose packages bring nothing; return `put`."""
        monkeypatch.setattr(debian, "KEYRING", tmp_path)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        put("apt-get", "[ $1 != indextargets ] || echo 'http://mirror.example main Debian'")
        for name in ("runc", "containerd", "iptables"):
            put(name)
        put("docker", f"[ $1 != version ] || [ -e {tmp_path}/up ] || exit 1\n{docker()}")
        put("dockerd", f"touch {tmp_path}/up")
        return put

    def test_the_kits_engine_is_installed_and_answers(
        self, debian_host: Put, tmp_path: Path
    ) -> None:
        socket = tmp_path / "runtime" / "docker.sock"
        (tmp_path / "runtime").mkdir()
        (tmp_path / "runtime" / "dockerd.pid").write_text("1")  # of an engine that was killed
        engine = engines.ensure(Progress())
        assert (engine.version, engine.from_kit) == ("28.2.2", True)
        assert engine.env["DOCKER_HOST"] == f"unix://{socket}"
        (started,) = [call for call in calls(tmp_path) if call.startswith("dockerd")]
        assert f"--host unix://{socket} " in started
        assert not (tmp_path / "runtime" / "dockerd.pid").exists()
        assert (tmp_path / "max_user_instances").read_text() == "1024"

    def test_a_larger_limit_of_the_host_stays(self, debian_host: Put, tmp_path: Path) -> None:
        (tmp_path / "max_user_instances").write_text("8192\n")
        engines.ensure(Progress())
        assert (tmp_path / "max_user_instances").read_text() == "8192\n"

    def test_what_an_engine_needs_is_installed_where_it_is_missing(
        self, debian_host: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "_HOST_PACKAGES", ["runc", "no-such-program"])
        engines.ensure(Progress())
        installed = [call for call in calls(tmp_path) if call.startswith("apt-get install")]
        assert [call.split()[-2:] for call in installed] == [["runc", "no-such-program"]]


class TestStop:
    @pytest.fixture
    def pid_file(self, tmp_path: Path) -> Path:
        (tmp_path / "runtime").mkdir()
        return tmp_path / "runtime" / "dockerd.pid"

    @pytest.mark.parametrize("content", [None, "", "not a number", str(2**22)])
    def test_what_does_not_run_is_not_stopped(self, pid_file: Path, content: str | None) -> None:
        if content is not None:
            pid_file.write_text(content)
        assert not engines.stop()

    def test_another_program_under_the_old_id_is_left_alone(self, pid_file: Path) -> None:
        with subprocess.Popen(["sleep", "60"]) as other:
            pid_file.write_text(str(other.pid))
            assert not engines.stop()
            assert process.start_time(other.pid) is not None
            other.kill()

    @pytest.mark.parametrize("ends", [True, False])
    def test_an_engine_is_asked_to_end_and_waited_for(
        self, pid_file: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
    ) -> None:
        monkeypatch.setattr(timeouts, "ENGINE_START", 20 if ends else 0.2)
        script = f"trap {'exit' if ends else 'true'} TERM; echo; while :; do sleep 0.1; done"
        argv = ["sh", "-c", script, "dockerd", str(pid_file)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as engine:
            assert engine.stdout is not None
            engine.stdout.readline()  # from now on it handles the signal
            pid_file.write_text(str(engine.pid))
            if ends:
                assert engines.stop()
            else:
                with pytest.raises(ProcessError, match=rf"process {engine.pid}\) does not end"):
                    engines.stop()
            engine.kill()


def test_where_docker_is_not_on_path_the_sentence_says_so(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "KEYRING", Path("/nonexistent"))
    monkeypatch.setattr(process, "find_program", lambda *_: None)
    with pytest.raises(BadInput, match="not Debian .*. The program `docker`, .*is not on PATH$"):
        engines.ensure(Progress())
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    with pytest.raises(BadInput, match="start it, or unset .*. The program `docker`, .* on PATH$"):
        engines.ensure(Progress())
