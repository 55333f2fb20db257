"""Power losses of the NFS server, alone and together with its client."""

import secrets

from landfast.faults.base import prove, register
from landfast.faults.composite import Composite
from landfast.faults.nfs_server import NfsKill
from landfast.faults.nodes import NodePowerOff
from landfast.nfs.server import EXPORT_PATH

_SYNCED, _UNSYNCED = "landfast-canary-synced", "landfast-canary-unsynced"


@register
class NfsPowerLoss(NfsKill):
    """The server loses its power: what had not reached its disk is gone."""

    name = "nfs-power-loss"
    text = "the NFS server loses its power"
    token = ""
    before = ""

    def take_aim(self) -> dict[str, str]:
        return {"from": self.site.control_plane}

    def note(self) -> None:
        """Write two files and sync only one of them.

        A lying server flushes here for the last time, so that it loses exactly what it acknowledged
        from now on. Otherwise its kernel would choose what reaches the disk, and might leave a
        database that cannot be read: a loss, but not one that can be counted.
        """
        server = self.site.server
        self.token = secrets.token_hex(16)
        server.inspector.write(_SYNCED, f"{_SYNCED} {self.token}")
        if server.mode() == "lying":
            server.flush()
        else:
            server.execute("sync", f"{EXPORT_PATH}/{_SYNCED}")
        server.inspector.write(_UNSYNCED, f"{_UNSYNCED} {self.token}")
        self.before = server.last_power_loss()

    def inject(self) -> None:
        self.site.server.cut_power()

    def prove_effect(self) -> str:
        server = self.site.server
        ended = super().prove_effect()
        lost = prove(
            "the server to have lost its memory",
            server.last_power_loss,
            until=lambda now: now != self.before,
        )
        prove(
            "the disk to have what was synced, and not what was only written",
            lambda: [server.disk_holds(f"{file} {self.token}") for file in (_SYNCED, _UNSYNCED)],
            until=lambda found: found == [True, False],
        )
        return (
            f"{ended}; {lost} (before: {self.before}): the disk has the file that was synced just "
            "before, and not the one that was only written"
        )

    def heal(self) -> None:
        super().heal()
        for file in (_SYNCED, _UNSYNCED):
            self.site.server.inspector.remove(file)


@register
class PowerLossEverywhere(Composite):
    """Server and client lose their power: nobody is left to send again what is gone.

    The server goes first, and the node waits for it until it goes as well. The node comes back
    first: the engine assigns the lowest free address, and a server started first would take the
    node's.
    """

    name = "power-loss-everywhere"
    text = "the NFS server and MySQL's node lose their power"
    parts = (NfsPowerLoss, NodePowerOff)
