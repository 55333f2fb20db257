"""One machine: a container whose pauses, kills and starts are those of a whole kernel."""

from collections.abc import Mapping
from dataclasses import dataclass

from landfast import timeouts
from landfast.docker import Engine
from landfast.docker_images import each
from landfast.errors import LandfastError
from landfast.process import Result
from landfast.waiting import wait_until

# Without the first, each system call of a guest's process goes through ptrace: twice the time.
_ARGUMENTS = "seccomp=on ncpus=2"
_PANICKED = 70  # exit code of a machine whose kernel panicked


class Panic(LandfastError):
    """A machine's kernel panicked; the message has the kernel's first words."""


@dataclass(frozen=True)
class Machine:
    """A machine, by the name of its container, its host and its NFS client."""

    engine: Engine
    name: str

    def execute(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = timeouts.COMMAND,
        text: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a program in the machine and return its result, as `Engine.execute` in a container.

        Its agent needs no network, and does not answer before the machine has booted.

        Raises:
            ProcessError: it failed (with `check`) or did not end in time.
        """
        options = each("-e", map("=".join, (env or {}).items()))
        if text is not None:
            options.append("-i")
        return self.engine.execute(
            self.name, "machine", "exec", *options, *argv, check=check, timeout=timeout, text=text
        )

    def wait_booted(self) -> None:
        """Wait until the machine's agent answers.

        Raises:
            Panic: its kernel panicked.
            WaitTimeout: it does not boot; the message has the end of its console.
        """

        def ended(_: bool) -> str | None:
            self.raise_panic()
            return "it ended" if self.engine.state(self.name).status == "exited" else None

        wait_until(
            f"the machine {self.name} to boot",
            lambda: self.execute("true", check=False).returncode == 0,
            timeout=timeouts.NODE_READY,
            give_up=ended,
            describe=lambda _: self.console(),
        )

    def raise_panic(self) -> None:
        """Do nothing unless the machine's kernel panicked.

        Raises:
            Panic: it did.
        """
        state = self.engine.state(self.name)
        if state.status == "exited" and state.exit_code == _PANICKED:
            lines = self.console().splitlines()
            word = next((line for line in lines if "Kernel panic" in line), "no word of it is left")
            raise Panic(f"the kernel of the machine {self.name} panicked: {word.strip()}")

    def console(self) -> str:
        """Return the last lines of the machine's console."""
        return self.engine.logs(self.name, tail=40)


def create_machine(
    engine: Engine,
    image: str,
    disk: str,
    *,
    name: str,
    network: str,
    label: str,
    memory_mib: int,
    hosts: Mapping[str, str] | None = None,
) -> Machine:
    """Create a machine from the kit's image and the volume with its disk, and start it.

    It has the container's address and MAC on the network. `hosts` are addresses by name: Docker's
    resolver does not reach it. What it writes to its disk lasts as long as the container.
    """
    known = "".join(f"{address} {host}\n" for host, address in (hosts or {}).items())
    engine.create_container(
        image,
        name=name,
        label=label,
        network=network,
        privileged=True,
        volumes=[f"{disk}:/machine/base:ro"],
        env={
            "MACHINE_MEMORY": f"{memory_mib}M",
            "MACHINE_HOSTS": known,
            "MACHINE_ARGUMENTS": _ARGUMENTS,
        },
    )
    engine.start(name)
    return Machine(engine, name)
