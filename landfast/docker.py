"""The Docker engine: one typed method for each thing that Landfast asks of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from landfast import timeouts
from landfast.docker_images import ImageStore, each
from landfast.errors import LandfastError
from landfast.process import Result
from landfast.waiting import wait_until

_SHUTDOWN_SECONDS = 50


@dataclass(frozen=True)
class ContainerState:
    """The state of a container as the engine reports it; times are RFC 3339."""

    status: str
    exit_code: int
    started_at: str
    finished_at: str

    @property
    def is_running(self) -> bool:
        """Whether its processes run, not paused."""
        return self.status == "running"

    @property
    def is_paused(self) -> bool:
        """Whether its processes are frozen."""
        return self.status == "paused"


@dataclass(frozen=True)
class Engine(ImageStore):
    """A running Docker engine.

    `env` holds the variables that point `docker` and `kind` at it; empty for the host's own engine.
    `from_kit` says whether the kit started it. `machines` are the containers that carry a kernel of
    their own (`landfast.machine`): programs run in that machine, not beside it.
    """

    version: str
    env: dict[str, str] = field(default_factory=dict)
    from_kit: bool = False
    machines: frozenset[str] = frozenset()

    def info(self) -> dict[str, Any]:
        """Return what the engine says of itself and its host, as `docker info` names it.

        Raises:
            LandfastError: it does not answer.
        """
        said = self._docker("info", "--format", "{{json .}}", timeout=timeouts.ANSWER).stdout
        found: dict[str, Any] = json.loads(said)
        if errors := found.get("ServerErrors"):  # the exit code is 0 all the same
            raise LandfastError(f"the Docker engine does not answer: {'; '.join(errors)}")
        return found

    def identity(self) -> str:
        """Return what tells this engine from others, also after its restart."""
        return str(self.info()["ID"])

    # --- containers

    def execute(
        self,
        container: str,
        *argv: str,
        check: bool = True,
        timeout: float = timeouts.COMMAND,
        text: str | None = None,
        stdin: Path | None = None,
        env: Mapping[str, str] | None = None,
        workdir: str | None = None,
    ) -> Result:
        """Run a program in a running container and return its result (see `process.run`).

        `env` adds variables; `workdir` is the folder in the container to run in.

        Raises:
            ProcessError: it failed (with `check`) or did not end in time.
        """
        interactive = ["--interactive"] if text is not None or stdin is not None else []
        options = interactive + each("--env", map("=".join, (env or {}).items()))
        if workdir is not None:
            options += ["--workdir", workdir]
        command = [*options, container, *argv]
        if container in self.machines:
            command = [*interactive, container, "machine", "exec", *options, *argv]
        return self._docker("exec", *command, check=check, timeout=timeout, text=text, stdin=stdin)

    def create_container(
        self,
        image: str,
        *command: str,
        name: str,
        label: str,
        network: str = "bridge",
        entrypoint: str | None = None,
        env: Mapping[str, str] | None = None,
        volumes: Iterable[str] = (),
        ports: Iterable[str] = (),
        capabilities: Iterable[str] = (),
        privileged: bool = False,
        security_options: Iterable[str] = (),
    ) -> None:
        """Create a container, not running yet, whose host name is its name."""
        options = ["--name", name, "--hostname", name, "--label", label, "--network", network]
        options += each("--env", map("=".join, (env or {}).items()))
        options += each("--volume", volumes)
        options += each("--publish", ports)
        options += each("--cap-add", capabilities)
        options += each("--security-opt", security_options)
        if privileged:
            options.append("--privileged")
        if entrypoint is not None:
            options += ["--entrypoint", entrypoint]
        self._docker("create", *options, image, *command)

    def run_once(
        self, image: str, *argv: str, label: str, volumes: Iterable[str] = (), check: bool = True
    ) -> Result:
        """Run a program in a new container without a network, and return its result."""
        return self._docker(
            *["run", "--rm", "--label", label, *each("--volume", volumes), "--network", "none"],
            *["--entrypoint", argv[0], image, *argv[1:]],
            check=check,
        )

    def start(self, container: str) -> None:
        """Start a container; do nothing if it runs."""
        self._docker("start", container)

    def stop(self, container: str) -> None:
        """Ask a container's first process to end; kill the container if it runs after 10 s.

        A machine, which shuts down all that runs in it, has 50 s.
        """
        seconds = _SHUTDOWN_SECONDS if container in self.machines else 10
        self._docker("stop", "--time", str(seconds), container)

    def restart(self, container: str, *, grace_seconds: int) -> None:
        """Stop a container as `stop` does, after this grace period, and start it again."""
        self._docker("restart", "--time", str(grace_seconds), container)

    def kill(self, container: str, signal: str = "KILL", *, check: bool = True) -> None:
        """Signal a container's first process. Without `check` the container need not run."""
        self._docker("kill", "--signal", signal, container, check=check)

    def pause(self, container: str) -> None:
        """Freeze all processes of a container at one moment.

        Raises:
            WaitTimeout: they do not freeze, as a process does not in the middle of a sync.
        """

        def pause() -> ContainerState:
            self._docker("pause", container, check=False)
            return self.state(container)

        wait_until(
            f"{container} to be paused",
            pause,
            until=lambda state: state.is_paused,
            timeout=timeouts.CONTAINER_STATE,
            interval=0.1,
        )

    def unpause(self, container: str) -> None:
        """Thaw a paused container."""
        self._docker("unpause", container)

    def limit_cpu(self, container: str, *, quota: int) -> None:
        """Let a container have a processor for `quota` µs of each 100 ms; -1 lifts the limit."""
        self._docker("update", "--cpu-period=100000", f"--cpu-quota={quota}", container)

    def state(self, container: str) -> ContainerState:
        """Return the state of a container.

        Raises:
            ProcessError: the container does not exist.
        """
        state = self._inspect(container)["State"]
        times = state["StartedAt"], state["FinishedAt"]
        return ContainerState(state["Status"], state["ExitCode"], *times)

    def address(self, container: str) -> str:
        """Return a container's address on its one network; empty unless it runs."""
        networks = self._inspect(container)["NetworkSettings"]["Networks"]
        return "".join(network["IPAddress"] for network in networks.values())

    def image_of(self, container: str) -> str:
        """Return the name of a container's image."""
        return str(self._inspect(container)["Config"]["Image"])

    def label_of(self, container: str, key: str) -> str:
        """Return the value of a container's label, empty if it does not have the label."""
        return str((self._inspect(container)["Config"]["Labels"] or {}).get(key, ""))

    def _inspect(self, container: str) -> dict[str, Any]:
        found: Any = json.loads(self._docker("container", "inspect", container).stdout)
        return dict(found[0])

    def logs(self, container: str, *, tail: int, timestamps: bool = False) -> str:
        """Return the last lines of a container's output; empty if the container does not exist."""
        stamp = ["--timestamps"] if timestamps else []
        found = self._docker("logs", "--tail", str(tail), *stamp, container, check=False)
        return found.stdout + found.stderr

    def copy_into(self, source: Path, container: str, target: str) -> None:
        """Copy a file of this host into a container, which need not run."""
        self._docker("cp", source, f"{container}:{target}")

    def copy_out_of(self, container: str, source: str, target: Path) -> None:
        """Copy a file of a container, which need not run, to this host."""
        self._docker("cp", f"{container}:{source}", target)

    def containers(self, *labels: str) -> list[str]:
        """Return the names of all containers with the labels (`KEY=VALUE`), running or not."""
        return self._names("container", labels, "-a", column="{{.Names}}")

    def remove_containers(self, *containers: str) -> None:
        """Remove containers side by side, running or not, with their anonymous volumes.

        A container that does not exist is not an error.

        Raises:
            ProcessError: a container cannot be removed; the others are.
        """
        self._docker("rm", "--force", "--volumes", *containers, timeout=timeouts.CONTAINERS_REMOVE)

    # --- volumes and networks

    def create_volume(self, name: str, *, label: str) -> None:
        """Create a volume; do nothing if it exists."""
        self._docker("volume", "create", "--label", label, name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume; do nothing if it does not exist."""
        self._docker("volume", "rm", "--force", name)

    def volumes(self, *labels: str) -> list[str]:
        """Return the names of all volumes with the labels (`KEY=VALUE`)."""
        return self._names("volume", labels)

    def create_network(self, name: str, *, label: str) -> None:
        """Create a bridge network."""
        self._docker("network", "create", "--label", label, name)

    def remove_network(self, name: str) -> None:
        """Remove a network."""
        self._docker("network", "rm", name)

    def networks(self, *labels: str) -> list[str]:
        """Return the names of all networks with the labels (`KEY=VALUE`)."""
        return self._names("network", labels)

    def _names(
        self, kind: str, labels: Sequence[str], *options: str, column: str = "{{.Name}}"
    ) -> list[str]:
        filters = each("--filter", [f"label={label}" for label in labels])
        listed = self._docker(kind, "ls", *options, "--format", column, *filters)
        return listed.stdout.split()
