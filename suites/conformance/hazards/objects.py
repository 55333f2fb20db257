"""What the hazards change about the provisioner and its classes."""

from landfast.kube.client import Object
from landfast.stack import Change

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
