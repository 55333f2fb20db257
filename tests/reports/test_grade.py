"""The grade: what has to be shown for it, and what is said of the next one."""

from collections.abc import Mapping

import pytest
from chaos_course import BLANK
from hypothesis import given
from hypothesis import strategies as st

from landfast.grade import LEVELS, TIERS, Unshown, grade
from landfast.results import Survival, Tier
from landfast.verdict import Verdict

FENCED = {"chaos.fencing-second-mysqld-is-refused": Verdict.PASS}


def shown(
    tier: Tier | None, verdict: Verdict = Verdict.PASS, *reasons: str, control: bool = False
) -> Survival:
    scenario = BLANK.scenario.model_copy(
        update={"name": f"break-{tier}", "tier": tier, "control": control}
    )
    return BLANK.model_copy(
        update={"scenario": scenario, "verdict": verdict, "reasons": tuple(reasons)}
    )


def of(*tiers: Tier) -> list[Survival]:
    return [shown(tier) for tier in tiers]


ALL = of(*TIERS)


def test_every_tier_belongs_to_one_level() -> None:
    assert sorted(tier for tiers in LEVELS.values() for tier in tiers) == sorted(TIERS)


def test_gold_needs_every_tier_and_fencing() -> None:
    assert grade(ALL, FENCED) == ("Gold", None, ())


@pytest.mark.parametrize(
    ("survivals", "level", "missing"),
    [
        ([], "none", ("L1 (pod delete) was not run.", "L2 (mysqld killed) was not run.")),
        (of("L2", "L3"), "none", ("L1 (pod delete) was not run.",)),
        (
            of("L1", "L2", "L6"),
            "Bronze",
            ("L3 (node power-off) was not run.", "L4 (NFS server crash) was not run."),
        ),
        (
            of("L1", "L2", "L3", "L4", "L6", "L7"),
            "Silver",
            ("L5 (NFS server power loss) was not run.",),
        ),
    ],
)
def test_a_tier_that_was_not_run_is_not_shown(
    survivals: list[Survival], level: str, missing: tuple[str, ...]
) -> None:
    found = grade(survivals, FENCED)
    assert (found.level, found.missing) == (level, missing)


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNKNOWN])
def test_one_scenario_of_a_tier_that_is_not_pass_stands_in_the_way(verdict: Verdict) -> None:
    bad = shown("L4", verdict, "12 writes are lost", "the canary is gone.")
    found = grade([*ALL, bad], FENCED)
    assert (found.level, found.next) == ("Bronze", "Silver")
    assert found.missing == (f"L4, break-L4 is {verdict}: 12 writes are lost; the canary is gone.",)
    assert grade([*ALL, shown("L4", verdict)], {}).missing == (
        f"L4, break-L4 is {verdict}: no reason was given.",
    )


def test_controls_and_scenarios_without_a_tier_do_not_count() -> None:
    others = [shown("L1", Verdict.FAIL, "lost", control=True), shown(None, Verdict.FAIL, "lost")]
    assert grade([*ALL, *others], FENCED).level == "Gold"
    assert grade([shown("L1", control=True), shown("L2")], {}).level == "none"


@pytest.mark.parametrize(
    ("claims", "missing"),
    [
        ({}, "Double-writer fencing was not tested."),
        ({"chaos.nfs-kill": Verdict.PASS}, "Double-writer fencing was not tested."),
        (
            {"chaos.fencing-partitioned-writer": Verdict.PASS},
            "Double-writer fencing was not tested.",
        ),
        (
            {**FENCED, "chaos.fencing-partition": Verdict.SKIPPED},
            "Double-writer fencing: chaos.fencing-partition is SKIPPED.",
        ),
    ],
)
def test_without_fencing_there_is_no_gold(claims: Mapping[str, Verdict], missing: str) -> None:
    assert grade(ALL, claims) == ("Silver", "Gold", (missing,))


def test_scenario_that_showed_nothing_stands_in_the_way_unless_it_was_skipped() -> None:
    ill = Unshown("node-stop", "L3", Verdict.UNKNOWN, "the cluster was ill")
    assert grade(ALL, FENCED, [ill]) == (
        "Bronze",
        "Silver",
        ("L3, node-stop is UNKNOWN: the cluster was ill.",),
    )
    assert grade(ALL, FENCED, [ill._replace(verdict=Verdict.SKIPPED)]).level == "Gold"


def test_levels_reached_are_all_up_to_the_grade() -> None:
    assert grade(ALL, FENCED).levels == ("Bronze", "Silver", "Gold")
    assert grade(ALL, {}).levels == ("Bronze", "Silver")
    assert grade([], {}).levels == ()


@given(st.lists(st.builds(shown, st.sampled_from([*TIERS, None]), st.sampled_from(Verdict))))
def test_more_that_is_not_pass_never_raises_the_grade(survivals: list[Survival]) -> None:
    order = ["none", *LEVELS]
    before = grade(survivals, FENCED)
    assert (before.missing == ()) == (before.level == "Gold")
    for tier in TIERS:
        after = grade([*survivals, shown(tier, Verdict.UNKNOWN, "why")], FENCED)
        assert order.index(after.level) <= order.index(before.level)
