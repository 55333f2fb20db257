"""A soft mount that gives up, without an engine."""

from dataclasses import replace

import pytest
from fakes import RUNNING, result
from fault_place import NODE, Place, unproven

from landfast.faults.soft_mount import NfsHostFreeze

pytestmark = pytest.mark.usefixtures("impatient")

SAYS = "[ERROR] [MY-012592] [InnoDB] Operating system error number 5 in a file operation."


def test_only_an_error_of_mysqld_proves_that_its_mount_gave_up(place: Place) -> None:
    counters = '{"nftables": [{"counter": {"name": "hit", "packets": 3}}]}'
    place.engine.answer("execute", NODE, "nft", with_=result(counters))
    place.engine.answer("execute", NODE, "timeout", with_=result(code=124))
    fault = NfsHostFreeze(place.site)
    assert "the server to be frozen" in unproven(fault)
    place.engine.answer("state", "server", with_=replace(RUNNING, status="paused"))
    place.kube.log = "[Warning] error number 50 is another\n"
    assert "mysqld to get an I/O error" in unproven(fault)
    place.kube.log += f"{SAYS}\n"
    assert fault.prove_effect().endswith(f"mysqld says: {SAYS}")


def test_it_is_over_when_either_the_server_or_the_network_goes_on(place: Place) -> None:
    fault = NfsHostFreeze(place.site)
    fault.inject()
    assert place.engine.asked("pause") == [("server",)]
    table = f"table inet {NfsHostFreeze.table()}"
    place.engine.answer("execute", NODE, "nft", "list", with_=result(table))
    assert not fault.still_there()
    place.engine.answer("state", "server", with_=replace(RUNNING, status="paused"))
    assert fault.still_there()
    place.engine.answer("execute", NODE, "nft", "list", with_=result())
    assert not fault.still_there()
    fault.heal()
    assert place.engine.asked("unpause") == [("server",)]
