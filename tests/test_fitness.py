"""What latencies add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.verdict import Unknown
from suites.conformance.storageclass.fitness import Latencies, expect, histogram, parse, quantile

OUTPUT = "0 1000\n1 4000\n1 6000\n2 4000\n2 6000\n"
latencies = st.floats(min_value=0.01, max_value=10_000)


def test_output_of_a_pod_is_read_round_by_round() -> None:
    found = parse(OUTPUT, 2)
    assert found.own == pytest.approx((1,))
    assert [len(of_round) for of_round in found.rounds] == [2, 2]
    assert quantile(found.all, 0.5) == pytest.approx(4)
    assert quantile(found.all, 0.99) == pytest.approx(6)
    assert str(found) == (
        "p50 4.0 ms, p99 6.0 ms, p99.9 6.0 ms of 4; the medians of 2 rounds differ by 0%; "
        "the same on a tmpfs: p50 1.0 ms, p99 1.0 ms"
    )


def test_output_without_a_round_tells_nothing() -> None:
    with pytest.raises(Unknown, match=r"\[1, 2, 2, 0\]"):
        parse(OUTPUT, 3)


def test_pod_that_cannot_measure_says_why() -> None:
    with pytest.raises(Unknown, match="sh: bash: not found; exit code 127"):
        parse("sh: bash: not found\nexit code 127", 2)


def test_rounds_that_differ_are_noisy() -> None:
    assert "noisy" in str(Latencies(((1, 1, 1), (1.2, 1.2, 1.2)), (0.1,)))
    assert "noisy" not in str(Latencies(((1, 1, 1), (1.1, 1.1, 1.1)), (0.1,)))


@given(st.lists(latencies, min_size=1), st.floats(min_value=0.001, max_value=1))
def test_at_least_that_part_is_within_a_quantile(found: list[float], part: float) -> None:
    limit = quantile(found, part)
    assert limit in found
    assert sum(latency <= limit for latency in found) >= part * len(found) - 1e-6


def test_latencies_within_the_thresholds_pass() -> None:
    expect(Latencies(((10.0, 50.0),), (9.0,)), p50=10, p99=50)


@pytest.mark.parametrize(
    ("latencies", "said"),
    [((11.0, 11.0), "p50 is 11.0 ms, not 10 or less"), ((1.0, 51.0), "p99 is 51.0 ms, not 50")],
)
def test_slow_volume_fails(latencies: tuple[float, ...], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        expect(Latencies((latencies,), (1.0, 4.0)), p50=10, p99=50)


@pytest.mark.parametrize(
    ("latencies", "own"), [((11.0, 11.0), (6.0, 6.0)), ((1.0, 51.0), (1.0, 26.0))]
)
def test_busy_node_tells_nothing_of_a_volume(
    latencies: tuple[float, ...], own: tuple[float, ...]
) -> None:
    with pytest.raises(Unknown, match=f"busy: the same on a tmpfs took {own[1]} ms"):
        expect(Latencies((latencies,), own), p50=10, p99=50)


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
