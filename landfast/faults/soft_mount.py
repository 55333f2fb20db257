"""A server that is silent for so long that a soft mount gives its requests up."""

import re

from landfast.faults.base import prove, register
from landfast.faults.network import NfsPortDropped
from landfast.nfs.server import LEASE_SECONDS

_GIVES_UP_SECONDS = LEASE_SECONDS + 40
# InnoDB's own line, the same in MySQL and MariaDB, has the number
_IO_ERROR = re.compile(r".*(?:Input/output error|error number 5\b|\bEIO\b).*")


@register
class NfsHostFreeze(NfsPortDropped):
    """The server and its kernel are frozen until mysqld gets I/O errors.

    As long as the server's kernel confirms what it gets, NFSv4 waits: the kernel's client counts a
    mount's timeouts from when the connection breaks, after a silence as long as the lease
    (net/sunrpc/clnt.c, rpc_check_timeout). So the packets of a frozen process must be dropped, too.
    """

    name = "nfs-host-freeze"
    text = "the NFS server and its kernel are frozen until mysqld gets I/O errors"

    def inject(self) -> None:
        super().inject()
        self.site.server.freeze()

    def prove_effect(self) -> str:
        cut_off = super().prove_effect()
        prove("the server to be frozen", self._is_frozen)
        line = prove("mysqld to get an I/O error", self._io_error, timeout=_GIVES_UP_SECONDS)
        return f"{cut_off}; {self.site.server.name} is frozen; mysqld says: {line}"

    def _io_error(self) -> str:
        log = self.site.kube.logs(self.site.stack.namespace, self.site.pod_name, container="mysql")
        found = _IO_ERROR.search(log)
        return found.group().strip() if found else ""

    def _is_frozen(self) -> bool:
        return self.site.server.state().is_paused

    def still_there(self) -> bool:
        return super().still_there() and self._is_frozen()

    def heal(self) -> None:
        self.site.server.start()
        super().heal()
