"""The journal: what happened in a run, one JSON object per line, written as it happens.

Every report (HTML, JUnit, Markdown) is rendered from the journal alone, so even a killed run has
its report. `reports/journal.schema.json` publishes this module's format.
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from landfast.errors import BadInput
from landfast.results import Survival, Tier
from landfast.verdict import Verdict


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    __test__: ClassVar[bool] = False  # keeps pytest from collecting the classes named Test…

    at: AwareDatetime = Field(
        default_factory=lambda: datetime.now(UTC), description="time of writing, UTC"
    )


class RunStarted(_Event):
    """The run began. This is the first line of a journal."""

    kind: Literal["run_started"] = "run_started"
    run_id: str
    landfast: str = Field(description="Landfast's version")
    command: list[str]
    settings: dict[str, str] = Field(description="options in force, by name")


class EnvironmentFact(_Event):
    """One fact about the environment; it replaces an earlier one of the same section and name."""

    kind: Literal["environment"] = "environment"
    section: str = Field(description="run, cluster, images, nfs, stack or host")
    name: str
    value: str


class Phase(_Event):
    """Time spent outside the tests, for example building the kit or creating the cluster."""

    kind: Literal["phase"] = "phase"
    name: str
    seconds: float


class Note(_Event):
    """Something that a reader must know before the claims."""

    kind: Literal["note"] = "note"
    text: str


class ClaimDeclared(_Event):
    """A claim that this run tests."""

    kind: Literal["claim"] = "claim"
    id: str
    text: str
    source: str
    means: str = Field("", description="what a FAIL means for a database; empty: the text says it")
    scenario: str = Field("", description="name of the chaos scenario that tests it; empty: none")
    tier: Tier | None = Field(None, description="crash tier of that scenario")


class TestStarted(_Event):
    """A test of a claim began; `test` is its pytest node id."""

    kind: Literal["test_started"] = "test_started"
    test: str
    claim: str
    worker: str = Field(description="xdist worker, or main")


class Step(_Event):
    """An action of a test, written when it ended."""

    kind: Literal["step"] = "step"
    test: str
    text: str
    seconds: float
    ok: bool = Field(description="false: the step raised an error")


class Observation(_Event):
    """Something a test saw. A PASS needs at least one."""

    kind: Literal["observation"] = "observation"
    test: str
    text: str


class Evidence(_Event):
    """A file in the run's folder that backs up a verdict: events, YAML, logs, a listing."""

    kind: Literal["evidence"] = "evidence"
    test: str
    title: str
    file: str = Field(description="path relative to the journal's folder")


class MatrixCell(_Event):
    """One cell of a matrix of settings: what was expected of them, and what was seen."""

    kind: Literal["matrix_cell"] = "matrix_cell"
    test: str
    place: int = Field(description="rows and columns follow the order of their first cells")
    axes: dict[str, str] = Field(description="value by setting; the last one makes the columns")
    expected: str
    observed: str
    hazard: bool = Field(description="costs data or space, even if it is a PASS")


class SurvivalShown(_Event):
    """Everything that a chaos scenario showed, written before its test is judged."""

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
    capability: str = Field("", description="the missing capability, for SKIPPED")
    seconds: float


class RunFinished(_Event):
    """The run ended by itself. A journal without this line belongs to a killed run."""

    kind: Literal["run_finished"] = "run_finished"
    exit_code: int
    left_behind: list[str] = Field(description="what could not be removed; normally empty")


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
    """Appends events to a file; several processes may share one journal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def folder(self) -> Path:
        """The run's folder, which evidence paths are relative to."""
        return self.path.parent

    def write(self, event: Event) -> None:
        """Append an event with one write to a file opened for appending, so that lines do not mix.

        Raises:
            BadInput: the disk is full, or the folder is not writable.
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
    """Yield a journal's events in order, without a last line that a crash cut short.

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
