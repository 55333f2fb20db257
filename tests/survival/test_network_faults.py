"""Faults of the network: what they ask for, and what proves them."""

import pytest
from fakes import result
from fault_place import NODE, Place, unproven

from landfast.faults.network import NfsPortDropped, NfsReset
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize(
    ("fault", "code", "said", "proven"),
    [
        (NfsPortDropped, 124, "", True),
        (NfsPortDropped, 1, "connect: Connection refused", False),  # nobody listens: no partition
        (NfsPortDropped, 0, "", False),
        (NfsReset, 1, "connect: Connection refused", True),
        (NfsReset, 124, "", False),
    ],
)
def test_connection_has_to_fail_in_the_faults_own_way(
    place: Place, fault: type[NfsPortDropped], code: int, said: str, proven: bool
) -> None:
    counters = '{"nftables": [{"counter": {"name": "hit", "packets": 3}}]}'
    place.engine.answer("execute", NODE, "nft", with_=result(counters))
    place.engine.answer("execute", NODE, "timeout", with_=result(stderr=said, code=code))
    subject = fault(place.site)
    if proven:
        assert subject.prove_effect().startswith("the rules saw 3 packets; a connection from")
    else:
        assert unproven(subject).endswith(f"; expected: {subject.failure}")


def test_rules_that_saw_no_packet_prove_nothing(place: Place) -> None:
    place.engine.answer("execute", NODE, "timeout", with_=result(code=124))
    assert "the rules to see packets" in unproven(NfsPortDropped(place.site))


def test_rules_are_loaded_watched_and_removed(place: Place) -> None:
    fault = NfsPortDropped(place.site)
    fault.inject()
    place.engine.answer("execute", NODE, "nft", "list", with_=result("table inet landfast_fault"))
    assert fault.still_there()
    with pytest.raises(WaitTimeout, match="to have no table landfast_fault"):
        fault.prove_healed()
    fault.heal()
    place.engine.answer("execute", NODE, "nft", "list", with_=result())
    assert not fault.still_there()
    assert "no table landfast_fault" in fault.prove_healed()
    added, *_ = [words for words in place.engine.asked("execute") if "add table" in words[-1]]
    assert added[-1] == "add table inet landfast_fault; delete table inet landfast_fault"
