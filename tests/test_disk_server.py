"""The server whose disk can lose its power, without an engine."""

import subprocess
import sys
from pathlib import Path

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


def test_disk_of_a_lying_server_is_what_it_last_flushed(tmp_path: Path) -> None:
    """The programs run here, on a folder in place of the volume."""
    engine = FakeEngine()
    engine.answer("pause", with_=None)
    server = DiskServer(engine, "server", "10.0.0.2")
    server.flush()
    server.cut_power()
    said = [call[call.index("-c") + 1] for call in engine.calls if "-c" in call]
    flush, cut = (script.replace("/disk/", f"{tmp_path}/") for script in said)
    disk, crash = tmp_path / "disk.img", tmp_path / "crash.img"
    disk.write_text("flushed")
    no_freeze = "fsfreeze() { :; }\n"
    subprocess.run(["sh", "-c", no_freeze + flush, "sh", "/export"], check=True)
    disk.write_text("written back by the kernel")
    subprocess.run(["sh", "-c", cut], check=True)
    assert crash.read_text() == "flushed"
    subprocess.run(["sh", "-c", cut], check=True)
    assert crash.read_text() == "written back by the kernel", "it flushes no more"


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
