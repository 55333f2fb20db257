"""The four verdicts, and what they add up to."""

from collections.abc import Iterable
from enum import StrEnum

EXIT_UNKNOWN = 2
EXIT_BAD_INPUT = 4
EXIT_INTERRUPTED = 130


class Verdict(StrEnum):
    """The result of testing a claim."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    SKIPPED = "SKIPPED"


class Unknown(Exception):
    """The check was not valid; the message says why. Never green, never red."""


class MissingCapability(Exception):
    """The cluster, export or host lacks `capability`, so the claim does not apply here."""

    def __init__(self, capability: str, reason: str) -> None:
        super().__init__(f"{capability}: {reason}")
        self.capability = capability
        self.reason = reason


_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.SKIPPED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return a group's verdict: FAIL over UNKNOWN over PASS over SKIPPED; no verdict is UNKNOWN."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.UNKNOWN)


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return a run's exit code: 0 if something passed and nothing else, 1 for FAIL, 2 for UNKNOWN.

    A run that judged nothing, or skipped everything, has shown nothing: 2.
    """
    return {Verdict.PASS: 0, Verdict.FAIL: 1}.get(worst(verdicts), EXIT_UNKNOWN)
