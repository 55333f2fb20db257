"""Faults of the export: the server runs and answers, but not with what it should."""

import re

from landfast.errors import LandfastError
from landfast.faults.base import prove, register
from landfast.faults.nfs_server import ServerFault
from landfast.nfs.server import CONFIG, EXPORT_PATH

_FILLER = f"{EXPORT_PATH}/landfast-filler"
_MEBIBYTE = "x" * (1 << 20)
# fallocate is quick, but stops before the last blocks; dd takes those.
_FILL = """
fallocate -l "$(($(stat -f -c "%f * %S" "$1")))" "$2" 2>/dev/null || true
! dd if=/dev/zero of="$2" bs=4k oflag=append conv=notrunc status=none 2>/dev/null
"""
_FILL_SECONDS = 120


class _ExportFault(ServerFault):
    """The server answers, but does not take what a node writes."""

    def refused(self, words: str, text: str = "x") -> str:
        """Prove that a node's write is refused with these words.

        Raises:
            NotProven: it is made, or refused with other words.
        """
        written, _ = prove(
            f"a write to be refused with {words!r}",
            lambda: self.write(text),
            until=lambda seen: not seen[0].made and words in seen[0].said,
        )
        return f"the server answers {self.aim['from']}, but refuses a write: {written.said}"


class _Reconfigured(_ExportFault):
    """The server works by another configuration of its exports."""

    def change(self, export: str) -> str:
        """Give the section of the export as it is to be."""
        raise NotImplementedError

    def inject(self) -> None:
        """Let the server read it."""
        start, export, *others = re.split(r"(?m)^(?=EXPORT \{)", CONFIG.read_text())
        self.site.server.configure("".join([start, self.change(export), *others]))

    def heal(self) -> None:
        """Let it read its own again."""
        super().heal()
        self.site.server.configure(CONFIG.read_text())


@register
class ExportWithdrawn(_Reconfigured):
    """An administrator takes the export away, and gives it back."""

    name = "export-withdrawn"
    text = "the export is withdrawn and given back"

    def change(self, export: str) -> str:  # noqa: ARG002 - nothing is left of it
        """Leave it out."""
        return ""

    def prove_effect(self) -> str:
        """The server answers, and refuses to have the export mounted."""
        written, _ = prove(
            "a mount of the export to be refused",
            lambda: self.write("x"),
            until=lambda seen: not seen[0].mounted,
        )
        return f"the server answers {self.aim['from']}, but refuses a mount: {written.said}"


@register
class ExportReadOnly(_Reconfigured):
    """An administrator makes the export read-only, and writable again."""

    name = "export-read-only"
    text = "the export becomes read-only"

    def change(self, export: str) -> str:
        """Let nobody write."""
        return export.replace("Access_Type = RW", "Access_Type = RO")

    def prove_effect(self) -> str:
        """A write through NFS is refused for that reason."""
        return self.refused("Read-only file system")


@register
class ExportFull(_ExportFault):
    """Not a block is free on the server's file system."""

    name = "export-full"
    text = "the export is full"

    def inject(self) -> None:
        """Take all that is free, also what is kept for root."""
        fill = ("sh", "-c", _FILL, "sh", EXPORT_PATH, _FILLER)
        self.site.server.execute(*fill, timeout=_FILL_SECONDS)

    def prove_effect(self) -> str:
        """Nothing is free, and a write through NFS is refused for that reason."""
        show = ("df", "--output=avail", "-B1", EXPORT_PATH)
        free = prove(
            "the file system to have nothing free",
            lambda: int(self.site.server.execute(*show).split()[-1]),
            until=lambda free: free == 0,
        )
        return f"{free} bytes are free; {self.refused('No space left on device', _MEBIBYTE)}"

    def heal(self) -> None:
        """Give the space back."""
        super().heal()
        self.site.server.execute("rm", "-f", _FILLER)

    def prove_healed(self) -> str:
        """What took the space is gone, and a write through NFS is on the server."""
        served = super().prove_healed()
        if self.site.server.inspector.exists("landfast-filler"):
            raise LandfastError(f"{_FILLER} is still there")
        show = ("df", "--output=avail", "-BM", EXPORT_PATH)
        return f"{served}; {self.site.server.execute(*show).split()[-1]} are free"
