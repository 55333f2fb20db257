"""Step 2: the provisioner's rights suffice, and each of them is needed."""

import re
from dataclasses import dataclass

import pytest

from fixtures.stacks import NewStack
from landfast import timeouts
from landfast.kube.client import KubeError
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import stays_true, wait_until
from suites.conformance.walkthrough.volumes import delete_pvc, provision
from suites.objects import pvc

_STAYS_SECONDS = 3
_REFUSED_WITHOUT = {
    "ServiceAccount": 'serviceaccount "nfs-client-provisioner" not found',
    "ClusterRole": "list persistentvolumeclaims",
    "ClusterRoleBinding": "list persistentvolumeclaims",
    "Role": "get endpoints",
    "RoleBinding": "get endpoints",
}


def logs(stack: Stack) -> str:
    pods = stack.kube.list("Pod", stack.system_namespace)
    return "\n".join(stack.kube.logs(stack.system_namespace, p["metadata"]["name"]) for p in pods)


@pytest.mark.claim("walkthrough.rbac-suffices")
def test_provisioner_works_with_no_right_beyond_its_own(stack: Stack, test: Steps) -> None:
    with test.step("deploy the provisioner"):
        stack.deploy_provisioner()
    with test.verify("it makes a PV for a PVC, and removes it with the PVC"):
        pv = provision(stack, "data")
        delete_pvc(stack, "data", pv)
    granted = sorted(
        f"{binding['kind']} {binding['metadata']['name']}"
        for kind in ("ClusterRoleBinding", "RoleBinding")
        for binding in stack.kube.list(kind)
        if any(s.get("namespace") == stack.system_namespace for s in binding.get("subjects") or ())
    )
    forbidden = [line for line in logs(stack).splitlines() if "forbidden" in line]
    test.observe(f"{pv['metadata']['name']} was made and reclaimed; its rights come from {granted}")
    test.observe(f"refused by the API server: {forbidden or 'nothing'}")
    assert forbidden == [], "the API server refused a request of the provisioner"
    assert len(granted) == 2, "it has more rights than the reference grants"


@dataclass(frozen=True)
class Copy:
    """A provisioner that lacks one right, and what the API server refuses it for that."""

    missing: str
    refused: str
    stack: Stack

    def refusals(self) -> set[str]:
        """Return what the API server has refused, as the provisioner's log or an event has it."""
        said = logs(self.stack)
        for event in self.stack.kube.events(self.stack.system_namespace):
            said += event["message"]
        lacks = re.findall(r'cannot (\w+) resource \\?"(\w+)', said)
        account = re.findall(r'serviceaccount "[\w-]+" not found', said)
        return {f"{verb} {resource}" for verb, resource in lacks} | set(account)

    def wait_for_refusal(self) -> set[str]:
        """Wait until the missing right is refused, and return all that was refused."""
        return wait_until(
            f"the copy without {self.missing} to be refused: {self.refused}",
            self.refusals,
            until=lambda found: self.refused in found,
            timeout=timeouts.CONTROLLER_OBSERVES,
            ignoring=(KubeError,),
        )

    def phase(self) -> str:
        pvc = self.stack.kube.get("PersistentVolumeClaim", "data", self.stack.namespace)
        return str(pvc["status"]["phase"])


@pytest.mark.claim("walkthrough.each-right-is-needed")
def test_provisioner_does_not_work_without_any_one_right(
    stack: Stack, new_stack: NewStack, test: Steps
) -> None:
    copies = []
    with test.step("deploy five copies, each lacking one right, and one that lacks none"):
        for missing, refused in _REFUSED_WITHOUT.items():
            copy = Copy(missing, refused, new_stack())
            for obj in copy.stack.objects("provisioner-rbac"):
                if obj["kind"] != missing:
                    copy.stack.kube.create(obj)
            copy.stack.create("provisioner", "storageclass")
            copy.stack.make(pvc("data"))
            copies.append(copy)
        stack.deploy_provisioner()
        whole = provision(stack, "data")
    test.observe(f"with all rights, a copy started last has made {whole['metadata']['name']}")
    for copy in copies:
        with test.verify(f"pod log or events say what is refused without {copy.missing}"):
            refusals = copy.wait_for_refusal()
        test.observe(
            f"without {copy.missing} the API server refuses: {', '.join(sorted(refusals))}"
        )
    stays_true(
        "that all five PVCs are Pending",
        lambda: {copy.missing: copy.phase() for copy in copies},
        holds=lambda phases: set(phases.values()) == {"Pending"},
        seconds=_STAYS_SECONDS,
    )
    test.observe(f"the PVCs of all five stay Pending for {_STAYS_SECONDS} s")
