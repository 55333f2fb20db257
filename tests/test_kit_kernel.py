"""What is changed in the source of the machines' kernel."""

from pathlib import Path

import pytest

from landfast.errors import LandfastError
from landfast.kit import kernel


def test_each_text_is_changed_wherever_it_stands(tmp_path: Path) -> None:
    for name in {name for name, *_ in kernel.MENDS}:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{old};{old}" for at, old, _ in kernel.MENDS if at == name))
    kernel.mend(tmp_path)
    for name, old, new in kernel.MENDS:
        text = (tmp_path / name).read_text()
        assert text.count(new) == 2
        assert old not in text.replace(new, "")


def test_a_source_without_the_text_is_not_taken_for_a_changed_one(tmp_path: Path) -> None:
    name, *_ = kernel.MENDS[0]
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("int mended;\n")
    with pytest.raises(LandfastError, match="is it mended already"):
        kernel.mend(tmp_path)
