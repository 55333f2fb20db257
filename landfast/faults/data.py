"""A fault of the data itself: MySQL is given an empty directory, as a lost volume gives it."""

import secrets

from landfast.errors import LandfastError
from landfast.faults.base import Fault, prove, register
from landfast.waiting import wait_until

_FRESH_SECONDS = 90


@register
class DataDirectorySwapped(Fault):
    """An empty folder takes the place of the data directory; MySQL initialises it and is Ready."""

    name = "data-directory-swapped"
    text = "an empty folder takes the place of MySQL's data directory"
    server_uuid = ""

    def take_aim(self) -> dict[str, str]:
        """Choose where the old directory goes."""
        return {"kept": self.site.stack.folder(f"swapped-{secrets.token_hex(4)}")}

    def note(self) -> None:
        """Remember the server's id."""
        self.server_uuid = self.site.stack.mysql.identity().server_uuid

    def inject(self) -> None:
        """Swap the folders on the server and let the pod be made again."""
        inspector, folder = self.site.server.inspector, self.site.stack.folder("mysql")
        inspector.move(folder, self.aim["kept"])
        inspector.make_folder(folder)
        self.site.kube.delete("Pod", "mysql-0", self.site.stack.namespace, grace_seconds=0)

    def prove_effect(self) -> str:
        """MySQL answers, with another id."""
        is_swapped = self.site.server.inspector.exists(self.aim["kept"])
        found = prove(
            "MySQL to answer with another id",
            self._identity,
            until=lambda uuid: uuid not in ("", self.server_uuid),
            timeout=_FRESH_SECONDS if is_swapped else 5,
        )
        return f"MySQL answers as {found}, it was {self.server_uuid}"

    def heal(self) -> None:
        """Remove what was put aside: the data is lost, as that of a lost volume is."""
        self.site.server.inspector.remove(self.aim["kept"])

    def prove_healed(self) -> str:
        """MySQL answers."""
        wait_until("MySQL to answer", self._identity, timeout=_FRESH_SECONDS)
        return "MySQL answers"

    def _identity(self) -> str:
        try:
            return self.site.stack.mysql.identity().server_uuid
        except LandfastError:
            return ""
