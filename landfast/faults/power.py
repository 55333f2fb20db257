"""Power losses of the NFS server, alone and together with its client."""

import secrets

from landfast.faults.base import prove, register
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
    inode = 0

    def note(self) -> None:
        """Write two files, of which only one is synced; remember the file that is the disk.

        A server that lies about its syncs flushes here, for the last time: what it loses is what
        it has acknowledged since. Else its kernel would choose by itself what reaches the disk,
        and leave a database that cannot be read: no loss that could be counted.
        """
        server = self.site.server
        self.token = secrets.token_hex(16)
        server.inspector.write(_SYNCED, f"{_SYNCED} {self.token}")
        if server.mode() == "lying":
            server.flush()
        else:
            server.execute("sync", f"{EXPORT_PATH}/{_SYNCED}")
        server.inspector.write(_UNSYNCED, f"{_UNSYNCED} {self.token}")
        self.inode = server.disk_inode()

    def inject(self) -> None:
        """Cut its power."""
        self.site.server.cut_power()

    def prove_effect(self) -> str:
        """It has ended, its disk is another one, and has only what was synced."""
        server = self.site.server
        ended = f"{self.ended()}; {self.no_answer()}"
        inode = prove(
            "the disk to be the copy", server.disk_inode, until=lambda inode: inode != self.inode
        )
        prove(
            "the disk to have what was synced, and not what was only written",
            lambda: [server.disk_holds(f"{file} {self.token}") for file in (_SYNCED, _UNSYNCED)],
            until=lambda found: found == [True, False],
        )
        return (
            f"{ended}; its disk is the copy (inode {inode}, before: {self.inode}): it has the "
            "file that was synced just before, and not the one that was only written"
        )

    def heal(self) -> None:
        """Start it on what is left."""
        super().heal()
        for file in (_SYNCED, _UNSYNCED):
            self.site.server.inspector.remove(file)


@register
class PowerLossEverywhere(NfsPowerLoss):
    """Server and client lose their power: nobody is left who could send again what is gone."""

    name = "power-loss-everywhere"
    text = "the NFS server and MySQL's node lose their power"

    def take_aim(self) -> dict[str, str]:
        """Note MySQL's node; another one looks at the server."""
        return {"from": self.site.control_plane, "node": self.site.node()}

    @property
    def _node(self) -> NodePowerOff:
        return NodePowerOff(self.site, self.aim)

    def inject(self) -> None:
        """Cut the server's power, then that of the node, which waits for the server meanwhile."""
        super().inject()
        self._node.inject()

    def prove_effect(self) -> str:
        """Both have lost it, before either came back."""
        return f"{super().prove_effect()}; {self._node.prove_effect()}"

    def heal(self) -> None:
        """Start both, in the order in which they were made.

        The engine gives the lowest address that is free: the other way round, the server would
        get the node's.
        """
        self._node.heal()
        super().heal()

    def prove_healed(self) -> str:
        """Both are there again."""
        return f"{super().prove_healed()}; {self._node.prove_healed()}"
