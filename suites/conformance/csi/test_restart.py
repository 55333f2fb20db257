"""The driver's controller is killed between two steps."""

from collections.abc import Iterator

import pytest

from fixtures.csi import CsiBench
from landfast import timeouts
from landfast.kube.client import Object
from landfast.kube.removal import delete_kinds, wait_gone
from landfast.provisioning.csi_driver import NAMESPACE
from landfast.provisioning.volumes import create_pvcs, volumes_of_class
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.rights import without_right

pytestmark = pytest.mark.xdist_group("csi")
_CONTROLLER = "csi-nfs-controller"
_PVCS = 4


@pytest.fixture
def emptied(csi: CsiBench) -> Iterator[Stack]:
    """The stack, which is other tests' as well: neither PVC nor directory of this one is left."""
    yield csi.stack
    _delete_pvcs(csi.stack)
    _wait_for_no_volume(csi.stack)
    for folder in _folders(csi.stack):
        csi.stack.export.remove(folder)


@pytest.mark.claim("csi.restart-neither-leaks-nor-doubles")
def test_driver_killed_between_directory_and_pv_leaks_and_doubles_nothing(
    emptied: Stack, test: Steps
) -> None:
    stack = emptied
    with (
        test.step(f"create {_PVCS} PVCs, kill the driver when it has directories but no PV"),
        without_right(stack.kube, _role(stack), f"{NAMESPACE}:{_CONTROLLER}", "create"),
    ):
        names = create_pvcs(stack, _PVCS)
        wait_until(
            f"{_PVCS} directories",
            lambda: _folders(stack),
            until=lambda found: len(found) == _PVCS,
            timeout=timeouts.MANY_VOLUMES,
        )
        label = f"app={_CONTROLLER}"
        pods = delete_kinds(stack.kube, ["Pod"], NAMESPACE, labels=label, grace_seconds=1)
        wait_gone(stack.kube, pods)
    with test.verify("every PVC gets a volume"):
        bound = [stack.wait_for_pvc(name)["spec"]["volumeName"] for name in names]
    there = _folders(stack)
    test.observe(f"the volumes are {sorted(bound)}, the directories on the server {there}")
    odd = sorted(set(there) ^ set(bound))
    assert not odd, f"after the restart: {', '.join(odd)}"
    with test.step("delete the PVCs"):
        _delete_pvcs(stack)
    with test.verify("every volume is deleted"):
        _wait_for_no_volume(stack)
    left = _folders(stack)
    test.observe(f"no volume is left, and {left or 'no directory'} on the server")
    assert not left, f"directories are left: {', '.join(left)}"


def _delete_pvcs(stack: Stack) -> None:
    wait_gone(stack.kube, delete_kinds(stack.kube, ["PersistentVolumeClaim"], stack.namespace))


def _wait_for_no_volume(stack: Stack) -> None:
    wait_until(
        "no volume of the class",
        lambda: volumes_of_class(stack, stack.storage_class),
        until=lambda found: not found,
        timeout=timeouts.MANY_VOLUMES,
    )


def _role(stack: Stack) -> Object:
    """Return the controller's ClusterRole, as it can be created again."""
    found = stack.kube.get("ClusterRole", _CONTROLLER)
    meta = {key: found["metadata"][key] for key in ("name", "labels")}
    return {**found, "metadata": meta}


def _folders(stack: Stack) -> list[str]:
    return sorted(stack.export.list(depth=1))
