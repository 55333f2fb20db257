"""What machines are made from: an image with their kernel, and the disk that they boot."""

from pydantic import BaseModel, ConfigDict

from landfast.kit.images import ImageBuilder
from landfast.machine import disk


class Parts(BaseModel):
    """The image of machines; the volume with their disk, and the image that this was made from."""

    model_config = ConfigDict(frozen=True)

    image: str
    disk: str
    system: str


def provide(builder: ImageBuilder, system: str) -> Parts:
    """Return the parts of machines that boot the system in an image; build what is missing.

    The caller holds the kit's lock.

    Raises:
        BadInput: this host cannot build it.
        LandfastError: a part cannot be built.
    """
    image = builder.image("machine")
    program = builder.programs.path("machine")
    made = disk.provide(builder.engine, system, program, builder.progress)
    return Parts(image=image, disk=made, system=system)
