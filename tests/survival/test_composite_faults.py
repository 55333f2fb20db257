"""Faults that are made of others: their order, their aims, their proof."""

import subprocess

import pytest
from fakes import RUNNING, result
from fault_place import CONTAINER, CONTROL, EXITED, NODE, Place, stat, unproven

from landfast.faults.composite import Composite
from landfast.faults.network import NfsPortDropped, NodeCutOff
from landfast.faults.power import NfsPowerLoss, PowerLossEverywhere
from landfast.faults.processes import _STATS
from landfast.faults.takeover import REFUSAL, UNFENCED, NodeFailover, SplitBrain, Takeover
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
    runs = result(stat(7, "mysqld"))
    place.engine.answer("execute", NODE, "sh", with_=runs)
    assert "nothing took over" in fault.prove_healed()
    replaced = Taken(place.site, {**fault.aim, "container": "f" * 64})
    with pytest.raises(WaitTimeout, match="the old mysqld to be gone"):
        replaced.prove_healed()
    place.engine.answer("execute", NODE, "sh", with_=result(""))
    assert "the old mysqld is gone" in replaced.prove_healed()


ERROR = "2026-01-01 stderr [ERROR] Operating system error number 5 in a file operation."


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (ERROR, True),
        ("[ERROR] [MY-012639] Write failed. Operating system error number 5. Check", True),
        ("[ERROR] [MY-010907] Error writing file 'binlog' (errno: 5 - Input/output error)", True),
        ("[ERROR] [MY-012592] [InnoDB] fsync() returned EIO, aborting.", True),
        (
            "[ERROR] [MY-012592] [InnoDB] Operating system error number 57 in a file operation",
            False,
        ),
        ("[System] [MY-010910] mysqld: Shutdown complete", False),
    ],
)
def test_refused_write_is_known_by_what_mysqld_logs(line: str, refused: bool) -> None:
    found = subprocess.run(["grep", "-E", REFUSAL], input=line, text=True, check=False)
    assert (found.returncode == 0) == refused


def heal_split_brain(
    place: Place, *, log: str, refused: bool = True, cut: bool = True
) -> SplitBrain:
    """Heal a split brain; `log` is what the old mysqld says of an error, if it does."""
    fault = SplitBrain(place.site)
    fault.refused = refused
    table = f"table inet {NfsPortDropped.table()}" if cut else ""
    place.engine.answer("execute", NODE, "nft", "list", "tables", with_=result(table))
    place.engine.answer("execute", NODE, "sh", with_=result(log))
    place.engine.answer("execute", NODE, "sh", "-c", _STATS, with_=result(stat(7, "mysqld")))
    fault.heal()
    return fault


def test_old_mysqld_is_fenced_if_a_write_is_refused_to_it(place: Place) -> None:
    fault = heal_split_brain(place, log=ERROR)
    assert (fault.said, fault.complaints()) == (ERROR, ())
    assert (NODE, "kill", "-TERM", "7") in place.engine.asked("execute")
    rules = [words[-1] for words in place.engine.asked("execute") if "add table" in words[-1]]
    assert NfsPortDropped.table() in rules[0], "it has to reach its files before the kubelet comes"
    assert NodeCutOff.table() in rules[-1]


@pytest.mark.parametrize(
    ("refused", "log", "why"),
    [(True, "", "none of its writes was refused"), (False, ERROR, "the new one had the lock at")],
)
def test_old_mysqld_is_not_fenced_without_lock_or_without_error(
    place: Place, refused: bool, log: str, why: str
) -> None:
    (complaint,) = heal_split_brain(place, log=log, refused=refused).complaints()
    assert complaint.startswith(UNFENCED)
    assert why in complaint


def test_nobody_is_fenced_by_a_partition_that_was_none(place: Place) -> None:
    fault = heal_split_brain(place, log="", cut=False)
    assert (fault.said, fault.complaints()) == ("", ())


def test_every_part_is_asked_for_its_reason(place: Place) -> None:
    place.engine.answer("execute", NODE, "nft", with_=result(stderr="no nft", code=1))

    class Both(Composite):
        name = "both"
        text = "both"
        parts = (NfsPowerLoss, NfsPortDropped)

    assert Both(place.site).available() == "nft does not work: no nft"
