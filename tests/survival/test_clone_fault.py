"""Two nodes with one host name, without an engine."""

from typing import Any, cast

import pytest
from fakes import result
from fault_place import NODE, OTHER, Place, node, unproven

from landfast.errors import LandfastError
from landfast.faults.base import NotProven
from landfast.faults.clone import NodeCloned

pytestmark = pytest.mark.usefixtures("impatient")

MOUNTED = "10.0.0.2:/data/share/mysql /var/lib/x nfs4 rw,vers={},hard 0 0\n"
CLONE = "10.0.0.2:/data/share /run/landfast-clone nfs4 rw,vers=4.2 0 0\n"


def cloned(place: Place, version: str = "4.2", client: str = "machine") -> NodeCloned:
    cast(Any, place.site.env).nfs_client = client
    place.engine.answer(
        "execute", NODE, "cat", "/proc/mounts", with_=result(MOUNTED.format(version))
    )
    return NodeCloned(place.site)


def test_a_clone_that_gets_the_lock_is_proven_and_goes(place: Place) -> None:
    fault = cloned(place)
    assert fault.available() is None
    place.kube.put(node(OTHER))
    place.engine.answer("execute", OTHER, "cat", "/proc/mounts", with_=result())
    place.engine.answer("execute", OTHER, "sh", with_=result(code=75))
    fault.note()
    assert place.kube.get("Node", OTHER)["spec"].get("unschedulable")
    fault.inject()
    asked = place.engine.asked("execute")[-1]
    assert asked[:4] == (OTHER, "unshare", "--uts", "sh")
    assert asked[-4:] == (NODE, "10.0.0.2:/data/share", "/run/landfast-clone", "4.2")
    place.engine.answer("execute", OTHER, "cat", "/proc/mounts", with_=result(CLONE))
    place.engine.answer("execute", OTHER, "flock", with_=LandfastError("held"))
    assert "to get MySQL's lock" in unproven(fault)
    place.engine.answer("execute", OTHER, "flock", with_=result("locked"))
    assert f"{OTHER} mounts the export as {NODE}, and got the lock" in fault.prove_effect()
    place.engine.answer("execute", OTHER, "sh", with_=result())
    place.engine.answer("execute", OTHER, "cat", "/proc/mounts", with_=result())
    fault.heal()
    assert fault.prove_healed() == f"{OTHER} no longer mounts the export, and takes pods"
    assert not place.kube.get("Node", OTHER)["spec"].get("unschedulable")


def test_a_provisioner_beside_the_clone_moves_away_first(place: Place) -> None:
    fault = cloned(place)
    place.kube.put(node(OTHER))
    namespace = place.site.stack.system_namespace
    place.kube.put(
        {
            "kind": "Pod",
            "metadata": {
                "name": "nfs-client-provisioner-1",
                "namespace": namespace,
                "labels": {"app": "nfs-client-provisioner"},
            },
            "spec": {"nodeName": OTHER},
        }
    )
    place.engine.answer("execute", OTHER, "cat", "/proc/mounts", with_=result(CLONE))
    with pytest.raises(NotProven, match=f"{OTHER} to mount nothing of the server"):
        fault.note()
    assert place.kube.find("Pod", "nfs-client-provisioner-1", namespace) is None


def test_a_lock_that_is_free_before_cannot_be_lost(place: Place) -> None:
    place.kube.put(node(OTHER))
    place.engine.answer("execute", OTHER, "cat", "/proc/mounts", with_=result())
    place.engine.answer("execute", OTHER, "sh", with_=result())
    with pytest.raises(NotProven, match="to be refused MySQL's lock"):
        cloned(place).note()


@pytest.mark.parametrize(
    ("version", "client", "why"),
    [("4.2", "fuse", "the FUSE client's name"), ("4.0", "kernel", "has its address in it")],
)
def test_clients_that_are_told_apart_otherwise(
    place: Place, version: str, client: str, why: str
) -> None:
    assert why in str(cloned(place, version, client).available())


def test_a_node_that_does_not_mount_the_export_has_no_name_there(place: Place) -> None:
    fault = cloned(place)
    place.engine.answer("execute", NODE, "cat", "/proc/mounts", with_=result())
    with pytest.raises(LandfastError, match=f"{NODE} mounts nothing of 10.0.0.2"):
        fault.available()
