"""The timeline: everything stands where it happened, and no label lies on another."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from chaos_course import BLANK
from chaos_sample import CONTROL, FAILED, GONE, NO_EFFECT, PASSED, SURVIVALS
from hypothesis import given
from hypothesis import strategies as st

from landfast.results import Availability, Bin, Happening, Lane, Marks, Span, Survival
from reports.picture import LEFT, RIGHT, WIDTH, Label, Moments
from reports.timeline import Timeline, timeline

TIMES = st.floats(0, 500)
COUNTS = st.integers(0, 10**6)
MILLISECONDS = st.none() | st.floats(0, 10**6)
BINS = st.builds(Bin, acknowledged=COUNTS, errors=COUNTS, p50=MILLISECONDS, worst=MILLISECONDS)
SPANS = st.builds(Span, start=TIMES, end=TIMES, state=st.text(max_size=40), good=st.booleans())
ANY = st.builds(
    lambda marks, seen, spans, times: BLANK.model_copy(
        update={
            "marks": marks,
            "availability": seen,
            "lanes": (Lane(name="a", spans=tuple(spans)),),
            "happenings": tuple(Happening(at=at, text="x") for at in sorted(times)),
        }
    ),
    st.builds(
        Marks,
        injected=st.floats(-(10**6), 500),
        proven=st.none() | TIMES,
        healed=st.none() | TIMES,
        ended=st.floats(-(10**6), 500),
    ),
    st.builds(
        Availability,
        gap=TIMES,
        gap_from=TIMES,
        gaps=COUNTS,
        errors=COUNTS,
        rto_first=st.none() | TIMES,
        rto_steady=st.none() | TIMES,
        intervals=st.just(()),
        bin_seconds=st.sampled_from([0.1, 0.25, 1.0]),
        bins=st.lists(BINS, max_size=20).map(tuple),
    ),
    st.lists(SPANS, max_size=5),
    st.lists(TIMES, max_size=30),
)


def extent(label: Label) -> tuple[float, float]:
    width = len(label.text) * 6.0
    return {
        "start": (label.x, label.x + width),
        "middle": (label.x - width / 2, label.x + width / 2),
        "end": (label.x - width, label.x),
    }[label.anchor]


def x_of(survival: Survival, at: float) -> float:
    return LEFT + (RIGHT - LEFT) * at / survival.marks.ended


def with_seen(survival: Survival, **changes: object) -> Survival:
    seen = survival.availability.model_copy(update=changes)
    return survival.model_copy(update={"availability": seen})


def labels(groups: Sequence[Moments], offset: float) -> list[tuple[float, float]]:
    return [(group.x + offset, group.x + offset + 6.0 * len(group.text)) for group in groups]


def test_fault_and_marks_stand_where_they_happened() -> None:
    found = timeline(PASSED)
    assert [(mark.name, mark.label.text) for mark in found.marks] == [
        ("injected", "injected"),
        ("proven", "proven +0.70 s"),
        ("healed", "healed +6.2 s"),
        ("recovered", "recovered +6.6 s"),
    ]
    for mark, at in zip(found.marks, (3.4, 4.1, 9.6, 10.0), strict=True):
        assert mark.x == pytest.approx(x_of(PASSED, at), abs=0.1)
    [box] = found.fault.boxes
    assert box.text == "nfs-kill"
    assert box.x == found.marks[0].x
    assert box.x + box.width == pytest.approx(found.marks[2].x)


def test_fault_that_did_not_heal_lasts_to_the_end() -> None:
    found = timeline(FAILED)
    [box] = found.fault.boxes
    assert box.x + box.width == pytest.approx(RIGHT)
    assert box.text == "nfs-power-loss, not healed"
    assert [mark.name for mark in found.marks] == ["injected", "proven"]


def test_name_of_a_short_fault_stands_beside_it() -> None:
    found = timeline(NO_EFFECT)
    assert found.fault.boxes[0].text == ""
    assert found.fault.label
    assert found.fault.label.text == "nfs-port-dropped"


def test_gap_is_measured_out_and_said() -> None:
    found = timeline(PASSED)
    assert found.gap
    assert found.gap.label.text == "no write for 6.5 s"
    assert found.gap.label.anchor == "middle"
    assert found.gap.x == pytest.approx(x_of(PASSED, 3.5), abs=0.1)
    assert found.gap.end == pytest.approx(x_of(PASSED, 10.0), abs=0.1)
    assert timeline(NO_EFFECT).gap is None


@pytest.mark.parametrize(("start", "anchor"), [(5.0, "start"), (13.5, "end")])
def test_what_is_said_of_a_short_gap_stands_beside_it(start: float, anchor: str) -> None:
    found = timeline(with_seen(PASSED, gap=1.1, gap_from=start)).gap
    assert found
    assert found.label.anchor == anchor
    first, last = extent(found.label)
    assert last < found.x if anchor == "end" else first > found.end


def test_rate_is_an_area_that_is_empty_in_the_gap() -> None:
    found = timeline(PASSED).rate
    assert [tick.text for tick in found.ticks] == ["0", "750", "1,500"]
    assert [tick.at for tick in found.ticks] == [found.bottom, found.top + 55, found.top]
    [path] = found.paths
    assert path.startswith(f"M{LEFT} {found.bottom:g}V")
    assert path.endswith("Z")
    heights = [float(v) for v in re.findall(r"V([\d.]+)", path)]
    assert all(found.top <= height <= found.bottom for height in heights)
    assert heights.count(round(found.bottom, 1)) == 26 + 1  # the bins of the gap, and the end


def test_latency_is_logarithmic_and_has_no_line_where_nothing_was_acknowledged() -> None:
    found = timeline(PASSED).latency
    assert [tick.text for tick in found.ticks] == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    steps = {round(a.at - b.at, 1) for a, b in itertools.pairwise(found.ticks)}
    assert steps == {22.0}
    assert [path.count("M") for path in found.paths] == [2, 2]


def test_without_any_acknowledgement_the_axes_still_stand() -> None:
    found = timeline(BLANK)
    assert [tick.text for tick in found.rate.ticks] == ["0", "0.5", "1"]
    assert [tick.text for tick in found.latency.ticks] == ["1 ms", "10 ms", "100 ms", "1 s"]
    assert found.latency.paths == ("", "")
    assert found.lost.label
    assert found.lanes == ()
    assert found.events == ()


def test_tall_latency_axis_leaves_ticks_out() -> None:
    bins = (Bin(acknowledged=1, errors=0, p50=0.02, worst=90_000.0),)
    ticks = timeline(with_seen(PASSED, bins=bins)).latency.ticks
    assert [tick.text for tick in ticks] == ["0.1 ms", "10 ms", "1 s", "100 s"]


def test_lost_stands_where_it_was_acknowledged() -> None:
    found = timeline(CONTROL).lost
    assert len(found.boxes) == len(GONE)
    for box, run in zip(found.boxes, GONE, strict=True):
        assert box.x == pytest.approx(x_of(CONTROL, run.acknowledged_from), abs=0.1)
        assert box.x + box.width == pytest.approx(x_of(CONTROL, run.acknowledged_to), abs=0.1)
    assert found.label
    assert found.label.text == "689 writes acknowledged here are gone"
    assert found.label.x > max(box.x + box.width for box in found.boxes)


def test_what_is_lost_may_be_nothing_or_not_known() -> None:
    said = [found.label.text for s in (PASSED, FAILED) if (found := timeline(s).lost).label]
    assert said == ["none", "not known: the ledger was not read"]


def test_errors_are_counted_where_they_are_dense() -> None:
    found = timeline(CONTROL).errors
    assert [group.text for group in found] == ["14", "", "", ""]
    assert sum(len(group.xs) for group in found) == 5


def test_lanes_say_their_state_where_it_fits() -> None:
    pod = timeline(CONTROL).lanes[0]
    assert pod.name == "pod mysql-0"
    assert [(box.text, box.good) for box in pod.boxes] == [
        ("Ready on worker", True),
        ("", False),
        ("CrashLoopBackOff on worker", False),
        ("Running on worker", False),
        ("Ready on worker", True),
    ]
    short = Lane(name="x" * 40, spans=(Span(start=1, end=1.2, state="Ready", good=True),))
    [lane] = timeline(PASSED.model_copy(update={"lanes": (short,)})).lanes
    assert lane.name.endswith("x…")
    assert (lane.boxes[0].text, lane.boxes[0].title) == ("", "Ready")


def test_events_that_stand_close_share_a_number() -> None:
    assert [group.text for group in timeline(CONTROL).events] == ["1-3", "4", "5", "6"]


def test_time_is_told_from_the_injection() -> None:
    ticks = {tick.text: tick.at for tick in timeline(PASSED).ticks}
    assert list(ticks) == ["\u22122", "0", "2", "4", "6", "8", "10"]
    assert ticks["0"] == timeline(PASSED).marks[0].x


def test_fault_that_was_never_injected_begins_with_the_workload() -> None:
    marks = Marks(injected=-86_400, proven=None, healed=None, ended=10)
    found = timeline(PASSED.model_copy(update={"marks": marks}))
    assert found.marks[0].x == LEFT
    assert found.ticks[0].text == "0"


def test_long_runs_are_drawn_with_fewer_bins_and_lose_nothing() -> None:
    one = Bin(acknowledged=10, errors=1, p50=2.0, worst=9.0)
    other = Bin(acknowledged=2, errors=0, p50=50.0, worst=80.0)
    nothing = Bin(acknowledged=0, errors=0, p50=None, worst=None)
    marks = Marks(injected=10, proven=11, healed=20, ended=1200.0)
    long = with_seen(PASSED, bins=(one, other, nothing, nothing) * 1200)
    long = long.model_copy(update={"marks": marks})
    found = timeline(long)
    assert len(found.rate.paths[0]) < 12_000
    assert sum(int(g.text.replace(",", "") or 1) for g in found.errors) == 1200
    assert [tick.text for tick in found.latency.ticks] == ["1 ms", "10 ms", "100 ms"]
    lowest = max(map(float, re.findall(r"[V ]([\d.]+)H", found.latency.paths[0])))
    assert lowest == pytest.approx(found.latency.ticks[0].at - 44 * 0.30103, abs=0.1)


def overlaps(found: Timeline) -> bool:
    at = [(mark.label.y, extent(mark.label)) for mark in found.marks]
    return any(
        y == other_y and a[0] < b[1] and b[0] < a[1]
        for (y, a), (other_y, b) in itertools.combinations(at, 2)
    )


@given(ANY)
def test_everything_stays_in_the_picture_and_no_label_on_another(survival: Survival) -> None:
    found = timeline(survival)
    rows = (found.fault, found.lost, *found.lanes)
    for box in (box for row in rows for box in row.boxes):
        assert LEFT <= box.x <= RIGHT
        assert 0 < box.width <= RIGHT - LEFT + 3
    assert all(LEFT <= mark.x <= RIGHT for mark in found.marks)
    assert all(
        extent(mark.label)[0] >= 0 and extent(mark.label)[1] <= WIDTH for mark in found.marks
    )
    assert not overlaps(found)
    assert len(found.ticks) <= 16
    for groups, offset in ((found.events, 0.0), (found.errors, 6.0)):
        ends = labels([replace(g, x=g.end if offset else g.x) for g in groups], offset)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(ends))
    assert sum(len(group.xs) for group in found.events) == len(survival.happenings)
    assert "nan" not in str(found).lower().replace("nanosecond", "")


@pytest.mark.parametrize("survival", SURVIVALS, ids=lambda s: s.scenario.name)
def test_rows_follow_one_another(survival: Survival) -> None:
    found = timeline(survival)
    tops = [
        found.top,
        found.rate.top,
        found.rate.bottom,
        found.errors_top,
        found.lost.top,
        found.latency.top,
        found.latency.bottom,
        *(lane.top for lane in found.lanes),
        found.events_top,
        found.height,
    ]
    assert tops == sorted(tops)
    assert found.bottom < found.height
