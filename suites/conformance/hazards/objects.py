"""What the hazards change about the provisioner and its classes."""

from landfast.kube.client import Object
from landfast.provisioning.bystanders import is_bystander
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


def folders(stack: Stack) -> list[str]:
    """Return what lies in the stack's part of the export, without bystanders."""
    return [name for name in stack.export.list(depth=1) if not is_bystander(name)]
