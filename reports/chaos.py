"""The chaos part of a report: the grade and the result of each scenario. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from landfast.grade import LEVELS, TIERS, Grade, Level, Unshown, grade
from landfast.results import Survival
from landfast.verdict import Verdict, worst
from reports.model import SHOWN_FIRST, ClaimSummary, Summary, TestSummary
from reports.survival_words import was_read
from reports.text import elapsed

HEAD = ("Scenario", "Verdict", "Tier", "Lost (RPO)", "RTO first / steady", "Longest gap", "Errors")


@dataclass(frozen=True)
class ScenarioResult:
    """The result of a scenario: a row of the table, as texts. `claim` has the details."""

    claim: str
    name: str
    text: str
    control: bool
    verdict: Verdict
    tier: str
    lost: str
    rto: str
    gap: str
    errors: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of HEAD."""
        name = f"{self.name} (control)" if self.control else self.name
        return name, self.verdict, self.tier, self.lost, self.rto, self.gap, self.errors


@dataclass(frozen=True)
class Chaos:
    """What the scenarios of a run add up to; `unshown`: which of a tier were skipped, and why."""

    grade: Grade
    results: tuple[ScenarioResult, ...]
    unshown: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[tuple[Level, str, bool], ...]:
        """Each level, what it requires, and whether it is reached."""
        return tuple(
            (
                level,
                ", ".join(f"{tier} {TIERS[tier]}" for tier in tiers)
                + (", double-writer fencing" if level == "Gold" else ""),
                level in self.grade.levels,
            )
            for level, tiers in LEVELS.items()
        )

    @property
    def sentence(self) -> str:
        """The grade in words."""
        return "no grade" if self.grade.level == "none" else f"grade {self.grade.level}"

    @property
    def blind(self) -> tuple[str, ...]:
        """The controls that are not PASS: then a PASS of any scenario says little."""
        return tuple(r.name for r in self.results if r.control and r.verdict is not Verdict.PASS)


def chaos_of(summary: Summary) -> Chaos | None:
    """Return what the scenarios of a run add up to; None if it had none."""
    shown = [
        (claim, test, test.survival)
        for claim in summary.claims
        for test in claim.tests
        if test.survival is not None
    ]
    if not shown:
        return None
    results = [_result(claim, test, survival) for claim, test, survival in shown]
    unshown = list(_unshown(summary))
    return Chaos(
        grade=grade(
            [_as_judged(test, survival) for _, test, survival in shown],
            {claim.id: claim.verdict for claim in summary.claims},
            unshown,
        ),
        unshown=tuple(
            f"{found.tier}, {found.name}: {found.reason}"
            for found in unshown
            if found.verdict is Verdict.SKIPPED
        ),
        results=tuple(
            sorted(
                results, key=lambda r: (r.control, SHOWN_FIRST.index(r.verdict), r.tier or "none")
            )
        ),
    )


def chaos_lines(summary: Summary) -> list[str]:
    """Return the table and the grade for a terminal; nothing for a run without scenarios."""
    chaos = chaos_of(summary)
    if chaos is None:
        return []
    rows = [HEAD, *(result.cells for result in chaos.results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    missing = f"; missing for {chaos.grade.next}:" if chaos.grade.next else ""
    sentences = (f"  {' '.join(sentence.split())}" for sentence in chaos.grade.missing)
    unshown = ["  not shown here:", *(f"  {text}" for text in chaos.unshown)]
    return [
        *table,
        f"survival: {chaos.sentence}{missing}",
        *sentences,
        *(unshown if chaos.unshown else []),
    ]


def _as_judged(test: TestSummary, survival: Survival) -> Survival:
    """Return the survival with its test's verdict and reason if that verdict is worse."""
    verdict = worst([test.verdict, survival.verdict])
    if verdict is survival.verdict:
        return survival
    return survival.model_copy(update={"verdict": verdict, "reasons": (test.reason,)})


def _unshown(summary: Summary) -> Iterator[Unshown]:
    """Yield the scenarios of a tier that ended before they showed anything."""
    for claim in summary.claims:
        if claim.tier and not any(test.survival for test in claim.tests):
            yield Unshown(claim.scenario, claim.tier, claim.verdict, claim.reason)


def _result(claim: ClaimSummary, test: TestSummary, survival: Survival) -> ScenarioResult:
    seen = survival.availability
    match seen.rto_first, seen.rto_steady:
        case None, _:
            rto = "never"
        case 0, _:
            rto = "no outage"
        case first, steady:
            rto = f"{elapsed(first)} / {'never' if steady is None else elapsed(steady)}"
    return ScenarioResult(
        claim=claim.id,
        name=survival.scenario.name,
        text=survival.scenario.text,
        control=survival.scenario.control,
        verdict=test.verdict,
        tier=survival.scenario.tier or "",
        lost=f"{survival.ledger.counts.lost:,}" if was_read(survival) else "not known",
        rto=rto,
        gap=elapsed(seen.gap),
        errors=f"{seen.errors:,}",
    )
