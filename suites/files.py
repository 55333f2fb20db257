"""Files of others on the export, and what the server lists of all."""

import hashlib
from pathlib import PurePosixPath

from fixtures.bench import VolumeBench
from landfast.provisioning.bystanders import is_bystander
from landfast.provisioning.observed import file_of, text_of
from landfast.stack import Stack


def put(stack: Stack, directory: str) -> None:
    """Create a directory with a file in it that is named after it, as another user would."""
    name = PurePosixPath(directory).name
    stack.export.put({f"{directory}/{file_of(name)}": text_of(name)})


def observed_files(bench: VolumeBench) -> list[str]:
    """Record every file as `directory/owner.txt`, and ` (changed)` if its hash differs.

    Those of bystanders are left out: `VolumeBench.volume` looks after them.
    """
    export = bench.stack.export
    files = [path for path, entry in export.list().items() if entry.type == "file"]
    hashes = export.hashes([path for path in files if not is_bystander(path)])
    found = []
    for path, digest in hashes.items():
        written = hashlib.sha256(text_of(PurePosixPath(path).stem).encode()).hexdigest()
        found.append(path if digest == written else f"{path} (changed)")
    bench.steps.observe(f"the server has {found or 'no file'}")
    return found
