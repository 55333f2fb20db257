"""What is seen of a volume, and how that compares with the fate that it should have."""

from dataclasses import dataclass

from landfast.provisioning.contract import Fate

GONE = "gone"
"""The phase of a volume that no longer exists."""


def file_of(owner: str) -> str:
    """Return the name of the file that marks the data of an owner, such as a PVC."""
    return f"{owner}.txt"


def text_of(owner: str) -> str:
    """Return the text of that file."""
    return f"written for {owner}"


@dataclass(frozen=True)
class ObservedVolume:
    """What the API and the NFS server show of a volume.

    Attributes:
        phase: the volume's phase, `gone` if it no longer exists.
        data: the directories that contain its file, relative to the stack's export; "" is the
            export itself.
        intact: whether every such file still has the hash of what was written.
        directory: whether the volume's own directory exists.
        events: reasons and messages of the volume's events.
    """

    phase: str
    data: tuple[str, ...]
    intact: bool
    directory: bool
    events: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the observation as a sentence."""
        content = "unchanged (sha256)" if self.intact else "changed"
        where = f"{_named(self.data)}, {content}" if self.data else "nowhere"
        exists = "exists" if self.directory else "does not exist"
        return f"volume {self.phase}; its data is {where}; its own directory {exists}"

    def difference(self, expected: Fate) -> str:
        """Return how this differs from a fate; empty if it does not. Events do not count."""
        found = []
        if self.phase != expected.phase:
            found.append(f"the volume is {self.phase}, not {expected.phase}")
        data = () if expected.data is None else (expected.data,)
        if self.data != data:
            found.append(f"the data is {_named(self.data)}, not {_named(data)}")
        if not self.intact:
            found.append("the data differs from what was written")
        if self.directory != expected.directory_stays:
            exists = "still exists" if self.directory else "no longer exists"
            found.append(f"the volume's directory {exists}")
        return "; ".join(found)


def _named(directories: tuple[str, ...]) -> str:
    named = (f"in {name}" if name else "in the export's root" for name in directories)
    return " and ".join(named) or "nowhere"
