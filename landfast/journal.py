"""The journal: what happened in a run, one JSON object a line, written as it happens.

Everything a reader sees (HTML, JUnit, Markdown) is rendered from the journal alone, so a run that
was killed still has its report. `reports/journal.schema.json` is this module's published form.
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from landfast.errors import BadInput
from landfast.survival.model import Survival
from landfast.verdict import Verdict


def _now() -> datetime:
    return datetime.now(UTC)


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    __test__: ClassVar[bool] = False  # some names begin with Test: pytest must not collect them

    at: AwareDatetime = Field(default_factory=_now, description="when it was written, UTC")


class RunStarted(_Event):
    """The run began; the first line of a journal."""

    kind: Literal["run_started"] = "run_started"
    run_id: str
    landfast: str = Field(description="Landfast's version")
    command: list[str]
    settings: dict[str, str] = Field(description="the options in force, by name")


class EnvironmentFact(_Event):
    """One fact of what the run ran on; a later fact of the same section and name replaces it."""

    kind: Literal["environment"] = "environment"
    section: str = Field(description="cluster, images, nfs, stack or host")
    name: str
    value: str


class Phase(_Event):
    """A part of the run outside the tests that took time: build the kit, create the cluster."""

    kind: Literal["phase"] = "phase"
    name: str
    seconds: float


class Note(_Event):
    """Something a reader of the whole report has to know."""

    kind: Literal["note"] = "note"
    text: str


class ClaimDeclared(_Event):
    """A claim that this run sets out to prove."""

    kind: Literal["claim"] = "claim"
    id: str
    text: str
    source: str


class TestStarted(_Event):
    """A test of a claim began. `test` is pytest's node id."""

    kind: Literal["test_started"] = "test_started"
    test: str
    claim: str
    worker: str = Field(description="xdist's worker, or main")


class Step(_Event):
    """Something a test did, written when it ended."""

    kind: Literal["step"] = "step"
    test: str
    text: str
    seconds: float
    ok: bool = Field(description="false: the step raised")


class Observation(_Event):
    """Something a test saw; a PASS rests on at least one."""

    kind: Literal["observation"] = "observation"
    test: str
    text: str


class Evidence(_Event):
    """A file in the run's folder that shows what was the case (events, YAML, logs, a listing)."""

    kind: Literal["evidence"] = "evidence"
    test: str
    title: str
    file: str = Field(description="path relative to the journal's folder")


class MatrixCell(_Event):
    """One cell of a matrix of settings: what had to come of them, and what was seen."""

    kind: Literal["matrix_cell"] = "matrix_cell"
    test: str
    place: int = Field(description="rows and columns come in the order of their first cells")
    axes: dict[str, str] = Field(description="setting and value; the last one makes the columns")
    expected: str
    observed: str
    hazard: bool = Field(description="what was seen costs data or space, even where it is a PASS")


class SurvivalShown(_Event):
    """Everything that a scenario of the chaos suite showed, written before its test is judged."""

    kind: Literal["survival"] = "survival"
    test: str
    survival: Survival


class TestFinished(_Event):
    """A test ended with a verdict on its claim."""

    kind: Literal["test_finished"] = "test_finished"
    test: str
    claim: str
    verdict: Verdict
    reason: str = Field("", description="why it is not PASS; empty for PASS")
    capability: str = Field("", description="for SKIPPED: the capability that is missing")
    seconds: float


class RunFinished(_Event):
    """The run ended by itself; a journal without this line is of a run that was killed."""

    kind: Literal["run_finished"] = "run_finished"
    exit_code: int
    left_behind: list[str] = Field(description="what could not be removed; empty is good")


Event = Annotated[
    RunStarted
    | EnvironmentFact
    | Phase
    | Note
    | ClaimDeclared
    | TestStarted
    | Step
    | Observation
    | Evidence
    | MatrixCell
    | SurvivalShown
    | TestFinished
    | RunFinished,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class Journal:
    """Appends events to a file. Several processes may append to one journal at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def folder(self) -> Path:
        """The run's folder, which evidence paths are relative to."""
        return self.path.parent

    def write(self, event: Event) -> None:
        """Append one event; a single write to a file opened for appending, so lines do not mix.

        Raises:
            BadInput: the disk is full or the folder cannot be written.
        """
        line = (event.model_dump_json() + "\n").encode()
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                written = os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise BadInput(f"cannot write the journal {self.path}: {error.strerror}") from error
        if written != len(line):
            raise BadInput(f"cannot write the journal {self.path}: No space left on device")


def read_journal(path: Path) -> Iterator[Event]:
    """Give a journal's events in order; a last line cut short by a crash is left out.

    Raises:
        BadInput: the file cannot be read, or a line other than the last is not an event.
    """
    try:
        *lines, cut_short = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInput(f"cannot read the journal {path}: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield EVENT.validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            said = f"{where}: {first['msg']}".removeprefix(": ")
            raise BadInput(f"{path}, line {number} is not a journal event: {said}") from error
    with contextlib.suppress(ValidationError):
        yield EVENT.validate_json(cut_short)
