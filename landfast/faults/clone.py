"""Two NFS clients that call themselves the same, as clones of one virtual machine do."""

import operator
from collections.abc import Iterator

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Lasting, prove, register
from landfast.nfs import probe
from landfast.nfs.server import EXPORT_PATH
from landfast.waiting import wait_until

_FOLDER = "/run/landfast-clone"
_DATA_FILE = "mysql/ibdata1"
# The client takes its name when it first speaks to a server, so no other mount may be there.
_MOUNT = """
set -e
hostname "$1"
mkdir -p "$3"
mount -t nfs -o "nfsvers=$4,hard,retry=0" "$2" "$3"
"""
_UNMOUNT = """
! grep -q " $1 " /proc/mounts || umount -f -l "$1"
[ ! -d "$1" ] || rmdir "$1"
"""


@register
class NodeCloned(Lasting):
    """Another node mounts the export under the host name of MySQL's node.

    To the server it is MySQL's node after a reboot, whose opens and locks are then over: RFC 8881,
    18.35.4, and 8.1, of a client owner that is not unique.
    """

    name = "node-cloned"
    text = "another node with the host name of MySQL's node, as a cloned VM, mounts the export"

    def take_aim(self) -> dict[str, str]:
        node = self.site.node()
        return {"node": node, "other": next(n for n in self.site.workers if n != node)}

    def available(self) -> str | None:
        if self.site.env.nfs_client == "fuse":
            return "the FUSE client's name is not that of its host alone"
        if self._version().startswith("4.0"):
            return "the name of an NFSv4.0 client has its address in it"
        return None

    def note(self) -> None:
        """Free the other node of mounts; prove that MySQL holds its lock: else nothing is lost."""
        site, other = self.site, self.aim["other"]
        self._cordon(on=True)
        for pod in site.stack.provisioner_pods():
            if pod["spec"].get("nodeName") == other:
                site.kube.delete("Pod", pod["metadata"]["name"], site.stack.system_namespace)
        prove(
            f"{other} to mount nothing of the server",
            lambda: not any(self._mounts_on(other)),
            timeout=timeouts.GONE,
        )
        prove(
            "another node to be refused MySQL's lock",
            lambda: not probe.can_lock(site.engine, other, site.server.export, _DATA_FILE),
        )

    def inject(self) -> None:
        export = self.site.server.export
        source = f"{export.server}:{export.path}"
        words = [self.aim["node"], source, _FOLDER, self._version()]
        self._on_other("unshare", "--uts", "sh", "-c", _MOUNT, "sh", *words)

    def prove_effect(self) -> str:
        prove("the other node's mount", self.still_there)
        lock = ["flock", "--exclusive", "--nonblock", f"{_FOLDER}/{_DATA_FILE}", "echo", "locked"]
        prove("the other node to get MySQL's lock", lambda: self._on_other(*lock))
        return (
            f"{self.aim['other']} mounts the export as {self.aim['node']}, and got the lock on "
            f"{_DATA_FILE}, which it had been refused under its own name"
        )

    def still_there(self) -> bool:
        return f" {_FOLDER} " in self._on_other("cat", "/proc/mounts")

    def heal(self) -> None:
        self._on_other("sh", "-c", _UNMOUNT, "sh", _FOLDER)
        self._cordon(on=False)

    def prove_healed(self) -> str:
        self.wait_over("the other node's mount to be gone", timeout=10)
        wait_until(
            f"{self.aim['other']} to take pods",
            lambda: self.site.kube.get("Node", self.aim["other"])["spec"].get("unschedulable"),
            until=operator.not_,
            timeout=10,
        )
        return f"{self.aim['other']} no longer mounts the export, and takes pods"

    def _on_other(self, *argv: str) -> str:
        return self.site.on_node(self.aim["other"], *argv)

    def _cordon(self, *, on: bool) -> None:
        self.site.kube.patch("Node", self.aim["other"], {"spec": {"unschedulable": on or None}})

    def _mounts_on(self, node: str) -> Iterator[str]:
        """Yield the options of each mount of the server's export on a node."""
        source = f"{self.site.server.address}:{EXPORT_PATH}"
        for line in self.site.on_node(node, "cat", "/proc/mounts").splitlines():
            if line.startswith(source):
                yield line.split()[3]

    def _version(self) -> str:
        """Return the version with which MySQL's node mounts the export: `4.2`."""
        node = self.aim["node"]
        for mounted in self._mounts_on(node):
            return dict(o.partition("=")[::2] for o in mounted.split(",")).get("vers", "")
        raise LandfastError(f"{node} mounts nothing of {self.site.server.address}")
