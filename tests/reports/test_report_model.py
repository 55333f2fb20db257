"""What a journal adds up to: order, truncation and doubt."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_sample import BEGAN, CASES, sample_events

from landfast.errors import BadInput
from landfast.journal import (
    ClaimDeclared,
    EnvironmentFact,
    Event,
    Note,
    Observation,
    Phase,
    RunFinished,
    RunStarted,
    Step,
    TestFinished,
    TestStarted,
)
from landfast.verdict import Verdict, worst
from reports.model import NOT_RUN, Summary
from reports.summarise import NOT_JUDGED, summarise_events

EVENTS = sample_events()
RUN = RunStarted(at=BEGAN, run_id="r", landfast="0", command=["pytest"], settings={})
CLAIM = ClaimDeclared(at=BEGAN, id="s.one", text="It MUST.", source="here")


def began(test: str = "t", claim: str = "s.one") -> TestStarted:
    return TestStarted(at=BEGAN, test=test, claim=claim, worker="main")


def ended(verdict: Verdict, test: str = "t", claim: str = "s.one", reason: str = "") -> Event:
    return TestFinished(
        at=BEGAN, test=test, claim=claim, verdict=verdict, reason=reason, seconds=1.0
    )


def finished(code: int, left_behind: tuple[str, ...] = ()) -> Event:
    return RunFinished(at=BEGAN, exit_code=code, left_behind=list(left_behind))


def of(*events: Event) -> Summary:
    return summarise_events([RUN, *events])


def test_sample_has_every_claim_with_its_verdict() -> None:
    summary = summarise_events(EVENTS)
    assert {claim.id: claim.verdict for claim in summary.claims} == {
        case.claim: case.verdict for case in CASES
    }
    assert summary.counts == {
        Verdict.FAIL: 2,
        Verdict.UNKNOWN: 1,
        Verdict.SKIPPED: 2,
        Verdict.PASS: 15,
    }
    assert (summary.verdict, summary.exit_code, summary.ended_with) == (Verdict.FAIL, 1, 1)
    assert summary.headline == "2 of 20 claims do not hold"
    assert summary.doubt == ""


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, len(EVENTS)))
def test_counts_add_up_for_any_order_and_truncation(random: object, length: int) -> None:
    kept = [EVENTS[0], *EVENTS[1 : 1 + length]]
    random.shuffle(kept)  # type: ignore[attr-defined]
    summary = summarise_events(kept)
    known = {event.id for event in kept if isinstance(event, ClaimDeclared)}
    known |= {event.claim for event in kept if isinstance(event, TestStarted | TestFinished)}
    assert sum(summary.counts.values()) == len(summary.claims) == len(known)
    assert {claim.id for claim in summary.claims} == known
    assert sum(sum(suite.counts.values()) for suite in summary.suites) == len(known)
    if not any(isinstance(event, RunFinished) for event in kept):
        assert summary.verdict in (Verdict.FAIL, Verdict.UNKNOWN)


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=5))
def test_claim_has_the_worst_verdict_of_its_tests(verdicts: list[Verdict]) -> None:
    tests = [ended(verdict, test=str(index)) for index, verdict in enumerate(verdicts)]
    [claim] = of(CLAIM, *tests).claims
    assert claim.verdict is worst(verdicts)
    assert bool(claim.reason) is (claim.verdict is not Verdict.PASS)


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=3))
def test_test_that_ended_several_times_has_its_worst_verdict(verdicts: list[Verdict]) -> None:
    [claim] = of(CLAIM, *(ended(verdict) for verdict in verdicts)).claims
    assert [test.verdict for test in claim.tests] == [worst(verdicts)]


@given(st.sampled_from(Verdict))
def test_unfinished_test_never_lets_a_claim_pass(verdict: Verdict) -> None:
    [claim] = of(CLAIM, ended(verdict, test="a"), began("b")).claims
    assert claim.verdict is worst([verdict, Verdict.UNKNOWN])


def test_unfinished_test_says_that_the_run_ended() -> None:
    [claim] = of(CLAIM, began()).claims
    assert (claim.verdict, claim.reason) == (Verdict.UNKNOWN, NOT_JUDGED)
    assert claim.tests[0].seconds is None


def test_claim_without_test_is_unknown_and_not_run() -> None:
    [claim] = of(CLAIM, finished(2)).claims
    assert (claim.verdict, claim.reason, claim.tests) == (Verdict.UNKNOWN, NOT_RUN, ())


def test_reasons_are_those_of_the_worst_tests_once_each() -> None:
    fails = [ended(Verdict.FAIL, test, reason="lost") for test in "ab"]
    [claim] = of(CLAIM, ended(Verdict.UNKNOWN, "c", reason="ill"), *fails).claims
    assert claim.reasons == ("lost",)


def test_undeclared_claim_is_shown() -> None:
    [claim] = of(began(claim="x.y"), ended(Verdict.PASS, claim="x.y")).claims
    assert (claim.id, claim.suite, claim.verdict) == ("x.y", "x", Verdict.PASS)
    assert claim.text == "The run did not declare this claim."


def test_journal_without_a_run_is_bad_input() -> None:
    with pytest.raises(BadInput, match="does not say that a run started"):
        summarise_events([CLAIM])


@pytest.mark.parametrize(
    ("events", "verdict", "headline"),
    [
        ([], Verdict.UNKNOWN, "nothing was judged: the run declared no claim"),
        ([CLAIM, ended(Verdict.PASS), finished(0)], Verdict.PASS, "1 claim holds"),
        (
            [CLAIM, ended(Verdict.PASS), ended(Verdict.SKIPPED, claim="s.b"), finished(0)],
            Verdict.PASS,
            "1 claim holds, 1 skipped",
        ),
        (
            [CLAIM, ended(Verdict.FAIL), finished(1)],
            Verdict.FAIL,
            "1 of 1 claim does not hold",
        ),
        (
            [CLAIM, ended(Verdict.UNKNOWN), ended(Verdict.PASS, claim="s.b"), finished(2)],
            Verdict.UNKNOWN,
            "1 of 2 claims could not be judged",
        ),
        (
            [CLAIM, ended(Verdict.SKIPPED), finished(2)],
            Verdict.SKIPPED,
            "nothing was judged: 1 claim skipped",
        ),
    ],
)
def test_headline_says_the_verdict(events: list[Event], verdict: Verdict, headline: str) -> None:
    summary = of(*events)
    assert summary.verdict is verdict
    assert summary.headline.startswith(headline)


@pytest.mark.parametrize(
    ("end", "verdict", "doubt"),
    [
        ([], Verdict.UNKNOWN, "The journal has no end"),
        ([finished(130)], Verdict.UNKNOWN, "The run was interrupted."),
        ([finished(3)], Verdict.UNKNOWN, "ended with exit code 3, but its verdicts add up to 0"),
        ([finished(1, ("network x",))], Verdict.FAIL, "Could not be removed: network x"),
    ],
)
def test_run_that_did_not_end_well_is_not_green(
    end: list[Event], verdict: Verdict, doubt: str
) -> None:
    summary = of(CLAIM, ended(Verdict.PASS), *end)
    assert summary.verdict is verdict
    assert doubt in summary.doubt
    assert summary.warnings[0] == summary.doubt
    assert summary.headline != "1 claim holds"


def test_suites_and_claims_that_are_not_pass_come_first() -> None:
    summary = summarise_events(EVENTS)
    assert [suite.name for suite in summary.suites] == [
        "binding",
        "durability",
        "walkthrough",
        "provisioning",
    ]
    assert [claim.verdict for claim in summary.suites[1].claims] == [
        Verdict.FAIL,
        Verdict.UNKNOWN,
        Verdict.SKIPPED,
        Verdict.SKIPPED,
        Verdict.PASS,
    ]
    assert summary.suites[1].verdict is Verdict.FAIL
    assert [claim.verdict for claim in summary.not_passed] == ["FAIL"] * 2 + ["UNKNOWN"] + [
        "SKIPPED"
    ] * 2


def test_later_fact_replaces_an_earlier_one() -> None:
    facts = [
        EnvironmentFact(section=section, name=name, value=value)
        for section, name, value in (
            ("nfs", "client", "kernel"),
            ("cluster", "provider", "kind"),
            ("nfs", "client", "fuse"),
        )
    ]
    summary = of(*facts)
    assert [section.facts for section in summary.environment] == [
        (("client", "fuse"),),
        (("provider", "kind"),),
    ]
    assert summary.ran_on == "cluster: provider kind; nfs: client fuse"


def test_steps_start_when_they_began() -> None:
    def step(text: str, at: float, seconds: float) -> Step:
        when = BEGAN + timedelta(seconds=at)
        return Step(at=when, test="t", text=text, seconds=seconds, ok=True)

    [claim] = of(CLAIM, began(), step("inner", 3, 1), step("outer", 4, 3.5)).claims
    [test] = claim.tests
    assert [(found.text, found.start) for found in test.steps] == [("outer", 0.5), ("inner", 2.0)]
    assert test.span == 4.0


def test_times_phases_and_notes_are_kept() -> None:
    later = BEGAN + timedelta(seconds=90)
    note = Note(at=BEGAN, text="read\x1b[1m me")
    summary = of(note, note, Phase(at=later, name="build\x00", seconds=9.0))
    assert summary.seconds == 90
    assert summary.notes == ("read me",)
    assert [(phase.name, phase.seconds) for phase in summary.phases] == [("build", 9.0)]


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        (["landfast"], ""),
        (["landfast", "conformance", "-n", "2", "-k", "a or b"], ""),
        (["landfast", "conformance", "--nfs-client", "fuse", "x"], " --nfs-client fuse"),
        (["pytest", "--nfs-client=fuse", "suites"], " --nfs-client=fuse"),
        (["landfast", "conformance", "--keep", "x"], " --keep"),
        (
            ["landfast", "chaos", "--scenario", "a,b", "--nfs-client", "--keep"],
            " --nfs-client --keep",
        ),
    ],
)
def test_command_for_one_test_keeps_landfasts_flags(command: list[str], flags: str) -> None:
    settings = {"nfs_client": "fuse", "keep": "True", "scenario": "a,b"}
    run = RUN.model_copy(update={"command": command, "settings": settings})
    test = "suites/conformance/x.py::test_a"
    [claim] = summarise_events([run, CLAIM, began(test)]).claims
    assert claim.tests[0].command == f"landfast conformance -k test_a{flags}"


@pytest.mark.parametrize(
    ("test", "scenario", "command"),
    [
        ("suites/chaos/x.py::test_a[pod-delete]", "pod-delete", "chaos --scenario pod-delete"),
        ("suites/chaos/x.py::test_a", "", "chaos -k test_a"),
        ("suites/smoke/x.py::test_a", "", "smoke"),
        (
            "suites/conformance/x.py::test_a[b-1.5 (or c)]",
            "",
            "conformance -k 'test_a[b-1.5 and c and ]'",
        ),
        ("suites/conformance/walkthrough/x.py::test_a", "", "conformance -k walkthrough"),
    ],
)
def test_command_runs_one_test_of_any_suite(test: str, scenario: str, command: str) -> None:
    claim = CLAIM.model_copy(update={"scenario": scenario})
    [summary] = summarise_events([RUN, claim, began(test)]).claims
    assert summary.tests[0].command == f"landfast {command}"


def test_test_without_a_beginning_still_counts() -> None:
    seen = Observation(at=BEGAN, test="t", text="seen")
    step = Step(at=BEGAN + timedelta(seconds=5), test="t", text="did", seconds=2, ok=True)
    [claim] = of(CLAIM, seen, step, ended(Verdict.PASS)).claims
    assert claim.verdict is Verdict.PASS
    assert claim.tests[0].observations == ("seen",)
    assert claim.seconds == 1.0
