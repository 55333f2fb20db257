"""The Docker engine as a class: what Landfast asks of it, in typed methods."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from landfast import process, timeouts
from landfast.process import ProcessError, Result
from landfast.waiting import wait_until

_ABSENT = ("manifest unknown", "no such manifest", "not found", "name unknown")


@dataclass(frozen=True)
class ContainerState:
    """The state of a container as the engine reports it; times are RFC 3339."""

    status: str
    exit_code: int
    started_at: str
    finished_at: str
    pid: int

    @property
    def is_running(self) -> bool:
        """Whether its processes run and are not paused."""
        return self.status == "running"

    @property
    def is_paused(self) -> bool:
        """Whether its processes are frozen."""
        return self.status == "paused"


@dataclass(frozen=True)
class Engine:
    """A running Docker engine.

    `env` holds the variables that point `docker` and `kind` at it; it is empty for the host's own
    engine. `from_kit` says whether the kit started it.
    """

    version: str
    env: dict[str, str] = field(default_factory=dict)
    from_kit: bool = False

    def docker(
        self,
        *arguments: str | Path,
        timeout: float = timeouts.COMMAND,
        check: bool = True,
        text: str | None = None,
        stdin: Path | None = None,
    ) -> Result:
        """Going away as a public method: use the typed methods."""
        return process.run(
            ["docker", *arguments],
            timeout=timeout,
            check=check,
            text=text,
            stdin=stdin,
            env=self.env,
        )

    def data_root(self) -> Path:
        """Return the folder on the engine's host that holds images, volumes and containers."""
        return Path(self.docker("info", "--format", "{{.DockerRootDir}}").stdout.strip())

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
        """Run a program in a running container and return its result.

        Args:
            container: the container's name.
            argv: the program and its arguments.
            check: whether a non-zero exit code raises.
            timeout: seconds.
            text: what the program reads from standard input.
            stdin: a file to read from instead.
            env: variables to add.
            workdir: the folder in the container to run in.

        Raises:
            ProcessError: the program failed (with `check`) or did not end in time.
        """
        options: list[str] = []
        if text is not None or stdin is not None:
            options.append("--interactive")
        for name, value in (env or {}).items():
            options += ["--env", f"{name}={value}"]
        if workdir is not None:
            options += ["--workdir", workdir]
        return self.docker(
            "exec", *options, container, *argv, check=check, timeout=timeout, text=text, stdin=stdin
        )

    def create_container(
        self,
        image: str,
        *command: str,
        name: str,
        label: str,
        network: str = "bridge",
        entrypoint: str | None = None,
        volumes: Iterable[str] = (),
        capabilities: Iterable[str] = (),
        privileged: bool = False,
        security_options: Iterable[str] = (),
    ) -> None:
        """Create a container whose host name is its name; it does not run yet."""
        options = ["--name", name, "--hostname", name, "--label", label, "--network", network]
        options += [part for volume in volumes for part in ("--volume", volume)]
        options += [part for capability in capabilities for part in ("--cap-add", capability)]
        options += [part for option in security_options for part in ("--security-opt", option)]
        if privileged:
            options.append("--privileged")
        if entrypoint is not None:
            options += ["--entrypoint", entrypoint]
        self.docker("create", *options, image, *command)

    def run_once(
        self,
        image: str,
        *argv: str,
        label: str,
        volumes: Iterable[str] = (),
        network: str = "none",
        check: bool = True,
        timeout: float = timeouts.COMMAND,
    ) -> Result:
        """Run a program in a new container of an image, remove the container, return the result."""
        mounts = [part for volume in volumes for part in ("--volume", volume)]
        return self.docker(
            *["run", "--rm", "--label", label, *mounts, "--network", network],
            *["--entrypoint", argv[0], image, *argv[1:]],
            check=check,
            timeout=timeout,
        )

    def start(self, container: str) -> None:
        """Start a container; one that runs already stays as it is."""
        self.docker("start", container)

    def stop(self, container: str, *, grace_seconds: int = 10) -> None:
        """Ask a container's first process to end; kill what is left after the grace period."""
        self.docker("stop", "--time", str(grace_seconds), container)

    def restart(self, container: str, *, grace_seconds: int) -> None:
        """Stop a container as `stop` does, and start it again."""
        self.docker("restart", "--time", str(grace_seconds), container)

    def kill(self, container: str, signal: str = "KILL", *, check: bool = True) -> None:
        """Send a signal to a container's first process; without `check` it need not run."""
        self.docker("kill", "--signal", signal, container, check=check)

    def pause(self, container: str) -> None:
        """Freeze every process of a container, at one moment.

        Raises:
            WaitTimeout: they do not freeze; a process in the middle of a sync cannot just then.
        """
        wait_until(
            f"{container} to be paused",
            lambda: self._try_to_pause(container),
            until=lambda state: state.is_paused,
            timeout=timeouts.CONTAINER_STATE,
            interval=0.1,
        )

    def _try_to_pause(self, container: str) -> ContainerState:
        self.docker("pause", container, check=False)
        return self.state(container)

    def unpause(self, container: str) -> None:
        """Thaw a paused container."""
        self.docker("unpause", container)

    def state(self, container: str) -> ContainerState:
        """Return the state of a container.

        Raises:
            ProcessError: there is no such container.
        """
        state = self._inspect(container)["State"]
        return ContainerState(
            status=state["Status"],
            exit_code=state["ExitCode"],
            started_at=state["StartedAt"],
            finished_at=state["FinishedAt"],
            pid=state["Pid"],
        )

    def address(self, container: str) -> str:
        """Return a container's address on its one network; empty while it does not run."""
        networks = self._inspect(container)["NetworkSettings"]["Networks"]
        return "".join(network["IPAddress"] for network in networks.values())

    def image_of(self, container: str) -> str:
        """Return the name of the image that a container was made from."""
        return str(self._inspect(container)["Config"]["Image"])

    def label_of(self, container: str, key: str) -> str:
        """Return the value of a container's label; empty if it has none of that key."""
        return str((self._inspect(container)["Config"]["Labels"] or {}).get(key, ""))

    def _inspect(self, container: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(
            self.docker("container", "inspect", container).stdout
        )
        return found[0]

    def logs(self, container: str, *, tail: int, timestamps: bool = False) -> str:
        """Return the last lines of a container's output; empty if there is no such container."""
        stamp = ["--timestamps"] if timestamps else []
        found = self.docker("logs", "--tail", str(tail), *stamp, container, check=False)
        return found.stdout + found.stderr

    def copy_into(self, source: Path, container: str, target: str) -> None:
        """Copy a file of this host into a container, which need not run."""
        self.docker("cp", source, f"{container}:{target}")

    def containers(self, *labels: str) -> list[str]:
        """Return the names of all containers with the labels (`KEY=VALUE`), running or not."""
        return self._names("container", labels, "-a", column="{{.Names}}")

    def remove_containers(self, *containers: str) -> None:
        """Remove containers, running or not, with their anonymous volumes.

        One that is not there is no error.

        Raises:
            ProcessError: one cannot be removed.
        """
        self.docker("rm", "--force", "--volumes", *containers, timeout=timeouts.CLUSTER_REMOVE)

    def names(self, kind: str, *filters: str) -> list[str]:
        """Going away: use `containers`, `volumes`, `networks`."""
        every = ["-a"] if kind == "container" else []
        column = "{{.Names}}" if kind == "container" else "{{.Name}}"
        matching = [part for text in filters for part in ("--filter", text)]
        return self.docker(kind, "ls", *every, "--format", column, *matching).stdout.split()

    # --- volumes and networks

    def create_volume(self, name: str, *, label: str) -> None:
        """Create a volume; one of that name stays as it is."""
        self.docker("volume", "create", "--label", label, name)

    def remove_volume(self, name: str) -> None:
        """Remove a volume; one that is not there is no error."""
        self.docker("volume", "rm", "--force", name)

    def volumes(self, *labels: str) -> list[str]:
        """Return the names of all volumes with the labels (`KEY=VALUE`)."""
        return self._names("volume", labels)

    def create_network(self, name: str, *, label: str) -> None:
        """Create a bridge network."""
        self.docker("network", "create", "--label", label, name)

    def remove_network(self, name: str) -> None:
        """Remove a network."""
        self.docker("network", "rm", name)

    def networks(self, *labels: str) -> list[str]:
        """Return the names of all networks with the labels (`KEY=VALUE`)."""
        return self._names("network", labels)

    def _names(
        self, kind: str, labels: Sequence[str], *options: str, column: str = "{{.Name}}"
    ) -> list[str]:
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        listed = self.docker(kind, "ls", *options, "--format", column, *filters)
        return listed.stdout.split()

    # --- images

    def image_digest(self, image: str) -> str | None:
        """Return an image's id in the engine (`sha256:…`), or None if it is not there."""
        found = self.docker("image", "inspect", "--format", "{{.Id}}", image, check=False)
        return found.stdout.strip() if found.returncode == 0 else None

    def images(self, repository: str) -> list[str]:
        """Return the names (`REPOSITORY:TAG`) of the images of a repository."""
        listed = self.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository)
        return listed.stdout.split()

    def build_image(self, tag: str, folder: Path, *, timeout: float = timeouts.IMAGE_BUILD) -> None:
        """Build an image from a folder with a Dockerfile."""
        self.docker("build", "--quiet", "--force-rm", "--tag", tag, folder, timeout=timeout)

    def build_image_from_text(self, tag: str, dockerfile: str) -> None:
        """Build an image from a Dockerfile alone."""
        self.docker("build", "--quiet", "--tag", tag, "-", text=dockerfile)

    def commit(self, container: str, tag: str, *changes: str) -> None:
        """Make an image of a container's file system, with instructions of a Dockerfile."""
        options = [part for change in changes for part in ("--change", change)]
        self.docker("commit", *options, container, tag, timeout=timeouts.IMAGE_BUILD)

    def tag_image(self, image: str, name: str) -> None:
        """Give an image another name."""
        self.docker("tag", image, name)

    def remove_image(self, image: str, *, force: bool = False) -> None:
        """Remove an image's name; one that is in use or not there is no error."""
        self.docker("image", "rm", *(["--force"] if force else []), image, check=False)

    def pull_image(self, image: str) -> None:
        """Pull an image from its registry."""
        self.docker("pull", "--quiet", image, timeout=timeouts.IMAGE_PULL)

    def save_images(self, archive: Path, *images: str) -> None:
        """Write images of the engine into one tar file."""
        self.docker("save", "--output", archive, *images, timeout=timeouts.IMAGE_LOAD)

    def registry_refusal(self, image: str, *, insecure: bool) -> str | None:
        """Ask an image's registry whether it has the image.

        Returns:
            None if it has the image, "" if it has not, else why the registry cannot be asked.
        """
        options = ["--insecure"] if insecure else []
        try:
            asked = self.docker(
                *["manifest", "inspect", *options, image],
                timeout=timeouts.REGISTRY_ANSWER,
                check=False,
            )
        except ProcessError:
            return f"it did not answer within {timeouts.REGISTRY_ANSWER} s"
        if asked.returncode == 0:
            return None
        if any(word in asked.stderr.lower() for word in _ABSENT):
            return ""
        lines = asked.stderr.strip().splitlines()
        return lines[-1] if lines else "docker manifest inspect failed"
