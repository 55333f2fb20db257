"""What the hazards change about the provisioner and its classes; what the server lists then."""

import hashlib
from pathlib import PurePosixPath

from fixtures.provisioner import Bench
from landfast.kube.client import Object
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
    stack.export.make_folder(directory)
    stack.export.write(f"{directory}/{file_of(directory)}", text_of(directory))


def observed_files(bench: Bench) -> list[str]:
    """Record every file as `directory/owner.txt`, and ` (changed)` if its hash differs."""
    export = bench.stack.export
    hashes = export.hashes([p for p, entry in export.list().items() if entry.type == "file"])
    found = []
    for path, digest in hashes.items():
        written = hashlib.sha256(text_of(PurePosixPath(path).stem).encode()).hexdigest()
        found.append(path if digest == written else f"{path} (changed)")
    bench.steps.observe(f"the server has {found or 'no file'}")
    return found


def folders(stack: Stack) -> list[str]:
    return [*stack.export.list(depth=1)]
