"""What the hazards change about the provisioner and its classes; what the server lists then."""

import hashlib
from pathlib import PurePosixPath

from fixtures.provisioner import Bench
from landfast.kube.client import Object
from landfast.provisioning.bystanders import is_bystander
from landfast.provisioning.observed import file_of, text_of
from landfast.stack import Change, Stack

PATH = "landfast/path"
BY_ANNOTATION = f"${{.PVC.annotations.{PATH}}}"
"""A pathPattern that takes the volume's directory from the PVC's annotation `PATH`."""


def variable(name: str, value: str) -> Change:
    """Return a change that sets a variable of a Deployment; `{}` stands for its former value."""

    def change(obj: Object) -> Object:
        if obj["kind"] == "Deployment":
            for entry in obj["spec"]["template"]["spec"]["containers"][0]["env"]:
                if entry["name"] == name:
                    entry["value"] = value.format(entry["value"])
        return obj

    return change


def put(stack: Stack, directory: str) -> None:
    """Create a directory with a file in it that is named after it, as another user would."""
    stack.export.put({f"{directory}/{file_of(directory)}": text_of(directory)})


def observed_files(bench: Bench) -> list[str]:
    """Record every file as `directory/owner.txt`, and ` (changed)` if its hash differs.

    Those of bystanders are left out: `Bench.volume` looks after them.
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


def folders(stack: Stack) -> list[str]:
    """Return what lies in the stack's part of the export, without bystanders."""
    return [name for name in stack.export.list(depth=1) if not is_bystander(name)]
