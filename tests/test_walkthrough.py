"""What the walkthrough takes for MySQL's data files."""

import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import cast

import pytest

from landfast.nfs.inspector import ExportInspector
from landfast.stack import Stack
from suites.conformance.walkthrough.database import data_files


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["ibdata1", "test_mysql/msg.ibd"], {"ibdata1", "test_mysql/msg.ibd"}),
        (["#innodb_redo/#ib_redo9", "#innodb_redo/#ib_redo14_tmp"], {"#innodb_redo"}),
        (["#innodb_redo/#ib_redo14_tmp"], set()),
        (["ibtmp1", "#innodb_temp/temp_1.ibt", "mysql-0.pid", "ib_buffer_pool"], set()),
    ],
)
def test_files_that_mysql_renames_or_removes_on_its_own_are_no_data(
    tmp_path: Path, files: list[str], expected: set[str]
) -> None:
    for name in files:
        file = tmp_path / "mysql" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    def execute(argv: Sequence[str]) -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    export = ExportInspector(execute, PurePosixPath(tmp_path), "a folder of this host")
    assert data_files(cast(Stack, SimpleNamespace(export=export))) == expected
