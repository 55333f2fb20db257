"""What GitHub Actions is told of a run: outputs of the step, and annotations of the job. Pure."""

from pathlib import Path

from landfast.verdict import Verdict
from reports.chaos import chaos_of
from reports.model import Summary
from reports.text import shorten

_SHOWN = 10  # of a step, GitHub shows no more errors, and no more warnings
_COMMANDS = {Verdict.FAIL: "error", Verdict.UNKNOWN: "warning"}


def outputs(summary: Summary, run_folder: Path) -> str:
    """Return the lines for $GITHUB_OUTPUT: `report`, the run's folder, and `grade` of a chaos run.

    The grade is Bronze, Silver, Gold or none.
    """
    lines = [f"report={run_folder.resolve()}"]
    if chaos := chaos_of(summary):
        lines.append(f"grade={chaos.grade.level}")
    return "\n".join(lines) + "\n"


def annotations(summary: Summary) -> list[str]:
    """Return a workflow command for each thing that is wrong, as far as GitHub shows them.

    FAIL is an error, UNKNOWN a warning, and doubt about the run as a whole an error.
    """
    found = [_command("error", "Landfast", summary.doubt)] if summary.doubt else []
    for verdict, command in _COMMANDS.items():
        claims = [claim for claim in summary.claims if claim.verdict is verdict]
        found += [
            _command(command, f"{verdict} {claim.id}", f"{claim.text} {claim.reason}")
            for claim in claims[:_SHOWN]
        ]
    return found


def _command(name: str, title: str, message: str) -> str:
    title = _escape(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{name} title={title}::{_escape(shorten(message, 1000))}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
