"""Directories of others that stand beside a volume: whatever becomes of it must spare them.

Their names begin like the volume's own: a provisioner that deletes or archives `NAME*`, or all that
begins with the namespace and the name of the PVC, takes them along.
"""

import hashlib
from pathlib import PurePosixPath

from landfast.nfs.inspector import ExportInspector
from landfast.provisioning.volumes import BoundVolume

_MARK = "-bystander"


def is_bystander(path: str) -> bool:
    """Whether a path on the export is a bystander's, or lies in one."""
    return any(part.endswith(_MARK) for part in PurePosixPath(path).parts)


class Bystanders:
    """The directories beside one volume, each with a file that is named after it."""

    def __init__(self, volume: BoundVolume) -> None:
        self._export: ExportInspector = volume.stack.export
        own = volume.directory if volume.on_export else ""
        pvc = volume.pvc
        names = [
            *([f"{own}{_MARK}"] if own else []),
            f"{pvc.namespace}-{pvc.name}-2-{volume.name}{_MARK}",
            f"unrelated{_MARK}",
        ]
        self._files = {f"{name}/bystander.txt": f"written for {name}" for name in names}

    def put(self) -> None:
        """Create them on the server."""
        self._export.put(self._files)

    def difference(self) -> str:
        """Return what has become of them, if anything has; empty if they are as they were."""
        there = self._export.list()
        missing = [path for path in self._files if path not in there]
        if missing:
            return f"directories of others are gone: {', '.join(_folders(missing))}"
        written = {p: hashlib.sha256(text.encode()).hexdigest() for p, text in self._files.items()}
        hashes = self._export.hashes([*self._files])
        changed = [path for path, digest in hashes.items() if digest != written[path]]
        return f"data of others has changed: {', '.join(_folders(changed))}" if changed else ""


def _folders(files: list[str]) -> list[str]:
    return [str(PurePosixPath(file).parent) for file in files]
