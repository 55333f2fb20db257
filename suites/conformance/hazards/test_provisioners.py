"""Hazards of the provisioner's own Deployment: restarts, a second one, its variable NFS_PATH."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures.provisioner import Bench
from fixtures.stacks import NewStack
from landfast import timeouts
from landfast.kube.client import Object
from landfast.provisioning.contract import ClassSettings, Line, PvcMeta, directory
from landfast.provisioning.volumes import create_pvcs, volumes_of_class
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.verdict import Unknown
from landfast.waiting import wait_until
from suites.conformance.hazards.objects import folders, variable

_PVCS = 50
_SHARED_PVCS = 12
_SOME = 5
_LEADER = "control-plane.alpha.kubernetes.io/leader"


def own_volumes(stack: Stack) -> list[Object]:
    return volumes_of_class(stack, stack.storage_class)


def wait_for_volumes(stack: Stack, phase: str, count: int) -> list[Object]:
    """Wait until the stack's class has exactly `count` PVs, all of one phase; return them."""
    return wait_until(
        f"{count} volumes, all {phase}",
        lambda: own_volumes(stack),
        until=lambda found: [pv["status"]["phase"] for pv in found] == [phase] * count,
        timeout=timeouts.MANY_VOLUMES,
        interval=0.5,
        describe=lambda found: str(dict(Counter(pv["status"]["phase"] for pv in found))),
    )


def expected_folder(pv: Object) -> str:
    """Return the name that the directory of a PV must have."""
    ref = pv["spec"]["claimRef"]
    pvc = PvcMeta(ref["namespace"], ref["name"])
    return directory(Line.V402, ClassSettings(), pvc, pv["metadata"]["name"])


def leader(stack: Stack) -> str:
    """Return the holder of the provisioner's lock; it begins with the name of its pod."""
    name = f"nfs-client{stack.overlay.suffix}"
    found = stack.kube.find("Endpoints", name, stack.system_namespace) or {"metadata": {}}
    record = found["metadata"].get("annotations", {}).get(_LEADER, "{}")
    return str(json.loads(record).get("holderIdentity", "nobody"))


def kill_amid(stack: Stack, work: str, begun: Callable[[int], bool], over: int) -> str:
    """Kill the provisioner in the middle of its work; return when that was, and who led.

    Args:
        stack: the provisioner's stack.
        work: what it does.
        begun: whether that number of volumes means that the work has begun.
        over: the number of volumes at which the work is over.

    Raises:
        Unknown: the work was over before the kill.
    """
    count = wait_until(
        f"the {work} to begin",
        lambda: len(own_volumes(stack)),
        until=begun,
        timeout=timeouts.BIND,
        interval=0.05,
    )
    led = leader(stack)
    for pod in stack.kube.list("Pod", stack.system_namespace):
        name = pod["metadata"]["name"]
        stack.kube.delete("Pod", name, stack.system_namespace, grace_seconds=0)
    if len(own_volumes(stack)) == over:
        raise Unknown(f"the {work} were over before the provisioner was killed")
    return f"{work}: {led} was killed when there were {count} volumes"


@pytest.mark.slow
@pytest.mark.claim("hazards.restart-neither-leaks-nor-doubles")
def test_provisioner_killed_amid_50_provisions_and_50_deletions_leaks_and_doubles_nothing(
    stack: Stack, test: Steps
) -> None:
    with test.step(f"create {_PVCS} PVCs, kill the provisioner while it serves them"):
        stack.deploy_provisioner()
        names = create_pvcs(stack, _PVCS)
        killed = kill_amid(stack, "provisions", lambda count: count >= _SOME, over=_PVCS)
    with test.verify("every PVC gets a volume"):
        made = wait_for_volumes(stack, "Bound", _PVCS)
    test.observe(f"{killed}; then {leader(stack)} held the lock")
    pvcs = stack.kube.list("PersistentVolumeClaim", stack.namespace)
    bound = {pvc["spec"]["volumeName"]: pvc["metadata"]["name"] for pvc in pvcs}
    there = sorted(folders(stack))
    test.observe(
        f"{len(made)} volumes for {len(bound)} PVCs, {len(there)} directories on the server"
    )
    assert {pv["metadata"]["name"]: pv["spec"]["claimRef"]["name"] for pv in made} == bound
    assert sorted(bound.values()) == names, "a PVC was not bound exactly once"
    assert there == sorted(map(expected_folder, made)), "the directories do not match the volumes"
    with test.step("delete all PVCs, kill the provisioner while it deletes the volumes"):
        for name in names:
            stack.kube.delete("PersistentVolumeClaim", name, stack.namespace)
        killed = kill_amid(stack, "deletions", lambda count: count <= _PVCS - _SOME, over=0)
    with test.verify("every volume is deleted"):
        wait_for_volumes(stack, "gone", 0)
    left = sorted(folders(stack))
    archived = [name for name in left if name.startswith("archived-")]
    test.observe(f"{killed}; then {leader(stack)} held the lock")
    test.observe(
        f"no volume is left, {len(left)} directories on the server, {len(archived)} archived"
    )
    assert left == sorted(f"archived-{name}" for name in there), "not archived exactly once each"


@pytest.mark.claim("hazards.two-provisioners-of-one-name-both-make-directories")
def test_two_provisioners_of_one_name_make_one_volume_but_two_directories(
    stack: Stack, new_stack: NewStack, test: Steps
) -> None:
    other = new_stack()
    other.changes.append(variable("PROVISIONER_NAME", f"nfs-client{stack.overlay.suffix}"))
    with test.step("deploy two provisioners with one name, each on its own part of the export"):
        for each in (stack, other):
            each.create("provisioner-rbac", "provisioner", "storageclass")
        for each in (stack, other):
            each.wait_for_provisioner()
    with test.step(f"create {_SHARED_PVCS} PVCs of the first one's class"):
        names = create_pvcs(stack, _SHARED_PVCS)
    with test.verify("every PVC gets one volume"):
        made = wait_for_volumes(stack, "Bound", _SHARED_PVCS)
    astray = sum(pv["spec"]["nfs"]["path"].startswith(f"{other.overlay.root}/") for pv in made)
    there = [len(folders(each)) for each in (stack, other)]
    orphans = sum(there) - len(made)
    test.observe(
        f"{len(made)} volumes for {len(names)} PVCs, {astray} of them on the other's export"
    )
    test.observe(f"directories on the two exports: {there}; {orphans} of them belong to no volume")
    assert sorted(pv["spec"]["claimRef"]["name"] for pv in made) == names, "a PVC has two volumes"
    assert orphans > 0, "no PVC got two directories"


@pytest.mark.claim("hazards.nfs-path-with-slash-leaks")
def test_nfs_path_that_ends_in_a_slash_leaks_every_directory_or_none(
    stack: Stack, bench: Bench, test: Steps
) -> None:
    stack.changes.append(variable("NFS_PATH", "{}/"))
    nfs_path = f"{stack.overlay.root}/"
    settings = ClassSettings(on_delete="delete")
    with test.step(f"deploy a provisioner whose NFS_PATH is {nfs_path}"):
        stack.deploy_provisioner()
    own = replace(bench, stack=stack)  # not the shared one
    with own.volume("slashed", settings) as volume:
        own.reclaim(volume, volume.fate(bench.line, settings, nfs_path=nfs_path))
