"""The server whose disk can lose its power, without an engine."""

import subprocess
import sys

from fakes import FakeEngine

from landfast.nfs import no_sync
from landfast.nfs.disk_server import DiskServer, exports
from landfast.nfs.server import CONFIG

# fsync of a pipe is an error, unless nobody makes the call
_SYNC_A_PIPE = "import os; os.fsync(os.pipe()[0])"


def test_server_that_loses_its_power_does_nothing_after_its_disk_was_copied() -> None:
    engine = FakeEngine()
    engine.answer("pause", with_=None)
    DiskServer(engine, "server", "10.0.0.2").cut_power()
    asked = [call for call in engine.calls if call[0] in ("pause", "kill", "run_once")]
    assert [call[0] for call in asked] == ["pause", "run_once", "kill", "run_once"]
    assert asked[-1][2:] == ("mv", "/disk/crash.img", "/disk/disk.img")


def test_syncs_do_nothing_under_the_filter() -> None:
    plain = [sys.executable, "-c", _SYNC_A_PIPE]
    assert subprocess.run(plain, capture_output=True, check=False).returncode == 1
    filtered = subprocess.run(
        [sys.executable, no_sync.__file__, *plain], capture_output=True, text=True, check=False
    )
    assert filtered.returncode == 0, filtered.stderr


def test_withdrawn_export_is_the_only_one_that_goes() -> None:
    given = exports("none")
    assert "Export_Id = 1;" not in given
    assert "Export_Id = 2;" in given
    assert given.startswith(CONFIG.read_text().partition("EXPORT {")[0])


def test_only_the_export_itself_becomes_read_only() -> None:
    given = exports("ro")
    assert given.count("Access_Type = RO") == 1
    assert given.index("Access_Type = RO") < given.index("Export_Id = 2;")


def test_the_export_is_served_again_as_it_was() -> None:
    assert exports("rw") == CONFIG.read_text()
