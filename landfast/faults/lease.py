"""A lease that runs out: the server gives up a client that lives on, and with it its locks."""

import time

from landfast.errors import LandfastError
from landfast.faults.base import prove, register
from landfast.faults.network import NfsPortDropped
from landfast.nfs import probe
from landfast.nfs.server import LEASE_SECONDS

_DATA_FILE = "mysql/ibdata1"
_SLACK_SECONDS = 15  # the server looks for leases that are over every few seconds


@register
class NfsLeaseOver(NfsPortDropped):
    """A partition that the server does not wait for: another client can have MySQL's lock."""

    name = "nfs-lease-over"
    text = (
        "packets between MySQL's node and the NFS server are dropped until the node's lease of "
        f"{LEASE_SECONDS} s has run out"
    )
    began = 0.0

    def take_aim(self) -> dict[str, str]:
        aim = super().take_aim()
        return {**aim, "other": next(n for n in self.site.workers if n != aim["node"])}

    def note(self) -> None:
        """Prove that MySQL holds its lock on the server: otherwise nothing can be lost."""
        prove("another node to be refused MySQL's lock", lambda: not self._is_free())
        self.began = time.monotonic()

    def prove_effect(self) -> str:
        cut_off = super().prove_effect()
        prove(
            "the lease to run out: another node to get MySQL's lock",
            self._is_free,
            timeout=LEASE_SECONDS + _SLACK_SECONDS,
        )
        after = time.monotonic() - self.began
        return (
            f"{cut_off}; the lease is over: {self.aim['other']}, refused before, got the lock on "
            f"{_DATA_FILE} {after:.0f} s after the injection"
        )

    def _is_free(self) -> bool:
        server, other = self.site.server, self.aim["other"]
        if not probe.answers(self.site.engine, other, server.address):
            raise LandfastError(f"{server.address} does not answer NFS calls from {other}")
        return probe.can_lock(self.site.engine, other, server.export, _DATA_FILE)
