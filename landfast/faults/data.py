"""A fault of the data itself: MySQL gets an empty directory, as from a lost volume."""

import secrets

from landfast import timeouts
from landfast.faults.base import Momentary, prove, register


@register
class DataDirectorySwapped(Momentary):
    """An empty folder replaces the data directory; MySQL initialises it and is Ready.

    Healing does not bring the data back: it is lost, as with a lost volume.
    """

    name = "data-directory-swapped"
    text = "an empty folder replaces MySQL's data directory"
    server_uuid = ""

    def take_aim(self) -> dict[str, str]:
        return {"kept": f"swapped-{secrets.token_hex(4)}"}

    def note(self) -> None:
        self.server_uuid = self.site.stack.mysql.identity().server_uuid

    def inject(self) -> None:
        self.site.stack.export.move("mysql", self.aim["kept"])
        self.site.stack.export.make_folder("mysql")
        self.site.delete_pod(grace_seconds=0)

    def prove_effect(self) -> str:
        is_swapped = self.site.stack.export.exists(self.aim["kept"])
        found = prove(
            "MySQL to answer with another id",
            lambda: self.site.stack.mysql.identity().server_uuid,
            until=lambda uuid: uuid != self.server_uuid,
            timeout=timeouts.MYSQL_READY if is_swapped else timeouts.EFFECT,
        )
        return f"MySQL answers as {found}; before, it was {self.server_uuid}"

    def heal(self) -> None:
        self.site.stack.export.remove(self.aim["kept"])

    def prove_healed(self) -> str:
        self.site.stack.wait_for_mysql()
        return "MySQL answers"
