"""Finds a running Docker engine, or installs and starts one."""

import json
import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from landfast import engine_host, paths, process, timeouts
from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.kit import debian
from landfast.kit.cache import Cache, digest
from landfast.loopback import is_loopback
from landfast.process import ProcessError, Result
from landfast.progress import Progress
from landfast.waiting import WaitTimeout, wait_until

# Debian 12's own engine cannot start privileged containers where CAP_SYS_RESOURCE is missing.
_SUITE, _PACKAGES = "trixie", ["docker.io", "docker-cli"]
_HOST_PACKAGES = ["runc", "containerd", "iptables"]
# Docker's default pools often collide with company networks; these are seldom used.
_BRIDGE, _POOL = "10.213.0.1/24", "base=10.214.0.0/16,size=24"
# Every node's kubelet and containerd watch files: with the kernel's default of 128 instances the
# ninth node does not start.
_INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
_INOTIFY_INSTANCES = 1024
_NOT_DOCKER = (
    "which Landfast does not support: install Docker Engine, or point DOCKER_HOST at one that runs"
)


def _socket() -> Path:
    return paths.engine_runtime() / "docker.sock"


def _pid_file() -> Path:
    return paths.engine_runtime() / "dockerd.pid"


def _log() -> Path:
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
    """Return the version of the engine that `docker` reaches with these variables, or None."""
    if process.find_program("docker", env) is None:
        return None
    found = _docker(env, "version", "--format", "{{json .Server}}")
    if "permission denied" in found.stderr.lower():
        raise BadInput(
            "the Docker engine runs, but not for you: add your user to the group docker "
            "(`sudo usermod -aG docker $USER`) and log in again, or run as root"
        )
    if found.returncode != 0:
        return None
    server = json.loads(found.stdout) or {}
    if any("podman" in part["Name"].lower() for part in server.get("Components") or ()):
        raise BadInput(f"the engine behind `docker` is podman, {_NOT_DOCKER}")
    return str(server["Version"])


def _docker(env: dict[str, str], *arguments: str) -> Result:
    return process.run(["docker", *arguments], timeout=timeouts.ANSWER, check=False, env=env)


def _refusal(engine: Engine) -> str | None:
    """Return why a run cannot work with an engine that answers, or None."""
    asked = _docker(engine.env, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    endpoint = asked.stdout.strip()
    scheme, host = urlsplit(endpoint).scheme, urlsplit(endpoint).hostname or ""
    if scheme in ("ssh", "tcp", "http", "https") and not is_loopback(host):
        return (
            f"the Docker engine is on another machine ({endpoint}), and so would be "
            "the cluster's ports, which it opens on its loopback only: run Landfast on that "
            "machine, or use --cluster existing"
        )
    if engine_host.facts(engine).rootless:
        return (
            "the Docker engine is rootless, and NFS can be neither served nor mounted in a user "
            "namespace: use an engine that runs as root (`docker context use default`)"
        )
    return None


def find() -> Engine | None:
    """Return the running engine: the host's own (as `docker` finds it), else the kit's, or None.

    Raises:
        BadInput: DOCKER_HOST names an engine that does not answer (no other is tried), or a run
            cannot work with the one that does: podman, rootless, on another machine.
    """
    own = _own_env()
    asked = os.environ.get("DOCKER_HOST")
    by_hand = asked == own["DOCKER_HOST"]  # the user looks into the kit's engine
    if process.find_program("docker", own) and not _docker(own, "-v").stdout.startswith("Docker"):
        raise BadInput(f"the program `docker` is not Docker's, {_NOT_DOCKER}")
    for env in [own] if by_hand else [{}] if asked else [{}, own]:
        if version := _answers(env):
            engine = Engine(version, env, from_kit=bool(env))
            if reason := _refusal(engine):
                raise BadInput(reason)
            return engine
    if asked and not by_hand:
        raise BadInput(
            f"no Docker engine answers at DOCKER_HOST={asked}: start it, or unset DOCKER_HOST"
            + _without_program()
        )
    return None


def _without_program() -> str:
    """Return what to add to a sentence where it is `docker` itself that is missing."""
    if process.find_program("docker", _own_env()) is not None:
        return ""
    return ". The program `docker`, with which Landfast asks an engine, is not on PATH"


def ensure(progress: Progress) -> Engine:
    """Return a running engine; install and start one if there is none.

    The caller holds the kit's lock.

    Raises:
        BadInput: no engine runs, and the kit cannot start one on this host.
    """
    if engine := find():
        return engine
    if reason := debian.refusal():
        raise BadInput(
            f"no Docker engine answers, and Landfast cannot start one here: {reason}"
            + _without_program()
        )
    with progress.phase("Docker engine"):
        if not all(map(process.find_program, _HOST_PACKAGES)):
            debian.install(*_HOST_PACKAGES)
        Cache(paths.cache()).artifact(
            "docker",
            digest(_SUITE, *_PACKAGES),
            lambda target: debian.unpack(_SUITE, _PACKAGES, target),
        )
        return _start()


def _start() -> Engine:
    runtime, data = paths.engine_runtime(), paths.cache() / "engine"
    if int(_INOTIFY.read_text()) < _INOTIFY_INSTANCES:
        _INOTIFY.write_text(str(_INOTIFY_INSTANCES))
    runtime.mkdir(parents=True, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    # no engine answers, so the file names a dead process or another program
    _pid_file().unlink(missing_ok=True)
    env = _own_env()
    process.start_daemon(
        [
            *["dockerd", "--host", f"unix://{_socket()}", "--pidfile", str(_pid_file())],
            *["--data-root", str(data / "data"), "--exec-root", str(runtime / "exec")],
            *["--bip", _BRIDGE, "--default-address-pool", _POOL],
        ],
        log=_log(),
        env={**env, "DOCKER_HOST": ""},
    )
    version = wait_until(
        f"the Docker engine to answer (its log: {_log()})",
        lambda: _answers(env) or "",
        timeout=timeouts.ENGINE_START,
        interval=0.5,
    )
    return Engine(version, env, from_kit=True)


def stop() -> bool:
    """Stop the kit's engine and its containers, never the host's own; return whether it ran.

    Raises:
        ProcessError: it does not end.
    """
    try:
        pid = int(_pid_file().read_text())
        if str(_pid_file()) not in psutil.Process(pid).cmdline():
            return False
    except (OSError, ValueError, psutil.NoSuchProcess):
        return False
    os.kill(pid, signal.SIGTERM)
    try:
        wait_until(
            "the engine to end",
            lambda: process.start_time(pid) is None,
            timeout=timeouts.ENGINE_START,
        )
    except WaitTimeout as error:
        raise ProcessError(["dockerd"], f"(process {pid}) does not end", "") from error
    return True
