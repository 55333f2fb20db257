"""A last will is carried out after a kill -9 and after its time, and not once it is revoked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from landfast.errors import LandfastError
from landfast.last_will import LastWill
from landfast.waiting import wait_until

TESTATOR = """
import sys, time
from pathlib import Path
from landfast.last_will import LastWill
will = LastWill(sys.argv[1], within=60, limit=5, log=Path(sys.argv[2]))
print("left", flush=True)
time.sleep(60)
"""


def left(tmp_path: Path, **options: float) -> tuple[LastWill, Path]:
    done = tmp_path / "done"
    limits = {"within": 60.0, "limit": 5.0} | options
    return LastWill(f"echo it >{done}", **limits, log=tmp_path / "log"), done


def test_it_is_carried_out_after_a_kill(tmp_path: Path) -> None:
    done = tmp_path / "done"
    argv = [sys.executable, "-c", TESTATOR, f"echo it >{done}", str(tmp_path / "log")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True) as testator:
        assert testator.stdout is not None
        assert testator.stdout.readline() == b"left\n"
        os.killpg(testator.pid, signal.SIGKILL)  # and all that it has started in its session
    wait_until("the will to be carried out", done.exists, timeout=10)
    assert "carrying out: echo it" in (tmp_path / "log").read_text()


def test_it_is_carried_out_when_its_time_is_over(tmp_path: Path) -> None:
    will, done = left(tmp_path, within=0.1)
    wait_until("the will to be carried out", done.exists, timeout=10)
    will.revoke()


def test_it_is_not_carried_out_once_revoked(tmp_path: Path) -> None:
    begun = time.monotonic()
    will, done = left(tmp_path)
    will.revoke()
    assert not done.exists()
    assert time.monotonic() - begun < 30


def test_one_that_cannot_be_left_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(LandfastError, match="nobody would run `echo it"):
        left(tmp_path)
