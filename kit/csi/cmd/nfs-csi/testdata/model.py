"""Answer `FuzzVolume` from the model of the contract: question and answer are lines of JSON."""

import json
import sys

from landfast.provisioning import csi
from landfast.provisioning.contract import PvcMeta


def answer(question: dict[str, str]) -> dict[str, str | int | bool]:
    """Return what a class makes of a PVC, and what the volume's handle says."""
    settings = csi.ClassSettings(
        question["server"],
        question["share"],
        sub_dir=question["sub_dir"],
        on_delete=question["on_delete"],
        mount_permissions=question["permissions"],
    )
    if csi.refusal(settings.parameters) is not None:
        return {"refused": True}
    pvc = PvcMeta("shop", "data")
    handle = csi.handle(settings, pvc, "pvc-1")
    return {
        "refused": False,
        "handle": handle,
        "directory": csi.directory(settings, pvc, "pvc-1"),
        "mode": csi.mode(settings),
        "source": "" if csi.mount_refusal(settings) else csi.mount_source(settings, pvc, "pvc-1"),
        **read(handle),
    }


def read(handle: str) -> dict[str, str | bool]:
    """Return what DeleteVolume makes of a handle."""
    volume = csi.parse(handle)
    if volume is None:
        return {"unreadable": True}
    return {"action": volume.action, "target": volume.directory, "archive": volume.archive}


for asked in sys.stdin:
    given = json.loads(asked)
    said = read(given["handle"]) if "handle" in given else answer(given)
    print(json.dumps(said), flush=True)  # noqa: T201 - to the test
