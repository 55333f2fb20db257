"""For every claim of the suite, one change that makes it untrue."""

from fixtures.sabotage import Sabotage, Target
from suites.conformance.reclaim.matrix import CELLS
from suites.conformance.reclaim.recycling import CONTENTS, restore_image
from suites.sabotages import before, execute_on_server, of_class, of_policy, uses, without_effect


def clear_claimref(target: Target, pvc: str) -> None:
    """Remove the claimRef of the volume that a PVC of this name had."""
    stack = target.stack
    for pv in stack.kube.list("PersistentVolume"):
        ref = pv["spec"].get("claimRef", {})
        if (ref.get("namespace"), ref.get("name")) == (stack.namespace, pvc):
            cleared = {"spec": {"claimRef": None}}
            stack.kube.patch("PersistentVolume", pv["metadata"]["name"], cleared)


def remove_neighbour(target: Target, _pvc: str) -> None:
    execute_on_server(target, "rm", "-rf", f"{target.stack.overlay.root}/outside/precious.txt")


_NOT_PATCHED = without_effect("patch", "PersistentVolume")
_NO_CHANGE = Sabotage("the change of the policy has no effect", _NOT_PATCHED)
_KEPT = of_class(onDelete="retain")

SABOTAGES = {
    **{c.claim.id: Sabotage("one setting of the volume or its class is changed") for c in CELLS},
    **{
        content.claim.id: Sabotage("the volume's policy is Retain", of_policy("Retain"))
        for content in CONTENTS
    },
    "reclaim.recycle-spares-what-symlinks-point-to": Sabotage(
        "what lies beside the volume is removed with its PVC",
        before("delete", "PersistentVolumeClaim", remove_neighbour),
    ),
    "reclaim.provisioner-follows-a-contract": Sabotage("every class says onDelete: retain", _KEPT),
    "reclaim.policy-changed-to-retain-is-obeyed": _NO_CHANGE,
    "reclaim.policy-changed-back-is-obeyed": Sabotage("the class says onDelete: retain", _KEPT),
    "reclaim.policy-changed-after-release-is-obeyed": _NO_CHANGE,
    "reclaim.released-volume-is-not-bound-again": Sabotage(
        "the volume's claimRef is removed before the new PVC is created",
        before("create", "PersistentVolumeClaim", clear_claimref),
    ),
    "reclaim.cleared-claimref-gives-the-data-back": Sabotage(
        "the removal of the claimRef has no effect", _NOT_PATCHED
    ),
    "reclaim.recycle-waits-for-pods": Sabotage(
        "the pod mounts an emptyDir instead of the PVC", uses(emptyDir={})
    ),
    "reclaim.recycle-without-its-image-keeps-the-data": Sabotage(
        "the image is back before the PVC is deleted",
        before(
            "delete", "PersistentVolumeClaim", lambda target, _: restore_image(target.stack.env)
        ),
    ),
}
