"""An NFS export, as clients name it."""

from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Export(BaseModel):
    """Where an export is. A value: workers get it as JSON.

    A mount needs `server` and `path`. `container` is the server's, if the run owns it; otherwise
    the inspector is the pod `inspector` (namespace, name).
    """

    model_config = ConfigDict(frozen=True)

    server: str
    path: str
    kind: Literal["container", "external"]
    container: str | None = None
    inspector: tuple[str, str] | None = None

    def at(self, relative: str) -> str:
        """Return the server's path of a folder inside the export; "" and "." are its root."""
        return str(PurePosixPath(self.path) / relative)
