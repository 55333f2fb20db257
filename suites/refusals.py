"""PVCs that a provisioner has to refuse."""

from typing import Any

from landfast import timeouts
from landfast.provisioning.contract import PvcMeta
from landfast.provisioning.objects import Parameters, pvc_object
from landfast.provisioning.volumes import STAYS_SECONDS, removed, temporary_class
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.objects import stays_pending, with_spec


def refused(stack: Stack, name: str, settings: Parameters, test: Steps, **spec: Any) -> list[str]:
    """Create a class and a PVC of it, verify that it is refused; return what its events say.

    `spec` has further fields of the PVC's spec. Class and PVC are removed.

    Raises:
        Refuted: no event reports the refusal.
        NotStable: the PVC does not stay Pending.
    """
    pvc = PvcMeta(stack.namespace, name)
    with temporary_class(stack, name, settings), removed(stack, pvc):
        given = spec or "nothing odd"
        with test.step(f"create a PVC with {given} of a class with {settings.parameters}"):
            stack.make(with_spec(pvc_object(pvc, name), **spec))
        with test.verify("an event ProvisioningFailed reports the refusal"):
            messages = wait_until(
                f"an event ProvisioningFailed of PVC {name}",
                lambda: [
                    str(event["message"])
                    for event in stack.kube.events(stack.namespace, name=name)
                    if event["reason"] == "ProvisioningFailed"
                ],
                give_up=lambda _said: _bound(stack, name),
                timeout=timeouts.REFUSAL,
            )
        stays_pending(stack, name, seconds=STAYS_SECONDS)
        test.observe(f"the PVC stays Pending; events: {messages}")
        return messages


def _bound(stack: Stack, name: str) -> str | None:
    """Return that a PVC is bound after all, or None."""
    status = stack.kube.get("PersistentVolumeClaim", name, stack.namespace).get("status", {})
    return "the PVC is Bound, so nothing was refused" if status.get("phase") == "Bound" else None
