"""The reading as a file beside the history."""

import pytest
from ledger_samples import read
from pydantic import ValidationError

from landfast.mysql.history import FinalReading


def test_reading_is_read_back_from_json() -> None:
    reading = read({0: [1, 2, 5]}, {5: [1]}, {7: 12}, duplicates=("a",), damaged=("b", "c"))
    again = FinalReading.model_validate_json(reading.model_dump_json())
    assert again == reading
    assert again.rows == {0: [(1, 2), (5, 5)]}


def test_nothing_is_doubled_or_damaged_unless_it_is_said() -> None:
    reading = FinalReading(rows={}, transfers={}, registers={}, balances={})
    assert (reading.duplicates, reading.damaged) == ((), ())


def test_reading_of_another_format_is_refused() -> None:
    text = '{"rows": {}, "transfers": {}, "registers": {}, "balances": {}, "views": {}}'
    with pytest.raises(ValidationError, match="views"):
        FinalReading.model_validate_json(text)


def test_reading_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().rows = {}  # type: ignore[misc]
