"""The grade of a cluster: one word for what it has been shown to survive. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from landfast.results import Survival, Tier
from landfast.verdict import Verdict

Level = Literal["none", "Bronze", "Silver", "Gold"]

TIERS: Mapping[Tier, str] = {
    "L1": "pod delete",
    "L2": "mysqld killed",
    "L3": "node power-off",
    "L4": "NFS server crash",
    "L5": "NFS server power loss",
    "L6": "partition during commit",
    "L7": "outage longer than lease and eviction",
}

LEVELS: Mapping[Level, tuple[Tier, ...]] = {
    "Bronze": ("L1", "L2"),
    "Silver": ("L3", "L4", "L6"),
    "Gold": ("L5", "L7"),
}
"""The tiers that each level adds to the one before it; Gold also needs fencing."""

FENCING = "chaos.fencing-"
"""The prefix of the claims that the files of one mysqld are closed to a second."""
_REFUSED = f"{FENCING}second-mysqld-is-refused"


class Unshown(NamedTuple):
    """A scenario whose test ended before it showed anything."""

    name: str
    tier: Tier
    verdict: Verdict
    reason: str


class Grade(NamedTuple):
    """A grade, and in sentences what the next one still needs; nothing for Gold."""

    level: Level
    next: Level | None
    missing: tuple[str, ...]

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that are reached."""
        order = tuple(LEVELS)
        return order[: order.index(self.level) + 1] if self.level in LEVELS else ()


def grade(
    survivals: Sequence[Survival], claims: Mapping[str, Verdict], unshown: Iterable[Unshown] = ()
) -> Grade:
    """Return the grade that scenarios and claims add up to.

    Args:
        survivals: what each scenario showed. Negative controls do not count: they must lose.
        claims: the verdict on each claim by its id; only those on fencing count.
        unshown: scenarios without a survival. One that was skipped because a capability is missing
            does not count; any other blocks its tier.

    A level is reached if each of its tiers has a scenario, and all of them are PASS.
    """
    outcomes = [
        Unshown(shown.scenario.name, shown.scenario.tier, shown.verdict, "; ".join(shown.reasons))
        for shown in survivals
        if shown.scenario.tier is not None and not shown.scenario.control
    ] + [scenario for scenario in unshown if scenario.verdict is not Verdict.SKIPPED]
    reached: Level = "none"
    for level, tiers in LEVELS.items():
        missing = [sentence for tier in tiers for sentence in _missing(tier, outcomes)]
        if level == "Gold":
            missing += _unfenced(claims)
        if missing:
            return Grade(reached, level, tuple(missing))
        reached = level
    return Grade(reached, None, ())


def _missing(tier: Tier, outcomes: Iterable[Unshown]) -> Iterator[str]:
    found = [outcome for outcome in outcomes if outcome.tier == tier]
    if not found:
        yield f"{tier} ({TIERS[tier]}) was not run."
    for outcome in found:
        if outcome.verdict is not Verdict.PASS:
            why = outcome.reason.rstrip(".") or "no reason was given"
            yield f"{tier}, {outcome.name} is {outcome.verdict}: {why}."


def _unfenced(claims: Mapping[str, Verdict]) -> Iterator[str]:
    fencing = {id_: verdict for id_, verdict in claims.items() if id_.startswith(FENCING)}
    if _REFUSED not in fencing:  # without it, two writers that broke nothing were lucky
        yield "Double-writer fencing was not tested."
    for id_, verdict in fencing.items():
        if verdict is not Verdict.PASS:
            yield f"Double-writer fencing: {id_} is {verdict}."
