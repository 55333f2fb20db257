"""What a scenario showed, in words and figures, the same in every report. Pure."""

from dataclasses import dataclass

from landfast.survival.model import IntervalLosses, Latency, LostRun, Survival
from reports.text import elapsed, plural


def injection(survival: Survival) -> float:
    """Give the moment that times are told from, also of a fault that was never injected."""
    return min(max(survival.marks.injected, 0.0), max(survival.marks.ended, 0.0))


def was_read(survival: Survival) -> bool:
    """Whether the ledger was read after recovery: if not, what is lost is not known."""
    counts = survival.ledger.counts
    found = counts.stable + counts.lost + counts.recovered + counts.never_read
    return found > 0 or counts.acknowledged + counts.uncertain == 0


def gist(survival: Survival) -> str:
    """Give what a reader must grasp of a scenario: did it break, for how long, what was lost."""
    effect = [] if survival.effect else ["The fault had no proven effect, so this shows nothing."]
    healed = [] if survival.healing else ["The fault was not shown to be healed."]
    return " ".join([*effect, _stopped(survival), _errors(survival), _lost(survival), *healed])


def _stopped(survival: Survival) -> str:
    seen = survival.availability
    if seen.rto_first == 0:
        return f"Writes went on: the longest time without one was {elapsed(seen.gap)}."
    times = f"{seen.gaps} times, the longest" if seen.gaps > 1 else "for"
    stopped = f"Writes stopped {times} {elapsed(seen.gap)}"
    if seen.rto_first is None:
        return f"{stopped}, and did not come back."
    steady = (
        "the former rate did not come back"
        if seen.rto_steady is None
        else f"at the former rate from {elapsed(seen.rto_steady)} on"
    )
    return f"{stopped}; they came back {elapsed(seen.rto_first)} after the injection, {steady}."


def _errors(survival: Survival) -> str:
    errors = survival.availability.errors
    return f"Clients saw {plural(errors, 'error')}." if errors else "Clients saw no error."


def _lost(survival: Survival) -> str:
    lost = survival.ledger.counts.lost
    if not was_read(survival):
        return "What was lost is not known: the ledger was not read."
    if not lost:
        return "Nothing acknowledged was lost."
    expected = " This is a control: it is there to lose some." if survival.scenario.control else ""
    writes = "write was" if lost == 1 else "writes were"
    return f"{lost:,} acknowledged {writes} lost.{expected}"


def moment(survival: Survival, at: float) -> str:
    """Give a moment as seconds from the injection: `-0.9 s`, `+4.1 s`."""
    seconds = at - injection(survival)
    if abs(seconds) < 0.005:
        return "0 s"
    return ("+" if seconds > 0 else "\u2212") + elapsed(abs(seconds))


def lost_run(survival: Survival, run: LostRun) -> str:
    """Give one run of lost operations as a line."""
    numbers = f"{run.kind} {run.first}" + (f" to {run.last}" if run.last > run.first else "")
    since, until = moment(survival, run.acknowledged_from), moment(survival, run.acknowledged_to)
    when = since if since == until else f"{since} to {until}"
    return f"writer {run.writer}, {numbers}: acknowledged {when}"


@dataclass(frozen=True)
class Interval:
    """What was before, during or after the fault: writes lost and how fast they were."""

    name: str
    losses: IntervalLosses | None
    latency: Latency | None


def intervals(survival: Survival) -> tuple[Interval, ...]:
    """Give the three intervals, as far as they are known."""
    losses = {found.interval: found for found in survival.ledger.by_interval}
    latencies = {found.interval: found for found in survival.availability.intervals}
    names = ("before", "during", "after")
    return tuple(
        Interval(name, losses.get(name), latencies.get(name))
        for name in names
        if name in losses or name in latencies
    )
