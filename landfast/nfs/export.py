"""An NFS export, as clients name it."""

from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Export(BaseModel):
    """Where an export is. A value: workers get it as JSON.

    A mount needs `server` and `path`. `container` is the server's, if the run owns it; otherwise
    the inspector is the pod `inspector` (namespace, name). One that is `unseen` has neither: a run
    that judges a class through pods alone does not know it. `mount_options` are those that all
    volumes on it get besides their own.
    """

    model_config = ConfigDict(frozen=True)

    server: str
    path: str
    kind: Literal["container", "external", "unseen"]
    container: str | None = None
    inspector: tuple[str, str] | None = None
    mount_options: tuple[str, ...] = ()

    @property
    def seen(self) -> bool:
        """Whether the run can look at the export other than through pods with its volumes."""
        return self.kind != "unseen"

    def mounted_with(self, options: tuple[str, ...]) -> "Export":
        """Return the export with other mount options."""
        return self.model_copy(update={"mount_options": options})

    def at(self, relative: str) -> str:
        """Return the server's path of a folder inside the export; "" and "." are its root."""
        return str(PurePosixPath(self.path) / relative)


UNSEEN = Export(server="", path="/", kind="unseen")
"""The export of a class that is judged through pods alone."""
