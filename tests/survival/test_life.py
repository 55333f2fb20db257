"""The life of a fault: what is called in which order, and what a fault that ends early comes to."""

import contextlib
from pathlib import Path

import pytest
from survival_fakes import FakeSite, fake_fault, lasting_fault, raising

from landfast import paths
from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven
from landfast.faults.life import FaultRecord, Life, NotHealed, silent
from landfast.faults.rollback import Rollback
from landfast.run import new_record
from landfast.verdict import MissingCapability, Unknown
from landfast.waiting import WaitTimeout
from suites.chaos.sabotage import ends_early, without_injection

ALL = ["note", "inject", "prove_effect", "heal", "prove_healed"]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rollback:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    return Rollback(new_record(run_id="r1"))


def life_of(fault: type[Fault], journal: Rollback) -> Life:
    return Life(fault, FakeSite().site, journal, silent)


def test_whole_life_is_on_record(journal: Rollback) -> None:
    fault = fake_fault()
    life = life_of(fault, journal)
    with life.in_effect(lambda: fault.calls.append("ready")):
        assert journal.open_faults() == [("fake", {})]
        fault.calls.append("body")
    assert fault.calls == [
        "note",
        "ready",
        "inject",
        "prove_effect",
        "body",
        "heal",
        "prove_healed",
    ]
    assert journal.open_faults() == []
    record = life.record
    assert (record.effect, record.healing) == ("prove_effect of fake", "prove_healed of fake")
    assert record.proven is not None
    assert record.healed is not None
    assert record.injected <= record.proven <= record.healed
    assert (record.doubts, record.failures) == ((), ())


def test_record_can_begin_before_the_injection(journal: Rollback) -> None:
    life = life_of(fake_fault(), journal)
    with life.in_effect(since=1.5):
        assert life.record.injected == 1.5


def test_unavailable_fault_is_not_made(journal: Rollback) -> None:
    with pytest.raises(MissingCapability, match=r"^fault.fake: no nft$"):
        life_of(fake_fault(available=lambda: "no nft"), journal)


@pytest.mark.parametrize("method", ["note", "inject", "prove_effect"])
def test_refusal_before_the_effect_is_a_doubt(journal: Rollback, method: str) -> None:
    fault = fake_fault(**{method: raising(LandfastError("refused"))})
    life = life_of(fault, journal)
    with pytest.raises(NotProven, match="^refused$"), life.in_effect():
        pytest.fail("the body must not run")
    assert life.record.doubts == ("refused",)
    assert fault.calls[-2:] == ["heal", "prove_healed"]
    assert journal.open_faults() == []


def test_body_that_fails_is_healed_and_keeps_its_error(journal: Rollback) -> None:
    fault = fake_fault(prove_healed=raising(WaitTimeout("rules are left")))
    life = life_of(fault, journal)
    with pytest.raises(AssertionError, match="of the body"), life.in_effect():
        raise AssertionError("of the body")
    assert life.record.failures == ("the fault does not heal: rules are left",)
    assert journal.open_faults() == [("fake", {})]


def test_proof_that_cannot_be_had_is_a_doubt(journal: Rollback) -> None:
    life = life_of(fake_fault(prove_healed=raising(Unknown("the pod cannot start"))), journal)
    with pytest.raises(NotHealed, match="the pod cannot start"), life.in_effect():
        pass
    assert "the pod cannot start" in life.record.doubts[0]
    assert journal.open_faults() == [("fake", {})]


def test_fault_that_is_left_is_not_healed(journal: Rollback) -> None:
    fault = fake_fault(prove_healed=raising(WaitTimeout("rules are left")))
    with (
        pytest.raises(NotHealed, match="^the fault does not heal: rules are left$"),
        life_of(fault, journal).in_effect(),
    ):
        fault.calls.append("body")
    assert journal.open_faults() == [("fake", {})]


def test_fault_that_ends_within_the_body_proves_nothing(journal: Rollback) -> None:
    fault = lasting_fault(still_there=lambda: False)
    life = life_of(fault, journal)
    with (
        pytest.raises(NotProven, match="^the fault fake ended before it was healed$"),
        life.in_effect(),
    ):
        fault.calls.append("body")
    assert fault.calls == [*ALL[:3], "body", "still_there", *ALL[3:]]


def test_hold_is_watched(journal: Rollback) -> None:
    fault = lasting_fault()
    life = life_of(fault, journal)
    with life.in_effect():
        life.hold(0.6)
    assert fault.calls.count("still_there") == 4  # at 0, 0.5, 1 s, and at the end


def test_hold_that_cannot_be_watched_is_a_doubt(journal: Rollback) -> None:
    fault = lasting_fault(still_there=raising(LandfastError("exec refused")))
    life = life_of(fault, journal)
    with contextlib.suppress(NotProven), life.in_effect():
        life.hold(5)
    assert life.record.doubts == ("exec refused",)


def test_momentary_fault_is_not_held(journal: Rollback) -> None:
    life = life_of(fake_fault(), journal)
    with life.in_effect():
        life.hold(1000)
    assert life.record.doubts == ()


def test_sabotaged_injection_does_nothing(journal: Rollback) -> None:
    fault = fake_fault(prove_effect=raising(NotProven("nothing shows it")))
    life = life_of(without_injection(fault), journal)
    with pytest.raises(NotProven), life.in_effect():
        pass
    assert fault.calls == ["note", "prove_effect", "heal", "prove_healed"]


def test_sabotaged_hold_is_healed_in_its_middle(journal: Rollback) -> None:
    state = {"there": True}
    fault = lasting_fault(
        still_there=lambda: state["there"],
        heal=lambda: state.update(there=False),
    )
    life = life_of(ends_early(fault), journal)
    with (
        pytest.raises(NotProven, match="the fault fake did not hold after 0.[5-9] s: False"),
        life.in_effect(),
    ):
        life.hold(30)
    assert fault.calls == [*ALL[:3], "still_there", "heal", "still_there", *ALL[3:]]
    assert isinstance(life.record, FaultRecord)


def test_fault_that_reaches_beyond_the_namespace_needs_a_cluster_of_ones_own(
    journal: Rollback,
) -> None:
    fake = FakeSite()
    fake.own_server = None
    with pytest.raises(MissingCapability, match="fake reaches beyond the namespace"):
        Life(fake_fault(), fake.site, journal, silent)
    assert journal.open_faults() == []
    near = fake_fault()
    near.reach = "namespace"
    Life(near, fake.site, journal, silent)
