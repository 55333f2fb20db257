"""What latencies add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.verdict import Unknown
from suites.conformance.storageclass.fitness import (
    ENOUGH,
    Latencies,
    expect,
    histogram,
    parse,
    quantile,
)

OUTPUT = "".join(
    f"{number} {where} {took}\n"
    for number in (0, 1)
    for where, took in (("tmpfs", 1000), ("volume", 4000), ("volume", 6000))
)
latencies = st.floats(min_value=0.01, max_value=10_000)


def test_output_of_a_pod_is_read_round_by_round() -> None:
    found = parse(OUTPUT, 2)
    assert found.own == ((1,), (1,))
    assert found.rounds == ((4, 6), (4, 6))
    assert str(found) == (
        "p50 4.0 ms, p99 6.0 ms, p99.9 6.0 ms of 4; the same on a tmpfs: p50 1.0 ms, p99 1.0 ms"
    )


def test_output_without_a_round_tells_nothing() -> None:
    with pytest.raises(Unknown, match="measured 4 operations"):
        parse(OUTPUT, 3)


def test_pod_that_cannot_measure_says_why() -> None:
    with pytest.raises(Unknown, match="sh: bash: not found; exit code 127"):
        parse("sh: bash: not found\nexit code 127", 2)


@given(st.lists(latencies, min_size=1), st.floats(min_value=0.001, max_value=1))
def test_at_least_that_part_is_within_a_quantile(found: list[float], part: float) -> None:
    limit = quantile(found, part)
    assert limit in found
    assert sum(latency <= limit for latency in found) >= part * len(found) - 1e-6


def measured(*rounds: tuple[float, float]) -> Latencies:
    """Return rounds of `ENOUGH` equal operations: how long each took on the volume, on a tmpfs."""
    return Latencies(
        tuple((took,) * ENOUGH for took, _ in rounds), tuple((own,) * ENOUGH for _, own in rounds)
    )


def test_latencies_within_the_thresholds_pass() -> None:
    expect(Latencies(((10.0, 50.0),), ((9.0,),)), p50=10, p99=50)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (measured((11, 1)), "p50 is 11.0 ms, not 10 or less, while the node is quiet"),
        (measured((1, 1), (51, 4), (1, 1)), "p99 is 51.0 ms, not 50 or less, while"),
        (measured((11, 1), (11, 30)), "p50 is 11.0 ms"),
    ],
)
def test_slow_volume_fails(found: Latencies, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        expect(found, p50=10, p99=50)


@pytest.mark.parametrize("own", [6.0, 26.0])
def test_busy_node_tells_nothing_of_a_volume(own: float) -> None:
    with pytest.raises(Unknown, match="p99 is 51.0 ms, .* only 0 of 600 operations"):
        expect(measured((1, own), (51, own)), p50=10, p99=50)


def test_one_slow_operation_on_a_tmpfs_makes_its_round_a_busy_one() -> None:
    own = (1.0,) * (ENOUGH - 1) + (26.0,)
    with pytest.raises(Unknown, match="only 0 of 300"):
        expect(Latencies(((51.0,) * ENOUGH,), (own,)), p50=10, p99=50)


def test_rounds_of_a_busy_node_do_not_count() -> None:
    expect(measured((1, 1), (51, 30)), p50=10, p99=50)


@given(st.lists(latencies, min_size=1))
def test_histogram_counts_every_operation_once(found: list[float]) -> None:
    assert sum(int(line.split()[3]) for line in histogram(found).splitlines()) == len(found)


def test_histogram_reads_well() -> None:
    assert histogram([0.9, 1.5, 1.6, 7]) == (
        "      ≤ 1 ms      1 " + "█" * 20 + "\n"
        "      ≤ 2 ms      2 " + "█" * 40 + "\n"
        "      ≤ 4 ms      0 \n"
        "      ≤ 8 ms      1 " + "█" * 20
    )
