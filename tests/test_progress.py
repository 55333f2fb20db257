"""What a user reads while something takes long."""

import io
import re

import pytest
from rich.console import Console

from landfast import progress
from landfast.progress import Progress
from landfast.waiting import wait_until


def make(*, terminal: bool) -> tuple[Progress, io.StringIO, list[str]]:
    output = io.StringIO()
    phases: list[str] = []
    console = Console(
        file=output, force_terminal=terminal, highlight=False, soft_wrap=True, width=80
    )
    return Progress(console, lambda name, seconds: phases.append(name)), output, phases


def test_without_a_terminal_a_phase_is_one_plain_line_with_its_time() -> None:
    it, output, phases = make(terminal=False)
    with it.phase("kit: compile kube [amd64]"):
        pass
    assert re.fullmatch(r" +\d\.\d s  kit: compile kube \[amd64\]\n", output.getvalue())
    assert phases == ["kit: compile kube [amd64]"]


def test_a_long_phase_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_HEARTBEAT_SECONDS", 0.05)
    it, output, _ = make(terminal=False)
    with it.phase("cluster"):
        wait_until("a sign of life", lambda: "…" in output.getvalue(), timeout=10, interval=0.01)
    assert "0 s  … cluster\n" in output.getvalue()


def test_on_a_terminal_a_live_line_shows_the_time() -> None:
    it, output, phases = make(terminal=True)
    with it.phase("cluster"), it.phase("[nodes]"):
        pass
    assert phases == ["[nodes]", "cluster"]
    assert "cluster" in output.getvalue()
    assert "[nodes]" in output.getvalue()
    assert "\x1b[" in output.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_phase_that_failed_is_not_reported_as_done(terminal: bool) -> None:
    it, output, phases = make(terminal=terminal)
    with pytest.raises(ValueError, match="broken"), it.phase("cluster"):
        raise ValueError("broken")
    assert phases == []
    if not terminal:
        assert output.getvalue() == ""


def test_text_is_printed_as_it_is() -> None:
    it, output, _ = make(terminal=False)
    it.say("see [/dev/full] and [bold]this[/bold]" + " long" * 40)
    assert output.getvalue() == "see [/dev/full] and [bold]this[/bold]" + " long" * 40 + "\n"
