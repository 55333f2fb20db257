"""Hazards of the provisioner's own Deployment: restarts, a second one, its variable NFS_PATH."""

import contextlib
import json
from collections import Counter
from collections.abc import Iterable
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
from landfast.waiting import wait_until
from suites.conformance.hazards.objects import folders, variable
from suites.rights import without_right

_PVCS = 20
_BLOCKED = 3
"""Directories that there are before any PV: the released program makes four at a time."""
_SHARED_PVCS, _ROUNDS = 12, 5
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


def without(stack: Stack, verb: str) -> contextlib.AbstractContextManager[None]:
    """Take one verb on PVs from the provisioner."""
    (role,) = (o for o in stack.objects("provisioner-rbac") if o["kind"] == "ClusterRole")
    account = f"{stack.system_namespace}:nfs-client-provisioner"
    return without_right(stack.kube, role, account, verb)


def kill_provisioner(stack: Stack) -> str:
    """Kill the provisioner, wait until its process is gone, and return who led."""
    led = leader(stack)
    for pod in stack.kube.list("Pod", stack.system_namespace):
        name = pod["metadata"]["name"]
        stack.kube.delete("Pod", name, stack.system_namespace, grace_seconds=1)
        stack.wait_gone("Pod", name, stack.system_namespace)
    return led


@pytest.mark.slow
@pytest.mark.claim("hazards.restart-neither-leaks-nor-doubles")
def test_provisioner_killed_between_directory_and_pv_leaks_and_doubles_nothing(
    stack: Stack, test: Steps
) -> None:
    with test.step("deploy the provisioner"):
        stack.deploy_provisioner()
    with (
        test.step(f"create {_PVCS} PVCs, kill it when it has made directories but no PV"),
        without(stack, "create"),
    ):
        names = create_pvcs(stack, _PVCS)
        begun = wait_until(
            f"{_BLOCKED} directories",
            lambda: folders(stack),
            until=lambda found: len(found) >= _BLOCKED,
            timeout=timeouts.MANY_VOLUMES,
        )
        led = kill_provisioner(stack)
    test.observe(f"{led} was killed when there were {len(begun)} directories and no PV")
    with test.verify("every PVC gets a volume"):
        made = wait_for_volumes(stack, "Bound", _PVCS)
    test.observe(f"then {leader(stack)} held the lock")
    pvcs = stack.kube.list("PersistentVolumeClaim", stack.namespace)
    bound = {pvc["spec"]["volumeName"]: pvc["metadata"]["name"] for pvc in pvcs}
    there = sorted(folders(stack))
    test.observe(
        f"{len(made)} volumes for {len(bound)} PVCs, {len(there)} directories on the server"
    )
    assert {pv["metadata"]["name"]: pv["spec"]["claimRef"]["name"] for pv in made} == bound
    assert sorted(bound.values()) == names, "a PVC was not bound exactly once"
    assert not (odd := _odd(there, map(expected_folder, made))), f"after the restart: {odd}"
    with (
        test.step(
            "delete all PVCs, kill it when it has archived the directories but deleted no PV"
        ),
        without(stack, "delete"),
    ):
        for name in names:
            stack.kube.delete("PersistentVolumeClaim", name, stack.namespace)
        wait_until(
            f"{_PVCS} archives",
            lambda: [name for name in folders(stack) if name.startswith("archived-")],
            until=lambda found: len(found) == _PVCS,
            timeout=timeouts.MANY_VOLUMES,
        )
        led = kill_provisioner(stack)
    test.observe(f"{led} was killed when there were {_PVCS} archives and {_PVCS} PVs")
    with test.verify("every volume is deleted"):
        wait_for_volumes(stack, "gone", 0)
    left = sorted(folders(stack))
    test.observe(f"no volume is left, {len(left)} directories on the server")
    archives = [f"archived-{name}" for name in there]
    assert not (odd := _odd(left, archives)), f"after the restart: {odd}"


def _odd(there: Iterable[str], expected: Iterable[str]) -> str:
    """Return which directories are missing or too many; empty if none."""
    seen, wanted = set(there), set(expected)
    parts = {"missing": wanted - seen, "too many": seen - wanted}
    return "; ".join(
        f"{what}: {', '.join(sorted(names))}" for what, names in parts.items() if names
    )


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
    names, there = list[str](), [0, 0]
    for number in range(_ROUNDS):  # whichever is always first leaves nothing to the other
        with test.step(f"create {_SHARED_PVCS} PVCs of the first one's class"):
            names += create_pvcs(stack, _SHARED_PVCS, prefix=f"pvc-{number}-")
        with test.verify("every PVC gets one volume"):
            made = wait_for_volumes(stack, "Bound", len(names))
        there = [len(folders(each)) for each in (stack, other)]
        if sum(there) > len(made):
            break
    astray = sum(pv["spec"]["nfs"]["path"].startswith(f"{other.overlay.root}/") for pv in made)
    orphans = sum(there) - len(made)
    test.observe(
        f"{len(made)} volumes for {len(names)} PVCs, {astray} of them on the other's export"
    )
    test.observe(f"directories on the two exports: {there}; {orphans} of them belong to no volume")
    assert sorted(pv["spec"]["claimRef"]["name"] for pv in made) == sorted(names), "a PVC has two"
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
