"""A server that is silent for so long that a soft mount gives its requests up."""

from landfast.faults.base import prove, register
from landfast.faults.network import NfsPortDropped
from landfast.faults.processes import container_of, end_of
from landfast.nfs.server import LEASE_SECONDS

_GIVES_UP_SECONDS = LEASE_SECONDS + 40


@register
class NfsHostFreeze(NfsPortDropped):
    """The server and its kernel are frozen until mysqld ends over I/O errors.

    As long as the server's kernel confirms what it gets, NFSv4 waits: the kernel's client counts a
    mount's timeouts from when the connection breaks, after a silence as long as the lease
    (net/sunrpc/clnt.c, rpc_check_timeout). So the packets of a frozen process must be dropped, too.
    A write that failed fails every close of its file, until someone syncs that file or it is
    unmounted (include/linux/errseq.h): MySQL starts again only once its pod is deleted.
    """

    name = "nfs-host-freeze"
    text = (
        "the NFS server and its kernel are frozen until mysqld ends over I/O errors; then its pod "
        "is deleted"
    )
    mysqld = ""

    def note(self) -> None:
        self.mysqld, _ = container_of(self.site.pod())

    def inject(self) -> None:
        super().inject()
        self.site.server.freeze()

    def prove_effect(self) -> str:
        cut_off = super().prove_effect()
        prove("the server to be frozen", self._is_frozen)
        ended = prove(
            "mysqld to end over what its mount gave up",
            lambda: end_of(self.site.pod(), self.mysqld),
            timeout=_GIVES_UP_SECONDS,
        )
        at, code = ended["finishedAt"], ended["exitCode"]
        return (
            f"{cut_off}; {self.site.server.name} is frozen; mysqld ended at {at}, exit code {code}"
        )

    def _is_frozen(self) -> bool:
        return self.site.server.state().is_paused

    def still_there(self) -> bool:
        return super().still_there() and self._is_frozen()

    def heal(self) -> None:
        self.site.server.start()
        super().heal()
        self.site.delete_pod()
