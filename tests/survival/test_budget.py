"""Where a failover's seconds go: phases without a gap, and predictions from settings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.results import Budget
from landfast.survival.budget import PATHS, Terms, budget_of
from landfast.survival.milestones import Milestone

TERMS = Terms(
    monitor_grace=50,
    monitor_source="assumed",
    renewal=10,
    toleration=5,
    termination=30,
    readiness=0,
    lease=20,
    grace=20,
    returns=False,
)
REHEARSAL: dict[Milestone, float] = {
    "stopped": 3.5,
    "gone": 4.0,
    "scheduled": 4.2,
    "started": 5.2,
    "locked": 5.3,
    "recovered": 6.8,
    "acknowledged": 7.5,
}
EVERY: tuple[Milestone, ...] = (
    "noticed", "evicted", "held", "stopped", "gone", "scheduled", "started", "locked", "recovered",
    "serving", "grace over",
)  # fmt: skip
times = st.floats(-5, 200)


def without(*names: str) -> dict[Milestone, float]:
    """Give the rehearsal without some milestones."""
    return {name: at for name, at in REHEARSAL.items() if name not in names}


def predicted(budget: Budget) -> dict[str, float | None]:
    return {phase.name: phase.predicted for phase in budget.phases}


@given(
    path=st.sampled_from(sorted(PATHS)),
    seen=st.dictionaries(st.sampled_from(EVERY), times),
    total=st.floats(0.1, 150),
    rehearsal=st.one_of(
        st.just({}),
        st.sets(st.sampled_from(sorted(REHEARSAL))).map(
            lambda kept: {name: REHEARSAL[name] for name in {*kept, "acknowledged"}}
        ),
    ),
)
def test_phases_are_contiguous_and_add_up_to_the_outage(
    path: str,
    seen: dict[Milestone, float],
    total: float,
    rehearsal: dict[Milestone, float],
) -> None:
    budget = budget_of(PATHS[path], {**seen, "acknowledged": total}, TERMS, rehearsal)
    assert budget.seconds == pytest.approx(total)
    assert all(phase.seconds >= 0 for phase in budget.phases)
    names = [name for phase in budget.phases for name in phase.name.split(", ")]
    whole = ", ".join(phase.name for phase in PATHS[path]).split(", ")
    assert names == whole  # every phase once, in order
    assert len(budget.unseen) == len(PATHS[path]) - len(budget.phases)
    assert all((phase.predicted or 0) >= 0 for phase in budget.phases)


@given(st.sets(st.sampled_from(sorted(REHEARSAL))))
def test_pod_deletion_like_the_rehearsal_is_predicted_whatever_was_seen_of_both(
    kept: set[Milestone],
) -> None:
    seen = {name: REHEARSAL[name] for name in {*kept, "acknowledged"}}
    for rehearsal in (REHEARSAL, seen):
        budget = budget_of(PATHS["pod-delete"], seen, TERMS, rehearsal)
        assert budget.predicted == pytest.approx(budget.seconds)


def test_each_phase_of_a_pod_deletion_is_measured_between_its_milestones() -> None:
    budget = budget_of(PATHS["pod-delete"], REHEARSAL, TERMS, REHEARSAL)
    assert [(phase.name, round(phase.seconds, 1)) for phase in budget.phases] == [
        ("stop", 3.5),
        ("unmount", 0.5),
        ("scheduling", 0.2),
        ("mount and start", 1.0),
        ("lock", 0.1),
        ("InnoDB recovery", 1.5),
        ("first write", 0.7),
    ]
    assert budget.unseen == ()
    assert budget.longest
    assert budget.longest.name == "stop"


def test_phase_whose_end_was_not_seen_is_told_with_the_next_one() -> None:
    seen = without("stopped", "locked")
    budget = budget_of(PATHS["pod-delete"], seen, TERMS, REHEARSAL)
    first, *_ = budget.phases
    assert (first.name, first.seconds, first.predicted) == ("stop, unmount", 4.0, 4.0)
    assert budget.unseen == ("the end of stop", "the end of lock")


def test_milestone_that_the_rehearsal_did_not_show_ends_no_phase() -> None:
    rehearsal = without("stopped")
    budget = budget_of(PATHS["pod-delete"], REHEARSAL, TERMS, rehearsal)
    assert budget.phases[0].name == "stop, unmount"
    assert budget.phases[0].predicted == 4.0


def test_without_a_rehearsal_only_settings_predict() -> None:
    found = predicted(budget_of(PATHS["node-failover"], REHEARSAL, TERMS, {}))
    assert found == {
        "removal": None,
        "scheduling": None,
        "mount and start": None,
        "lock lease": 25.0,
        "InnoDB recovery": None,
        "first write": None,
    }


def test_shutdown_is_cut_off_by_the_pods_grace_period() -> None:
    budget = budget_of(PATHS["pod-delete"], REHEARSAL, replace(TERMS, termination=2), REHEARSAL)
    assert budget.phases[0].predicted == 2
    assert "at most terminationGracePeriodSeconds 2" in budget.phases[0].basis


@pytest.mark.parametrize(
    ("renewal", "grace", "mean"), [(10, 50, 47.5), (10, 40, 37.5), (4, 20, 20.5)]
)
def test_detection_counts_from_the_nodes_last_sign_of_life(
    renewal: float, grace: float, mean: float
) -> None:
    terms = replace(TERMS, renewal=renewal, monitor_grace=grace)
    found = budget_of(PATHS["node-pause-evicted"], ALL, terms, REHEARSAL)
    assert found.phases[0].predicted == mean
    assert "(assumed)" in found.phases[0].basis


ALL: dict[Milestone, float] = {
    "noticed": 47.0,
    "evicted": 52.0,
    "held": 54.1,
    "stopped": 56.0,
    "gone": 57.0,
    "scheduled": 57.2,
    "started": 58.0,
    "locked": 58.1,
    "recovered": 60.0,
    "acknowledged": 60.5,
    "serving": 7.0,
    "grace over": 17.0,
}


def test_mysqld_that_lost_its_lock_may_need_its_whole_grace_period() -> None:
    stop = budget_of(PATHS["node-pause-evicted"], ALL, TERMS, REHEARSAL).phases[3]
    assert (stop.name, stop.predicted, stop.shorten) == (
        "stop",
        3.5,
        "terminationGracePeriodSeconds",
    )
    assert stop.basis.endswith("30, which a mysqld that lost its lock may need in full")


def test_eviction_takes_what_the_pod_tolerates() -> None:
    path = PATHS["node-pause-evicted"]
    assert predicted(budget_of(path, ALL, TERMS, REHEARSAL))["eviction"] == 5
    for_ever = budget_of(path, ALL, replace(TERMS, toleration=None), REHEARSAL)
    assert for_ever.unpredicted == ("eviction",)
    assert "for ever" in for_ever.phases[1].basis


def test_what_the_scenario_decides_is_given() -> None:
    held = budget_of(PATHS["node-pause-evicted"], ALL, TERMS, REHEARSAL).phases[2]
    assert held.name == "fault held"
    assert held.predicted == held.seconds == pytest.approx(2.1)
    assert held.basis.startswith("given")


def test_lock_of_a_lost_node_is_free_when_its_lease_is_over() -> None:
    """The lease counts from the injection, whatever else went on meanwhile."""
    seen: dict[Milestone, float] = {**ALL, "gone": 0.5, "scheduled": 0.6, "started": 2.0}
    seen |= {"locked": 28.0, "recovered": 30.0, "acknowledged": 31.0}
    budget = budget_of(PATHS["node-failover"], seen, TERMS, REHEARSAL)
    until_lock = [phase.predicted or 0 for phase in budget.phases[:4]]
    assert sum(until_lock) == pytest.approx(25)
    assert budget.longest
    assert "lease" in budget.longest.shorten
    unknown = budget_of(PATHS["node-failover"], seen, replace(TERMS, lease=None), REHEARSAL)
    assert "lock lease" in unknown.unpredicted
    over = budget_of(PATHS["node-failover"], seen, replace(TERMS, lease=-5), {})
    assert predicted(over)["lock lease"] == 0


def test_rebooted_node_has_its_lock_at_once_if_the_server_knows_it_again() -> None:
    path = PATHS["node-restart"]
    known = budget_of(path, ALL, replace(TERMS, returns=True), REHEARSAL)
    assert predicted(known)["lock lease"] == pytest.approx(0.1)
    other = budget_of(path, ALL, TERMS, REHEARSAL)
    assert predicted(other)["lock lease"] == 24  # a second of it went by before
    assert "another one" in other.phases[1].basis


@pytest.mark.parametrize(("grace", "predicted_grace"), [(20, 10), (90, 10), (5, 5), (None, None)])
def test_grace_period_ends_when_the_server_looks(
    grace: float | None, predicted_grace: float | None
) -> None:
    budget = budget_of(PATHS["nfs-kill"], {**ALL, "held": 6.0}, replace(TERMS, grace=grace), {})
    assert predicted(budget)["grace"] == predicted_grace
    assert predicted(budget)["server start"] is None


def test_readiness_probe_is_part_of_the_first_write() -> None:
    budget = budget_of(PATHS["pod-delete"], ALL, replace(TERMS, readiness=15), REHEARSAL)
    assert "readiness probe included" in budget.phases[-1].basis


def test_look_that_came_late_counts_as_what_follows() -> None:
    """A look is up to half a second late, and mysqld's log is not."""
    seen: dict[Milestone, float] = {**REHEARSAL, "started": 5.6}
    budget = budget_of(PATHS["pod-delete"], seen, TERMS, REHEARSAL)
    assert [phase.seconds for phase in budget.phases if phase.name == "lock"] == [0]


def test_budget_in_words() -> None:
    budget = budget_of(PATHS["nfs-kill"], {**ALL, "held": 6.0, "acknowledged": 17.5}, TERMS, {})
    assert str(budget) == (
        "failover in 17.5 s, 16.0 s predicted: fault held 6.0 s, server start 1.0 s, "
        "grace 10.0 s, first write 0.5 s"
    )
    nothing = Budget(phases=(), unseen=())
    assert nothing.longest is None
