"""What verdicts add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.verdict import MissingCapability, Verdict, exit_code, worst

VERDICTS = st.lists(st.sampled_from(Verdict))


@given(VERDICTS)
def test_a_failure_is_never_hidden(verdicts: list[Verdict]) -> None:
    assert (worst(verdicts) is Verdict.FAIL) == (Verdict.FAIL in verdicts)
    assert (exit_code(verdicts) == 1) == (Verdict.FAIL in verdicts)


@given(VERDICTS)
def test_green_needs_a_pass_and_nothing_but_passes_and_skips(verdicts: list[Verdict]) -> None:
    green = Verdict.PASS in verdicts and set(verdicts) <= {Verdict.PASS, Verdict.SKIPPED}
    assert (exit_code(verdicts) == 0) == green
    assert (worst(verdicts) is Verdict.PASS) == green


@given(VERDICTS)
def test_every_run_ends_in_one_of_three_codes(verdicts: list[Verdict]) -> None:
    assert exit_code(verdicts) in (0, 1, 2)


@given(VERDICTS, VERDICTS)
def test_more_verdicts_never_turn_red_into_green(one: list[Verdict], more: list[Verdict]) -> None:
    if exit_code(one) == 1:
        assert exit_code(one + more) == 1
    if one and worst(one) is Verdict.UNKNOWN:
        assert exit_code(one + more) != 0


@given(VERDICTS)
def test_order_and_number_do_not_matter(verdicts: list[Verdict]) -> None:
    assert worst(verdicts) is worst(reversed(verdicts)) is worst(verdicts * 2)


@pytest.mark.parametrize("verdicts", [[], [Verdict.SKIPPED], [Verdict.SKIPPED] * 3])
def test_a_run_that_judged_nothing_has_shown_nothing(verdicts: list[Verdict]) -> None:
    assert exit_code(verdicts) == 2


def test_nothing_is_unknown() -> None:
    assert worst([]) is Verdict.UNKNOWN


def test_a_missing_capability_names_itself() -> None:
    error = MissingCapability("host.netem", "the kernel has no sch_netem")
    assert str(error) == "host.netem: the kernel has no sch_netem"
    assert (error.capability, error.reason) == ("host.netem", "the kernel has no sch_netem")
