"""The narration of a test: what it does and sees, written to the journal as it happens."""

import contextlib
import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from landfast.errors import BadInput, Refused
from landfast.journal import Evidence, Journal, Observation, Step
from landfast.waiting import WaitTimeout

_MAX_EVIDENCE = 256 * 1024

StepFunction = Callable[[str], AbstractContextManager[None]]


class Refuted(AssertionError):
    """The statement under test does not hold."""


class Steps:
    """The narration of one test."""

    def __init__(self, journal: Journal, test: str) -> None:
        self._journal = journal
        self._test = test
        self.observed = 0

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Narrate what the body does, and how long it takes."""
        started = time.monotonic()
        ok = False
        try:
            yield
            ok = True
        finally:
            seconds = round(time.monotonic() - started, 3)
            self._journal.write(Step(test=self._test, text=text, seconds=seconds, ok=ok))

    @contextlib.contextmanager
    def verify(self, text: str) -> Iterator[None]:
        """Narrate a step in which the statement under test must come true.

        Outside of it, a wait that runs out or a refused request is UNKNOWN: the test could not
        arrange its objects.

        Raises:
            Refuted: a wait in the body ran out, or a server refused a request.
        """
        with self.step(text):
            try:
                yield
            except (WaitTimeout, Refused) as error:
                raise Refuted(str(error)) from error

    def observe(self, text: str) -> None:
        """Record what the test saw. A test that records nothing cannot pass."""
        self.observed += 1
        self.narrate(text)

    def narrate(self, text: str) -> None:
        """Record what a fixture saw. It does not count as an observation of the test."""
        self._journal.write(Observation(test=self._test, text=text))

    def attach(self, title: str, text: str) -> None:
        """Keep a text as evidence; leave out its middle if it is very long."""
        name = re.sub(r"[^\w.-]+", "-", f"{self._test.rpartition('::')[2]}-{title}").strip("-")
        if len(text) > _MAX_EVIDENCE:
            half = _MAX_EVIDENCE // 2
            left_out = len(text) - 2 * half
            text = f"{text[:half]}\n… {left_out} characters left out …\n{text[-half:]}"
        file = _write_new(self._journal.folder / "evidence", name[:120], text)
        relative = str(file.relative_to(self._journal.folder))
        self._journal.write(Evidence(test=self._test, title=title, file=relative))


def _write_new(folder: Path, name: str, text: str) -> Path:
    """Write a new file; tests of one name in several modules each keep their own."""
    try:
        folder.mkdir(exist_ok=True)
        for number in itertools.count(1):
            file = folder / (f"{name}.txt" if number == 1 else f"{name}-{number}.txt")
            with contextlib.suppress(FileExistsError), file.open("x", encoding="utf-8") as opened:
                opened.write(text)
                break
    except OSError as error:
        raise BadInput(f"cannot write evidence into {folder}: {error.strerror}") from error
    return file
