"""Machines: containers whose pauses, kills and starts are those of a whole kernel."""

from collections.abc import Mapping
from dataclasses import replace

from landfast import timeouts
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.waiting import wait_until

# Without seccomp, each system call of a guest's process goes through ptrace: twice the time.
_ARGUMENTS = "seccomp=on"
ALLOW_NFSV3 = "systemctl unmask --quiet rpcbind.service rpcbind.socket"
"""Run in a machine that boots a node: its NFSv3 client asks rpc.statd, which needs rpcbind."""
_PANICKED = 70  # exit code of a machine whose kernel panicked


class Panic(LandfastError):
    """A machine's kernel panicked; the message has the kernel's first words."""


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
    export_disk: str | None = None,
    processors: int = 1,
) -> Engine:
    """Start a machine from the kit's image and the volume with its disk, and wait until it boots.

    Returns the engine that runs programs in the machine, where `engine` does so in its container.
    The machine has the container's name, address and MAC. `hosts` are addresses by name: Docker's
    resolver does not reach it. What it writes to its disk lasts as long as the container. With
    `export_disk`, the file `disk.img` in that volume is its second disk, /dev/ubdb. With a second
    processor, a node without work takes a quarter of a core instead of a twentieth.

    Raises:
        Panic: its kernel panicked.
        WaitTimeout: it does not boot; the message has the end of its console.
    """
    volumes = [f"{disk}:/machine/base:ro"]
    arguments = f"{_ARGUMENTS} ncpus={processors}"
    if export_disk:
        volumes.append(f"{export_disk}:/disk")
        arguments += " ubd1=/disk/disk.img"
    known = "".join(f"{address} {host}\n" for host, address in (hosts or {}).items())
    engine.create_container(
        image,
        name=name,
        label=label,
        network=network,
        privileged=True,
        volumes=volumes,
        env={
            "MACHINE_MEMORY": f"{memory_mib}M",
            "MACHINE_HOSTS": known,
            "MACHINE_ARGUMENTS": arguments,
        },
    )
    engine.start(name)
    inside = replace(engine, machines=engine.machines | {name})
    wait_booted(inside, name)
    return inside


def wait_booted(engine: Engine, name: str) -> None:
    """Wait until programs run in a machine that was started.

    Raises:
        Panic: its kernel panicked.
        WaitTimeout: it does not boot; the message has the end of its console.
    """

    def ended(_: bool) -> str | None:
        raise_panic(engine, name)
        return "it ended" if engine.state(name).status == "exited" else None

    wait_until(
        f"the machine {name} to boot",
        lambda: engine.execute(name, "true", check=False).returncode == 0,
        timeout=timeouts.NODE_READY,
        give_up=ended,
        describe=lambda _: _console(engine, name),
    )


def raise_panic(engine: Engine, name: str) -> None:
    """Do nothing unless a machine's kernel panicked.

    Raises:
        Panic: it did.
    """
    state = engine.state(name)
    if state.status == "exited" and state.exit_code == _PANICKED:
        lines = _console(engine, name).splitlines()
        word = next((line for line in lines if "Kernel panic" in line), "no word of it is left")
        raise Panic(f"the kernel of the machine {name} panicked: {word.strip()}")


def _console(engine: Engine, name: str) -> str:
    return engine.logs(name, tail=40)
