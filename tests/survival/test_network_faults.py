"""Faults of the network: what they ask for, and what proves them."""

import pytest
from fakes import result
from fault_place import NODE, OTHER, Place, unproven

from landfast.errors import LandfastError
from landfast.faults import lease
from landfast.faults.base import NotProven
from landfast.faults.lease import NfsLeaseOver
from landfast.faults.network import NfsPortDropped, NfsReset
from landfast.nfs import probe
from landfast.process import Result
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
    fault, table = NfsPortDropped(place.site), f"table inet {NfsPortDropped.table()}"
    fault.inject()
    place.engine.answer("execute", NODE, "nft", "list", with_=result(table))
    assert fault.still_there()
    with pytest.raises(WaitTimeout, match=f"to have no table {NfsPortDropped.table()}"):
        fault.prove_healed()
    fault.heal()
    place.engine.answer("execute", NODE, "nft", "list", with_=result())
    assert not fault.still_there()
    assert f"no table {NfsPortDropped.table()}" in fault.prove_healed()
    added, *_ = [words for words in place.engine.asked("execute") if "add table" in words[-1]]
    assert added[-1] == f"add {table}; delete {table}"


HELD, FREE = result(code=75), result()


def lease_over(place: Place, *locks: Result) -> NfsLeaseOver:
    """Return the fault where another node asks for the lock with these results."""
    counters = '{"nftables": [{"counter": {"name": "hit", "packets": 3}}]}'
    place.engine.answer("execute", NODE, "nft", with_=result(counters))
    place.engine.answer("execute", NODE, "timeout", with_=result(code=124))
    place.engine.answer("execute", OTHER, "sh", with_=list(locks))
    return NfsLeaseOver(place.site)


def test_a_lease_is_over_when_another_node_gets_the_lock(place: Place) -> None:
    fault = lease_over(place, HELD, FREE)
    fault.note()
    assert f"the lease is over: {OTHER}, refused before, got the lock on" in fault.prove_effect()
    mounted = [words for words in place.engine.asked("execute") if words[:2] == (OTHER, "sh")]
    assert mounted[-1][-2:] == ("10.0.0.2:/data/share", "mysql/ibdata1")


def test_a_lock_that_the_server_does_not_know_cannot_be_lost(place: Place) -> None:
    with pytest.raises(NotProven, match="another node to be refused MySQL's lock"):
        lease_over(place, FREE).note()


def test_a_lease_that_the_server_still_honours_proves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.01)
    monkeypatch.setattr(lease, "_SLACK_SECONDS", 0)
    assert "the lease to run out" in unproven(lease_over(place, HELD))


def test_a_lock_that_nobody_can_ask_for_is_an_error(place: Place) -> None:
    place.engine.answer("execute", OTHER, "sh", with_=result(stderr="mount.nfs: no\nx", code=32))
    with pytest.raises(LandfastError, match=r"cannot ask for the lock on f: mount\.nfs: no$"):
        probe.can_lock(place.engine, OTHER, place.server.export, "f")
