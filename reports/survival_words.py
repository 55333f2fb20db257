"""What a scenario showed in words and figures, the same in every report. Pure."""

from dataclasses import dataclass

from landfast.results import IntervalLosses, Latency, LostRun, Survival
from reports.text import elapsed, plural


def injection(survival: Survival) -> float:
    """Return the moment that times count from, even if the fault was never injected."""
    return min(max(survival.marks.injected, 0.0), max(survival.marks.ended, 0.0))


def was_read(survival: Survival) -> bool:
    """Whether the ledger was read after recovery; if not, the losses are unknown."""
    counts = survival.ledger.counts
    found = counts.stable + counts.lost + counts.recovered + counts.never_read
    return found > 0 or counts.acknowledged + counts.uncertain == 0


def gist(survival: Survival) -> str:
    """Return the gist of a scenario: did it break, for how long, and what was lost?"""
    effect = [] if survival.effect else ["The fault had no proven effect, so this proves nothing."]
    healed = [] if survival.healing else ["The fault was not proven to be healed."]
    return " ".join([*effect, _stopped(survival), _errors(survival), _lost(survival), *healed])


def _stopped(survival: Survival) -> str:
    seen = survival.availability
    if seen.rto_first == 0:
        return f"Writes never stopped: the longest gap was {elapsed(seen.gap)}."
    times = f"{seen.gaps} times, for up to" if seen.gaps > 1 else "for"
    stopped = f"Writes stopped {times} {elapsed(seen.gap)}"
    if seen.rto_first is None:
        return f"{stopped} and never resumed."
    steady = (
        "never at the former rate"
        if seen.rto_steady is None
        else f"at the former rate after {elapsed(seen.rto_steady)}"
    )
    return f"{stopped}; they resumed {elapsed(seen.rto_first)} after the injection, {steady}."


def _errors(survival: Survival) -> str:
    errors = survival.availability.errors
    return f"Clients saw {plural(errors, 'error')}." if errors else "Clients saw no errors."


def _lost(survival: Survival) -> str:
    lost = survival.ledger.counts.lost
    if not was_read(survival):
        return "The losses are unknown: the ledger was not read."
    if not lost:
        return "No acknowledged write was lost."
    expected = " This is a control, so losses are expected." if survival.scenario.control else ""
    writes = "write was" if lost == 1 else "writes were"
    return f"{lost:,} acknowledged {writes} lost.{expected}"


def moment(survival: Survival, at: float) -> str:
    """Return a moment as seconds from the injection: `-0.9 s`, `+4.1 s`."""
    seconds = at - injection(survival)
    if abs(seconds) < 0.005:
        return "0 s"
    return ("+" if seconds > 0 else "\u2212") + elapsed(abs(seconds))


def lost_run(survival: Survival, run: LostRun) -> str:
    """Describe one run of lost operations."""
    numbers = f"{run.kind} {run.first}" + (f" to {run.last}" if run.last > run.first else "")
    since, until = moment(survival, run.acknowledged_from), moment(survival, run.acknowledged_to)
    when = since if since == until else f"{since} to {until}"
    return f"writer {run.writer}, {numbers}: acknowledged {when}"


@dataclass(frozen=True)
class Interval:
    """Losses and latency before, during or after the fault."""

    name: str
    losses: IntervalLosses | None
    latency: Latency | None


def intervals(survival: Survival) -> tuple[Interval, ...]:
    """Return the three intervals, as far as they are known."""
    losses = {found.interval: found for found in survival.ledger.by_interval}
    latencies = {found.interval: found for found in survival.availability.intervals}
    names = ("before", "during", "after")
    return tuple(
        Interval(name, losses.get(name), latencies.get(name))
        for name in names
        if name in losses or name in latencies
    )
