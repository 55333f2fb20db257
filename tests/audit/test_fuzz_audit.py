"""A few of the inputs of `nox -s audit-fuzz`, so that they and the audit fit together."""

from pathlib import Path

import pytest
from fuzz_audit import make, run


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_inputs_that_are_broken_at_random_end_with_an_exit_code(first: int, tmp_path: Path) -> None:
    file = tmp_path / "input.yaml"
    for number in range(first, first + 20):
        data, output = make(number)
        file.write_bytes(data)
        code, _, said = run(file, output)
        assert code in (0, 1, 4), f"input {number}: {said}"


def test_an_input_is_made_again_from_its_number() -> None:
    assert [make(number) for number in range(20)] == [make(number) for number in range(20)]
