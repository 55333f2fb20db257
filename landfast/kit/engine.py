"""The Docker engine: the one that runs, or one that the kit installs and starts."""

import json
import os
import signal
from pathlib import Path

from landfast import paths, process
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.kit import debian
from landfast.kit.cache import Cache, digest
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.waiting import wait_until

# Debian 12's own engine cannot start privileged containers where CAP_SYS_RESOURCE is missing.
_SUITE, _PACKAGES = "trixie", ["docker.io", "docker-cli"]
_HOST_PACKAGES = ["runc", "containerd", "iptables"]
# Docker's own pools lie where company networks often do; these are seldom used.
_BRIDGE, _POOL = "10.213.0.1/24", "base=10.214.0.0/16,size=24"
_START_SECONDS = 60
_PAUSE_SECONDS = 10
# Every node's kubelet and containerd watch files: at the kernel's default of 128, the ninth node
# does not start.
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_INSTANCES = 1024


def _socket() -> Path:
    return paths.engine_runtime() / "docker.sock"


def _pid_file() -> Path:
    return paths.engine_runtime() / "dockerd.pid"


def log_file() -> Path:
    """The log of the kit's engine."""
    return paths.cache() / "engine" / "dockerd.log"


def _tools() -> Path | None:
    return next(iter(sorted(paths.cache().glob("docker-*/usr"))), None)


def _own_env() -> dict[str, str]:
    tools = _tools()
    extra = f":{tools / 'sbin'}:{tools / 'bin'}" if tools else ""
    return {
        "DOCKER_HOST": f"unix://{_socket()}",
        "DOCKER_BUILDKIT": "0",  # the classic builder is part of the engine, BuildKit is a plug-in
        "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin" + extra,
    }


def _answers(env: dict[str, str]) -> str | None:
    if process.find_program("docker", env) is None:
        return None
    found = process.run(
        ["docker", "version", "--format", "{{json .Server.Version}}"],
        timeout=20,
        check=False,
        env=env,
    )
    return json.loads(found.stdout) if found.returncode == 0 else None


def find() -> Engine | None:
    """Give the engine that runs: the host's own (as `docker` finds it), else the kit's.

    Raises:
        BadInput: DOCKER_HOST names an engine that does not answer; no other is taken in its place.
    """
    own = _own_env()
    asked = os.environ.get("DOCKER_HOST")
    by_hand = asked == own["DOCKER_HOST"]  # somebody looks into the kit's
    for env in [own] if by_hand else [{}] if asked else [{}, own]:
        if version := _answers(env):
            return Engine(version, env, from_kit=bool(env))
    if asked and not by_hand:
        raise BadInput(
            f"DOCKER_HOST is {asked}, and no Docker engine answers there: start it, or unset "
            "DOCKER_HOST"
        )
    return None


def ensure(progress: Progress) -> Engine:
    """Give a running engine; install and start one where there is none.

    The caller holds the kit's lock.

    Raises:
        BadInput: no engine runs, and this host is not one where the kit can start one.
    """
    if engine := find():
        return engine
    if reason := debian.refusal():
        raise BadInput(f"no Docker engine answers, and none can be started here: {reason}")
    with progress.phase("Docker engine"):
        missing = [name for name in ("runc", "containerd", "iptables") if not _has(name)]
        if missing:
            debian.install(*_HOST_PACKAGES)
        Cache(paths.cache()).artifact(
            "docker",
            digest(_SUITE, *_PACKAGES),
            lambda target: debian.unpack(_SUITE, _PACKAGES, target),
        )
        return _start()


def _has(program: str) -> bool:
    return process.find_program(program) is not None


def _start() -> Engine:
    runtime, data = paths.engine_runtime(), paths.cache() / "engine"
    if int(_INOTIFY.read_text()) < _INOTIFY_INSTANCES:
        _INOTIFY.write_text(str(_INOTIFY_INSTANCES))
    runtime.mkdir(parents=True, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    _pid_file().unlink(missing_ok=True)  # nothing answers: what it names is dead or another program
    env = _own_env()
    process.start_daemon(
        [
            *["dockerd", "--host", f"unix://{_socket()}", "--pidfile", str(_pid_file())],
            *["--data-root", str(data / "data"), "--exec-root", str(runtime / "exec")],
            *["--bip", _BRIDGE, "--default-address-pool", _POOL],
        ],
        log=log_file(),
        env={**env, "DOCKER_HOST": ""},
    )
    wait_until(
        f"the Docker engine to answer (its log: {log_file()})",
        lambda: _answers(env),
        timeout=_START_SECONDS,
        interval=0.5,
    )
    version = _answers(env)
    assert version is not None  # noqa: S101 - it has just answered
    return Engine(version, env, from_kit=True)


def stop() -> bool:
    """Stop the kit's engine and the containers in it; give whether one ran. Never the host's own.

    Raises:
        ProcessError: it does not end.
    """
    try:
        pid = int(_pid_file().read_text())
        program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return False
    if str(_pid_file()).encode() not in program:
        return False
    os.kill(pid, signal.SIGTERM)
    try:
        wait_until("the engine to end", lambda: process.start_time(pid) is None, timeout=60)
    except AssertionError as error:
        raise ProcessError(["dockerd"], f"(process {pid}) does not end", "") from error
    return True
