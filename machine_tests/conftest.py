"""What machines are made from, and a network for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from landfast import paths
from landfast.docker import Engine
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.machine.machine import create_machine
from landfast.machine.parts import Parts, provide
from landfast.progress import Progress

NETWORK, LABEL = "landfast-machine-tests", "landfast.machine-tests=1"


@dataclass(frozen=True)
class Lab:
    """An engine, and what machines are made from: those of a node, and those of an NFS server."""

    engine: Engine
    parts: Parts
    server_parts: Parts

    def boot(self, name: str) -> Engine:
        """Boot a machine; return the engine that looks into it."""
        return create_machine(
            self.engine,
            self.parts.image,
            self.parts.disk,
            name=name,
            network=NETWORK,
            label=LABEL,
            memory_mib=1024,
        )


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The place for machines; nothing of them is left."""
    progress = Progress()
    with kit_lock(progress):
        engine = engines.ensure(progress)
        builder = ImageBuilder(engine, Cache(paths.cache()), progress)
        parts = provide(builder, build_kit(engine, progress).node)
        server_parts = provide(builder, builder.image("kernel-nfs-server"))
    _remove(engine)
    engine.create_network(NETWORK, label=LABEL)
    try:
        yield Lab(engine, parts, server_parts)
    finally:
        _remove(engine)
    left = [*engine.containers(LABEL), *engine.volumes(LABEL), *engine.networks(LABEL)]
    assert not left, f"machines left {left}"


def _remove(engine: Engine) -> None:
    if found := engine.containers(LABEL):
        engine.remove_containers(*found)
    for volume in engine.volumes(LABEL):
        engine.remove_volume(volume)
    for network in engine.networks(LABEL):
        engine.remove_network(network)


@pytest.fixture
def boot(lab: Lab) -> Iterator[Callable[[str], Engine]]:
    """Return a function that boots a machine for one test."""
    booted: list[str] = []

    def boot(name: str) -> Engine:
        booted.append(name)
        return lab.boot(name)

    yield boot
    if booted:
        lab.engine.remove_containers(*booted)
