"""Faults that are made of others: their order, their aims, their proof."""

import pytest
from fakes import RUNNING, result
from fault_place import CONTAINER, CONTROL, EXITED, NODE, Place, unproven

from landfast.faults.composite import Composite
from landfast.faults.network import NfsPortDropped
from landfast.faults.power import NfsPowerLoss, PowerLossEverywhere
from landfast.faults.takeover import NodeFailover, SplitBrain, Takeover
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")


def test_aims_of_parts_are_kept_apart(place: Place) -> None:
    fault = PowerLossEverywhere(place.site)
    assert fault.aim == {"nfs-power-loss.from": CONTROL, "node-power-off.node": NODE}
    again = PowerLossEverywhere(place.site, fault.aim)
    assert [member.aim for member in again.members] == [{"from": CONTROL}, {"node": NODE}]


def test_node_comes_back_before_the_server_whose_address_it_could_take(place: Place) -> None:
    fault = PowerLossEverywhere(place.site)
    fault.inject()
    assert [words[0] for words in place.engine.asked("kill")] == ["server", NODE]
    fault.heal()
    assert [words[0] for words in place.engine.asked("start")] == [NODE, "server"]


def test_composite_lasts_as_long_as_all_that_last(place: Place) -> None:
    fault = PowerLossEverywhere(place.site)
    place.engine.answer("state", with_=EXITED)
    assert fault.still_there()
    place.engine.answer("state", NODE, with_=RUNNING)
    assert not fault.still_there()


def test_node_that_is_taken_over_from_is_cordoned_after_it_is_lost(place: Place) -> None:
    fault = NodeFailover(place.site)
    assert fault.aim["container"] == CONTAINER
    fault.note()
    fault.inject()
    assert place.engine.asked("kill") == [(NODE,)]
    assert place.kube.changes() == [("patch", "Node", NODE), ("delete", "Pod", "mysql-0")]
    fault.heal()
    assert "unschedulable" not in place.kube.get("Node", NODE)["spec"]
    assert place.engine.asked("start") == [(NODE,)]


def test_old_mysqld_has_to_run_before_anything_else(place: Place) -> None:
    assert "the old mysqld to run" in unproven(SplitBrain(place.site))


class Taken(Takeover):
    """A takeover that has only itself to heal."""

    name = "taken"
    text = "taken"
    parts = ()


def test_old_mysqld_has_to_be_gone_once_another_took_over(place: Place) -> None:
    fault = Taken(place.site)
    runs = result("7 (mysqld) S")
    place.engine.answer("execute", NODE, "sh", with_=runs)
    assert "nothing took over" in fault.prove_healed()
    replaced = Taken(place.site, {**fault.aim, "container": "f" * 64})
    with pytest.raises(WaitTimeout, match="the old mysqld to be gone"):
        replaced.prove_healed()
    place.engine.answer("execute", NODE, "sh", with_=result(""))
    assert "the old mysqld is gone" in replaced.prove_healed()


def test_every_part_is_asked_for_its_reason(place: Place) -> None:
    place.engine.answer("execute", NODE, "nft", with_=result(stderr="no nft", code=1))

    class Both(Composite):
        name = "both"
        text = "both"
        parts = (NfsPowerLoss, NfsPortDropped)

    assert Both(place.site).available() == "nft does not work: no nft"
