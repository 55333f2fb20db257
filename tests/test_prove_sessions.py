"""The prove sessions judge the run that they started, never an earlier one."""

import re
from pathlib import Path

import pytest

from landfast import paths
from landfast.errors import LandfastError
from landfast.journal import Journal, Note
from suites.prove_defects import DEFECTS
from suites.running import run


def test_tests_that_do_not_start_leave_no_events_of_an_earlier_run(tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    Journal(earlier / "journal.jsonl").write(Note(text="of an earlier run"))
    (tmp_path / "latest").symlink_to(earlier.name)
    with pytest.raises(LandfastError, match="wrote no journal"):
        run(["no-such-suite"], tmp_path)


@pytest.mark.parametrize(
    ("source", "prefix"),
    [("csi/cmd/nfs-csi/defects.go", "csi-"), ("go/cmd/nfs-provisioner/defects.go", "")],
)
def test_every_defect_that_can_be_planted_has_a_test_that_finds_it(
    source: str, prefix: str
) -> None:
    listed = (paths.KIT / source).read_text().partition("var defects = ")[2].partition("\n}")[0]
    planted = {f"{prefix}{name}" for name in re.findall(r'^\t"([a-z-]+)"', listed, re.MULTILINE)}
    proved = {name for name in DEFECTS if name.startswith("csi-") == (prefix == "csi-")}
    assert planted
    assert planted == proved
