"""The journal: nothing that was written is lost, mixed up or misread."""

import re
from datetime import UTC
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.errors import BadInput
from landfast.journal import EVENT, Event, Journal, Note, Observation, Step, read_journal
from landfast.results import (
    Availability,
    LedgerCheck,
    LedgerCounts,
    Marks,
    ScenarioSummary,
    Survival,
    Tier,
)
from landfast.verdict import Verdict

# Line ends that Python knows and JSON does not escape belong to what has to survive.
TEXT = st.text() | st.sampled_from(["\u2028", "a\x85b", "\x0b\x0c\x1c", "\n\r\n", "ü \U0001f600"])
SURVIVAL = Survival(
    scenario=ScenarioSummary(name="s", fault="f", text="", expected="", hold=1),
    verdict=Verdict.PASS,
    reasons=(),
    marks=Marks(injected=1, proven=None, healed=2.5, ended=4),
    effect="",
    healing="",
    ledger=LedgerCheck(
        verdict=Verdict.PASS,
        reasons=(),
        counts=LedgerCounts(**dict.fromkeys(LedgerCounts.model_fields, 0)),
        lost=(),
        by_interval=(),
    ),
    availability=Availability(
        gap=0.1,
        gap_from=0,
        gaps=0,
        errors=0,
        rto_first=0,
        rto_steady=None,
        intervals=(),
        bin_seconds=0.25,
        bins=(),
    ),
    identity=(),
)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63),
    float: st.floats(allow_nan=False, allow_infinity=False),
    list[str]: st.lists(TEXT),
    dict[str, str]: st.dictionaries(TEXT, TEXT),
    Verdict: st.sampled_from(Verdict),
    Tier | None: st.sampled_from([None, *get_args(Tier)]),
    Survival: TEXT.map(lambda text: SURVIVAL.model_copy(update={"effect": text})),
}
EVENTS = st.one_of(
    *(
        st.builds(
            kind,
            at=st.datetimes(timezones=st.just(UTC)),
            **{
                name: BY_TYPE[field.annotation]
                for name, field in kind.model_fields.items()
                if name not in ("at", "kind")
            },
        )
        for kind in get_args(get_args(Event)[0])
    )
)


@given(st.lists(EVENTS, max_size=8))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event]
) -> None:
    journal = Journal(tmp_path_factory.mktemp("run") / "journal.jsonl")
    for event in events:
        journal.write(event)
    if events:
        assert list(read_journal(journal.path)) == events
        assert journal.path.read_bytes().count(b"\n") == len(events)


@given(EVENTS, EVENTS, st.data())
def test_a_line_cut_short_at_any_byte_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, first: Event, last: Event, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("run") / "journal.jsonl"
    for event in (first, last):
        Journal(path).write(event)
    whole = path.read_bytes()
    start = whole.index(b"\n") + 1
    path.write_bytes(whole[: data.draw(st.integers(start, len(whole) - 2))])
    assert list(read_journal(path)) == [first]


def test_a_last_line_that_only_lacks_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).write(Note(text="kept"))
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    assert [event.kind for event in read_journal(path)] == ["note"]


def _write_many(path: Path, writer: int) -> None:
    journal = Journal(path)
    for number in range(200):
        journal.write(
            Observation(test=f"t{writer}", text=f"{number} " + "x" * (number * 37 % 5000))
        )


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    context = get_context("fork")
    writers = [context.Process(target=_write_many, args=(path, n)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
        assert writer.exitcode == 0
    seen: dict[str, list[int]] = {}
    for event in read_journal(path):
        assert isinstance(event, Observation)
        seen.setdefault(event.test, []).append(int(event.text.split()[0]))
    assert seen == {f"t{n}": list(range(200)) for n in range(4)}


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").symlink_to("/dev/full")
    with pytest.raises(BadInput, match=r"cannot write the journal .*: No space left on device$"):
        Journal(tmp_path / "journal.jsonl").write(Note(text="x"))


def test_a_line_that_only_fits_in_part_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.write", lambda _descriptor, data: len(data) - 1)
    with pytest.raises(BadInput, match="No space left on device"):
        Journal(tmp_path / "journal.jsonl").write(Note(text="x"))


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gone" / "journal.jsonl")
    assert journal.folder == tmp_path / "gone"
    with pytest.raises(BadInput, match="No such file or directory"):
        journal.write(Note(text="x"))
    with pytest.raises(BadInput, match=r"cannot read the journal .*: No such file or directory$"):
        list(read_journal(journal.path))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "Invalid JSON"),
        ('{"kind":"note"}', "note.text: Field required"),
        ('{"kind":"nonsense"}', "nonsense"),
        ('{"kind":"note","text":"x","more":1}', "note.more: Extra inputs"),
        ("", "Invalid JSON"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).write(Note(text="before"))
    with path.open("a") as file:
        file.write(f"{line}\n")
    Journal(path).write(Note(text="after"))
    with pytest.raises(BadInput, match=rf"{re.escape(str(path))}, line 2 .*{said}") as caught:
        list(read_journal(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"\x00\xff\n")
    with pytest.raises(BadInput, match="line 1 is not a journal event"):
        list(read_journal(path))


def test_an_empty_journal_has_no_events(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    assert list(read_journal(tmp_path / "journal.jsonl")) == []


def test_events_know_their_time_and_kind() -> None:
    event = EVENT.validate_json(Step(test="t", text="x", seconds=1, ok=True).model_dump_json())
    assert event.kind == "step"
    assert event.at.utcoffset() is not None
