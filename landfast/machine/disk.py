"""The disks of machines: made once from an image, kept in a Docker volume, written to by none.

Each machine writes to a file of its own that holds what differs (copy on write).
"""

import contextlib
from pathlib import Path

from landfast import paths, timeouts
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.image_names import ImageName
from landfast.kit.cache import digest
from landfast.process import ProcessError
from landfast.progress import Progress
from landfast.waiting import wait_until

_LABEL = "landfast.machine-disk"
_BUILDER = "landfast-machine-disk"
_PROGRAM = "/usr/local/sbin/machine"
_UNIT = "/etc/systemd/system/machine-agent.service"
_SERVICE = paths.KIT / "images" / "machine" / "agent.service"
_SIZE = "8G"  # sparse: a disk takes what is in it
# With /.dockerenv, systemd takes the machine for a container, and writes nothing back at its end.
# A bind mount of / has the image's own files, without what is mounted on them here.
_BUILD = f"""
set -e
ln -sf {_PROGRAM} /sbin/machine-init
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -sf {_UNIT} /etc/systemd/system/multi-user.target.wants/
rm -f /.dockerenv
mount --bind / /mnt
rm -rf /machine-disk/*
mke2fs -q -F -t ext4 -d /mnt /machine-disk/disk.new {_SIZE}
mv /machine-disk/disk.new /machine-disk/disk.ext4
"""


def provide(engine: Engine, image: str, program: Path, progress: Progress) -> str:
    """Return the volume with the disk of an image; make it if the engine lacks it.

    The image needs systemd and e2fsprogs; `program` is the kit's `machine`, which becomes its init.
    The caller holds the kit's lock.

    Raises:
        LandfastError: the disk cannot be made; the message has the last lines of what was said.
    """
    label = f"{_LABEL}={ImageName.parse(image).base}"
    volume = f"landfast-machine-disk-{digest(image, program, _SERVICE, _BUILD)}"
    engine.create_volume(volume, label=label)
    is_made = ["test", "-e", "/machine-disk/disk.ext4"]
    at = [f"{volume}:/machine-disk"]
    if engine.run_once(image, *is_made, label=label, volumes=at, check=False).returncode == 0:
        return volume
    with progress.phase(f"disk of machines from {image}"):
        _build(engine, image, program, at)
    for older in set(engine.volumes(label)) - {volume}:
        with contextlib.suppress(ProcessError):  # a machine of another run has it
            engine.remove_volume(older)
    return volume


def _build(engine: Engine, image: str, program: Path, volumes: list[str]) -> None:
    engine.remove_containers(_BUILDER)  # a killed build leaves it
    try:
        engine.create_container(
            image,
            *["-c", _BUILD],
            name=_BUILDER,
            label="landfast.kit",
            entrypoint="sh",
            volumes=volumes,
            privileged=True,
        )
        engine.copy_into(program, _BUILDER, _PROGRAM)
        engine.copy_into(_SERVICE, _BUILDER, _UNIT)
        engine.start(_BUILDER)
        ended = wait_until(
            f"the disk of {image} to be made",
            lambda: engine.state(_BUILDER),
            until=lambda state: state.status == "exited",
            timeout=timeouts.IMAGE_LOAD,
        )
        if ended.exit_code != 0:
            raise LandfastError(
                f"the disk of {image} cannot be made: {engine.logs(_BUILDER, tail=5).strip()}"
            )
    finally:
        engine.remove_containers(_BUILDER)
