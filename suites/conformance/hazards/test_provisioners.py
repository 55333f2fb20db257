"""Hazards of the provisioner's own Deployment: restarts, doubles, its variable NFS_PATH."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from fixtures.stacks import NewStack
from landfast.kube.client import Object
from landfast.provisioning.contract import ClassSettings, Line, Pvc, fate
from landfast.provisioning.volumes import claim, provisioned
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.verdict import Unknown
from landfast.waiting import wait_until
from suites.conformance.hazards.exports import folders
from suites.conformance.hazards.objects import variable

_CLAIMS = 50
_DOUBLED_CLAIMS = 12
_SOME = 5
_BEGIN_SECONDS = 20
_ALL_SECONDS = 60
_ONE_SECONDS = 10
_LEADER = "control-plane.alpha.kubernetes.io/leader"


def ask_for_volumes(stack: Stack, count: int) -> list[str]:
    """Create claims of the stack's class, and give their names."""
    names = [f"claim-{number:02}" for number in range(count)]
    for name in names:
        stack.make(claim(name, "nfs-ssd", Pvc(stack.namespace, name)))
    return names


def volumes(stack: Stack) -> list[Object]:
    """Give the volumes of the stack's class."""
    return [
        pv
        for pv in stack.kube.list("PersistentVolume")
        if pv["spec"].get("storageClassName") == stack.storage_class
    ]


def wait_for_volumes(stack: Stack, phase: str, count: int) -> list[Object]:
    """Wait until there are so many volumes, all of one phase, and give them."""
    return wait_until(
        f"{count} volumes, all {phase}",
        lambda: volumes(stack),
        until=lambda found: [pv["status"]["phase"] for pv in found] == [phase] * count,
        timeout=_ALL_SECONDS,
        interval=0.5,
        describe=lambda found: str(dict(Counter(pv["status"]["phase"] for pv in found))),
    )


def expected_folder(pv: Object) -> str:
    """Give the name that the directory of a volume must have."""
    ref = pv["spec"]["claimRef"]
    return f"{ref['namespace']}-{ref['name']}-{pv['metadata']['name']}"


def leader(stack: Stack) -> str:
    """Give who holds the provisioner's lock: the name of its pod is in front."""
    name = f"nfs-client{stack.overlay.suffix}"
    found = stack.kube.find("Endpoints", name, stack.system_namespace) or {"metadata": {}}
    record = found["metadata"].get("annotations", {}).get(_LEADER, "{}")
    return str(json.loads(record).get("holderIdentity", "nobody"))


def kill_amid(stack: Stack, work: str, begun: Callable[[int], bool], over: int) -> str:
    """Kill the provisioner once its work has begun; say at how many volumes, and who led.

    `begun` and `over` are of the number of volumes.

    Raises:
        Unknown: the work was over by then.
    """
    count = wait_until(
        f"the {work} to have begun",
        lambda: len(volumes(stack)),
        until=begun,
        timeout=_BEGIN_SECONDS,
        interval=0.05,
    )
    led = leader(stack)
    for pod in stack.kube.list("Pod", stack.system_namespace):
        name = pod["metadata"]["name"]
        stack.kube.delete("Pod", name, stack.system_namespace, grace_seconds=0)
    if len(volumes(stack)) == over:
        raise Unknown(f"the {work} were over before the provisioner was killed")
    return f"{work}: {led} was killed when there were {count} volumes"


@pytest.mark.claim("hazards.restart-neither-leaks-nor-doubles")
def test_provisioner_killed_amid_50_provisions_and_50_deletions_leaks_and_doubles_nothing(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    stack.deploy_provisioner()
    with step(f"create {_CLAIMS} claims, kill the provisioner in the middle"):
        names = ask_for_volumes(stack, _CLAIMS)
        killed = kill_amid(stack, "provisions", lambda count: count >= _SOME, over=_CLAIMS)
        made = wait_for_volumes(stack, "Bound", _CLAIMS)
    observe(f"{killed}; then {leader(stack)} held the lock")
    claims = stack.kube.list("PersistentVolumeClaim", stack.namespace)
    bound = {pvc["spec"]["volumeName"]: pvc["metadata"]["name"] for pvc in claims}
    there = sorted(folders(stack))
    observe(f"{len(made)} volumes for {len(bound)} claims, {len(there)} directories on the server")
    assert {pv["metadata"]["name"]: pv["spec"]["claimRef"]["name"] for pv in made} == bound
    assert sorted(bound.values()) == names, "a claim was not bound exactly once"
    assert there == sorted(map(expected_folder, made)), "directories are not those of the volumes"
    with step("delete all claims, kill the provisioner in the middle"):
        for name in names:
            stack.kube.delete("PersistentVolumeClaim", name, stack.namespace)
        killed = kill_amid(stack, "deletions", lambda count: count <= _CLAIMS - _SOME, over=0)
        wait_for_volumes(stack, "gone", 0)
    left = sorted(folders(stack))
    archived = [name for name in left if name.startswith("archived-")]
    observe(f"{killed}; then {leader(stack)} held the lock")
    observe(f"no volume is left, {len(left)} directories on the server, {len(archived)} archived")
    assert left == sorted(f"archived-{name}" for name in there), "not archived exactly once each"


@pytest.mark.claim("hazards.two-provisioners-of-one-name-both-make-directories")
def test_two_provisioners_of_one_name_make_one_volume_but_two_directories(
    stack: Stack, new_stack: NewStack, step: StepFunction, observe: ObserveFunction
) -> None:
    other = new_stack()
    other.changes.append(variable("PROVISIONER_NAME", f"nfs-client{stack.overlay.suffix}"))
    with step("deploy two provisioners of one name, each for a part of the export of its own"):
        for each in (stack, other):
            each.create("provisioner-rbac", "provisioner", "storageclass")
        for each in (stack, other):
            each.wait_for_provisioner()
    with step(f"create {_DOUBLED_CLAIMS} claims of the first one's class"):
        names = ask_for_volumes(stack, _DOUBLED_CLAIMS)
        made = wait_for_volumes(stack, "Bound", _DOUBLED_CLAIMS)
    astray = sum(pv["spec"]["nfs"]["path"].startswith(f"{other.overlay.root}/") for pv in made)
    there = [len(folders(each)) for each in (stack, other)]
    orphans = sum(there) - len(made)
    observe(f"{len(made)} volumes for {len(names)} claims, {astray} of them on the other's export")
    observe(f"directories on the two exports: {there}; {orphans} of them are no volume's")
    assert sorted(pv["spec"]["claimRef"]["name"] for pv in made) == names, "a claim has two volumes"
    assert orphans > 0, "no claim had two directories made for it"


@pytest.mark.claim("hazards.nfs-path-with-slash-leaks")
def test_nfs_path_that_ends_in_a_slash_leaks_every_directory_or_none(
    stack: Stack, contract_line: Line, step: StepFunction, observe: ObserveFunction
) -> None:
    stack.changes.append(variable("NFS_PATH", "{}/"))
    nfs_path = f"{stack.overlay.root}/"
    settings = ClassSettings(on_delete="delete")
    with step(f"deploy a provisioner whose NFS_PATH is {nfs_path}"):
        stack.deploy_provisioner()
    with provisioned(stack, "slashed", settings) as volume:
        expected = fate(contract_line, settings, volume.pvc, volume.name, nfs_path)
        volume.write()
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for(expected.phase, timeout=_ONE_SECONDS)
        seen = volume.look()
        observe(f"{contract_line}: path {volume.path}; expected {expected}; seen: {seen}")
        assert not (difference := seen.difference(expected)), difference
