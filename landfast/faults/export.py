"""Faults of the export: the server answers, but refuses what a node asks for.

After a write that failed, the kernel's client fails each close of the file until someone syncs it
or it is unmounted (include/linux/errseq.h): so that MySQL can start again, its pod is deleted.
"""

from typing import ClassVar

from landfast import timeouts
from landfast.faults.base import Lasting, prove, register
from landfast.faults.nfs_server import ServerFault
from landfast.nfs.own_server import Access
from landfast.nfs.probe import Written
from landfast.nfs.server import EXPORT_PATH
from landfast.waiting import wait_until

_FILLER = "landfast-filler"
_MEBIBYTE = "x" * (1 << 20)
# fallocate is quick, but leaves the last blocks; dd fills those.
_FILL = """
fallocate -l "$(($(stat -f -c "%f * %S" "$1")))" "$2" 2>/dev/null || true
! dd if=/dev/zero of="$2" bs=4k oflag=append conv=notrunc status=none 2>/dev/null
"""


class _ExportFault(Lasting, ServerFault):
    """The server answers, but refuses a probe from a node."""

    probe_text = "x"
    """What the probe writes."""

    def is_refused(self, written: Written) -> bool:
        raise NotImplementedError

    def prove_effect(self) -> str:
        written, _ = prove(
            f"a probe to be refused, for the fault {self.name}",
            lambda: self.write(self.probe_text),
            until=lambda seen: self.is_refused(seen[0]),
        )
        what = "a write" if written.mounted else "a mount"
        return f"the server answers {self.aim['from']}, but refuses {what}: {written.said}"

    def still_there(self) -> bool:
        return self.is_refused(self.write(self.probe_text)[0])


class _ServedOtherwise(_ExportFault):
    """The server gives other access to the export."""

    access: ClassVar[Access]

    def inject(self) -> None:
        self.site.server.serve(self.access)

    def heal(self) -> None:
        super().heal()
        self.site.server.serve("rw")
        self.site.replace_pod()


@register
class ExportWithdrawn(_ServedOtherwise):
    name = "export-withdrawn"
    text = "the export is withdrawn and given back; then MySQL's pod is deleted"
    access = "none"

    def is_refused(self, written: Written) -> bool:
        return not written.mounted


@register
class ExportReadOnly(_ServedOtherwise):
    name = "export-read-only"
    text = "the export becomes read-only; once it is not, MySQL's pod is deleted"
    access = "ro"

    def is_refused(self, written: Written) -> bool:
        return not written.made and "Read-only file system" in written.said


@register
class ExportFull(_ExportFault):
    name = "export-full"
    text = "the export is full; once it is not, MySQL's pod is deleted"
    probe_text = _MEBIBYTE

    def inject(self) -> None:
        fill = ("sh", "-c", _FILL, "sh", EXPORT_PATH, f"{EXPORT_PATH}/{_FILLER}")
        self.site.server.execute(*fill, timeout=timeouts.HEALTHY)

    def is_refused(self, written: Written) -> bool:
        return not written.made and "No space left on device" in written.said

    def prove_effect(self) -> str:
        prove("the file system to have nothing free", lambda: self._free("1") == "0")
        return f"0 bytes are free; {super().prove_effect()}"

    def still_there(self) -> bool:
        """Whether the space is still taken; mysqld, when it ends, frees some of its own."""
        return self.site.server.inspector.exists(_FILLER)

    def heal(self) -> None:
        super().heal()
        self.site.server.execute("rm", "-f", f"{EXPORT_PATH}/{_FILLER}")
        self.site.replace_pod()

    def prove_healed(self) -> str:
        served = super().prove_healed()
        wait_until(
            f"{_FILLER} to be gone",
            lambda: self.site.server.inspector.exists(_FILLER),
            until=lambda exists: not exists,
            timeout=timeouts.CONTAINER_STATE,
        )
        return f"{served}; {self._free('M')} are free"

    def _free(self, unit: str) -> str:
        shown = self.site.server.execute("df", "--output=avail", f"-B{unit}", EXPORT_PATH)
        return shown.split()[-1]
