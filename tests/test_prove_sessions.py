"""The prove sessions judge the run that they started, never an earlier one."""

from pathlib import Path

import pytest

from landfast.errors import LandfastError
from landfast.journal import Journal, Note
from suites.running import run


def test_tests_that_do_not_start_leave_no_events_of_an_earlier_run(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    Journal(earlier / "journal.jsonl").write(Note(text="of an earlier run"))
    (tmp_path / "latest").symlink_to(earlier.name)
    with pytest.raises(LandfastError, match="wrote no journal"):
        run(["no-such-suite"], tmp_path)
