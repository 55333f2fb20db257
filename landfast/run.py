"""The identity of a run: its id, its folder, and the record by which its remains are found."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from landfast import paths
from landfast.errors import BadInput, LandfastError
from landfast.files import write_atomically
from landfast.process import start_time

_ALIVE, _IN_USE = "alive", "lock"
_held: dict[Path, FileLock] = {}  # of this process's runs; if it is killed, the kernel frees them
RUN_LABEL = "landfast/run"
"""On every object that a run makes in a cluster; the value is the run's id."""


def new_run_id() -> str:
    """Return an id that sorts by time and fits into every name (`1123-201502-9f3a`)."""
    return f"{datetime.now(UTC):%m%d-%H%M%S}-{secrets.token_hex(2)}"


def default_classes_file(run_id: str) -> Path:
    """Return the file that holds the default classes' marks while a run has removed them."""
    return paths.records() / run_id / "default-classes.json"


class RunRecord(BaseModel):
    """Says which process owns what is named after `run_id`; written before anything is made."""

    model_config = ConfigDict(extra="forbid")

    run_id: str
    pid: int
    pid_started: int
    complete: bool = False
    """whether bring-up ended; until then the engine may still create what a killed run asked for"""
    kept: bool = False
    engine: str = ""
    """the identity of the Docker engine that holds the run's containers"""
    existing: tuple[Path, str] | None = None
    """kubeconfig and context of an existing cluster, where the run owns only labelled objects"""

    @property
    def name(self) -> str:
        """The name of the run's cluster, network and label values."""
        return f"landfast-{self.run_id}"

    @property
    def docker_label(self) -> str:
        """The label of everything that the run makes in the engine."""
        return f"landfast.run={self.run_id}"

    @property
    def folder(self) -> Path:
        """Where the record, the kubeconfig and the environment are."""
        return paths.records() / self.run_id

    @property
    def alive(self) -> bool:
        """Whether the process that made the record still runs: it holds a lock as long as it does.

        A process id would not do: it is reused, and another container or host has its own.
        """
        if not (self.folder / _ALIVE).exists():  # the record of an older version
            return start_time(self.pid) == self.pid_started
        return _is_held(self.folder / _ALIVE)

    @property
    def in_use(self) -> bool:
        """Whether a run is using what was kept."""
        return _is_held(self.folder / _IN_USE)

    @property
    def owes_default_classes(self) -> bool:
        """Whether the run has not yet restored the cluster's default classes."""
        return default_classes_file(self.run_id).exists()

    def save(self) -> None:
        """Write the record atomically."""
        try:
            write_atomically(self.folder / "record.json", self.model_dump_json(indent=1))
        except OSError as error:
            raise BadInput(f"{self.folder} cannot be written: {error.strerror}") from error

    def forget(self) -> None:
        """Remove the record, once nothing of the run is left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if (held := _held.pop(self.folder, None)) is not None:
            held.release()

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of a kept environment.

        Raises:
            BadInput: another run holds it.
        """
        try:
            held = FileLock(self.folder / _IN_USE).acquire(timeout=0)
        except Timeout as error:
            raise BadInput(
                f"the kept cluster {self.name} is in use by another run; wait for it, "
                "or omit --keep to get a cluster of your own"
            ) from error
        with held:
            yield


def new_record(
    run_id: str, *, engine: str = "", existing: tuple[Path, str] | None = None
) -> RunRecord:
    """Return the saved record of a new run of this process."""
    pid, started = os.getpid(), start_time(os.getpid()) or 0
    record = RunRecord(
        run_id=run_id, pid=pid, pid_started=started, engine=engine, existing=existing
    )
    try:
        record.folder.mkdir(parents=True, exist_ok=True)
        lock = _held[record.folder] = FileLock(record.folder / _ALIVE)
        lock.acquire(timeout=0)
    except OSError as error:
        raise BadInput(f"{record.folder} cannot be written: {error.strerror}") from error
    record.save()  # only now can others see it
    return record


def _is_held(file: Path) -> bool:
    """Whether a process holds a lock; the question itself takes the lock for a moment."""
    try:
        with FileLock(file).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except FileNotFoundError:
        return False  # that run has just ended
    except OSError as error:
        raise LandfastError(f"{file} cannot be locked: {error.strerror}") from error


def records() -> list[RunRecord]:
    """Return every record on this host, oldest first."""
    found = []
    for path in sorted(paths.records().glob("*/record.json")):
        try:
            found.append(RunRecord.model_validate_json(path.read_text()))
        except FileNotFoundError:
            continue  # that run has just ended
        except ValidationError as error:
            raise LandfastError(
                f"{path} is not the record of a run; look at it and remove it"
            ) from error
    return found
