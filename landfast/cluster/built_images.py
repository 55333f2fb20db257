"""The images that Landfast builds where no kit is used: of the NFS server, and of the NFS client.

Their names hold a key of what they are made from. So an engine that has one, from an archive or
from a mirror, need not build it.
"""

import re
import shutil
import tempfile
from pathlib import Path

from landfast.docker import Engine
from landfast.errors import BadInput
from landfast.images import registry_names
from landfast.kit.cache import digest
from landfast.kit.images import recipes
from landfast.kit.programs import Programs
from landfast.process import Result
from landfast.progress import Progress

_CONTAINERFILE = Path(__file__).parent.with_name("nfs") / "Containerfile"
_HELPER = "mount.nfs"
_CARRIER = "landfast-nfs-client"
_LABEL = "landfast.carrier=1"
# BuildKit puts the seconds before each line of a program
_APT_ERROR = re.compile(r"^(?:#\d+ )?(?:[\d.]+ )?E: (.*)")


def nfs_server(platform: str) -> str:
    """Return the name of the NFS server's image for a platform (`linux/amd64`)."""
    key = digest(_CONTAINERFILE, _packages(), registry_names()["debian"], platform)
    return f"landfast/nfs-ganesha:{key}"


def nfs_client(programs: Programs, platform: str) -> str:
    """Return the name of the image with the FUSE mount helper for a platform."""
    key = digest(programs.key(_HELPER), platform)
    return f"landfast/nfs-client:{key}"


def build_nfs_server(engine: Engine, tag: str, base: str, progress: Progress) -> None:
    """Build the image of the NFS server; the engine has `base`.

    Raises:
        BadInput: it cannot be built, because of the network or of a package.
        ProcessError: the build does not end in time.
    """
    with progress.phase("build the NFS server's image from Debian's packages"):
        built = engine.build_image_from_text(
            tag,
            _CONTAINERFILE.read_text(),
            arguments={"BASE": base, "PACKAGES": _packages()},
            check=False,
        )
    if built.returncode != 0:
        raise BadInput(
            f"the NFS server's image cannot be built on {base}: {_reason(built)}; if the engine "
            "does not reach Debian's mirror, set HTTP_PROXY, or give an image that has NFS-Ganesha "
            "with --nfs-server-image"
        )
    _remove_older(engine, tag)


def make_nfs_client(engine: Engine, programs: Programs, progress: Progress) -> str:
    """Return the name of the image with the mount helper; compile and build it if it is missing.

    The caller holds the kit's lock.

    Raises:
        ProcessError: Go cannot be installed, or the program does not compile.
    """
    platform = engine.platform()
    tag = nfs_client(programs, platform)
    if engine.image_digest(tag) is None:
        helper = programs.path(_HELPER, platform)
        with progress.phase("build the NFS client's image"), tempfile.TemporaryDirectory() as work:
            shutil.copy(helper, work)
            Path(work, "Dockerfile").write_text(f"FROM scratch\nCOPY {_HELPER} /\n")
            engine.build_image(tag, Path(work))
        _remove_older(engine, tag)
    return tag


def mount_helper(engine: Engine, programs: Programs, progress: Progress, folder: Path) -> Path:
    """Return the FUSE mount helper for the engine's nodes, a file in `folder`.

    The caller holds the kit's lock.

    Raises:
        ProcessError: neither the engine nor a mirror had it, and it cannot be compiled.
    """
    image, helper = make_nfs_client(engine, programs, progress), folder / _HELPER
    engine.remove_containers(_CARRIER)  # a killed run leaves it
    engine.create_container(image, f"/{_HELPER}", name=_CARRIER, label=_LABEL)
    try:
        engine.copy_out_of(_CARRIER, f"/{_HELPER}", helper)
    finally:
        engine.remove_containers(_CARRIER)
    return helper


def _packages() -> str:
    rootfs = recipes()["nfs-server"].rootfs
    return " ".join(rootfs.names()) if rootfs else ""


def _reason(built: Result) -> str:
    """Return why a build failed: the first thing that apt said, else the last that docker did."""
    lines = [line.strip() for line in (built.stdout + built.stderr).splitlines() if line.strip()]
    for line in lines:
        if found := _APT_ERROR.match(line):
            return found[1].rstrip(" :")
    last = [number for number, line in enumerate(lines) if line.startswith("ERROR: ")]
    return " ".join(lines[last[-1] if last else -1 :]) or "docker said nothing"


def _remove_older(engine: Engine, tag: str) -> None:
    """Remove earlier builds of an image that no container runs."""
    for older in set(engine.images(tag.partition(":")[0])) - {tag}:
        engine.remove_image(older)
