"""The chaos part of the reports: grade, table, and each scenario from top to bottom."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chaos_course import BLANK
from chaos_sample import CONTROL, FAILED, FENCING, LOST, PASSED, SURVIVALS, chaos_events
from report_sample import Case, sample_events, write_run
from test_report_html import ATTACK, Page

import reports
from landfast.journal import ClaimDeclared, Event, SurvivalShown, TestFinished
from landfast.results import Crew, Happening, Lane, LostRun, Span, Survival
from landfast.verdict import Verdict
from reports.chaos import HEAD, Chaos, chaos_lines, chaos_of
from reports.html import render_html
from reports.markdown import render_markdown
from reports.summarise import summarise_events
from reports.survival_words import gist, lost_run, moment, was_read


def chaos(events: list[Event]) -> Chaos:
    found = chaos_of(summarise_events(events))
    assert found
    return found


def render(events: list[Event], folder: Path) -> str:
    return render_html(summarise_events(events), folder)


def changed(survival: Survival, **changes: object) -> Survival:
    return survival.model_copy(update=changes)


def seen(survival: Survival, **changes: object) -> Survival:
    return changed(survival, availability=survival.availability.model_copy(update=changes))


def counted(survival: Survival, **changes: int) -> Survival:
    counts = survival.ledger.counts.model_copy(update=changes)
    return changed(survival, ledger=survival.ledger.model_copy(update={"counts": counts}))


def ended(events: list[Event], claim: str, verdict: Verdict, reason: str = "why") -> list[Event]:
    return [
        event.model_copy(update={"verdict": verdict, "reason": reason})
        if isinstance(event, TestFinished) and event.claim == claim
        else event
        for event in events
    ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(render(chaos_events(), tmp_path_factory.mktemp("run")))


def test_table_has_the_worst_first_and_controls_last() -> None:
    assert [outcome.cells for outcome in chaos(chaos_events()).results] == [
        ("nfs-power-loss", "FAIL", "L5", "not known", "never", "59.8 s", "36"),
        ("nfs-port-dropped", "UNKNOWN", "L6", "0", "no outage", "0.31 s", "0"),
        ("pod-delete", "PASS", "L1", "0", "6.6 s / 8.3 s", "6.5 s", "0"),
        ("mysqld-sigkill", "PASS", "L2", "0", "6.6 s / 8.3 s", "6.5 s", "0"),
        ("node-power-off", "PASS", "L3", "0", "6.6 s / 8.3 s", "6.5 s", "0"),
        ("nfs-kill", "PASS", "L4", "0", "6.6 s / 8.3 s", "6.5 s", "0"),
        ("etcd-kill", "PASS", "", "0", "no outage", "0.31 s", "0"),
        ("control-flush-0 (control)", "PASS", "", str(LOST), "10.1 s / 11.8 s", "10.0 s", "17"),
    ]


def test_former_rate_that_never_came_back_is_said() -> None:
    [outcome] = chaos(chaos_events([seen(PASSED, rto_steady=None)])).results
    assert outcome.rto == "6.6 s / never"


def test_grade_is_that_of_scenarios_and_fencing() -> None:
    found = chaos(chaos_events())
    assert found.sentence == "grade Bronze"
    assert found.levels == (
        ("Bronze", "L1 pod delete, L2 mysqld killed", True),
        (
            "Silver",
            "L3 node power-off, L4 NFS server crash, L6 partition during commit",
            False,
        ),
        (
            "Gold",
            "L5 NFS server power loss, L7 outage longer than lease and eviction, "
            "double-writer fencing",
            False,
        ),
    )
    assert chaos(chaos_events([PASSED])).sentence == "no grade"


def test_scenario_counts_as_its_test_was_judged() -> None:
    events = ended(chaos_events(), "chaos.pod-delete", Verdict.UNKNOWN, "the teardown broke")
    assert chaos(events).grade.missing == ("L1, pod-delete is UNKNOWN: the teardown broke.",)


def test_scenario_that_ended_before_it_showed_anything_stands_in_the_way() -> None:
    case = Case(
        "chaos.node-stop",
        "It MUST.",
        "nfs(5)",
        (),
        verdict=Verdict.UNKNOWN,
        reason="ill",
        scenario="node-stop",
        tier="L3",
    )
    assert "L3, node-stop is UNKNOWN: ill." in chaos(chaos_events(cases=(case,))).grade.missing
    skipped = ended(chaos_events(cases=(case,)), "chaos.node-stop", Verdict.SKIPPED)
    assert not any("node-stop" in sentence for sentence in chaos(skipped).grade.missing)


def test_skipped_scenario_of_a_tier_is_said_not_to_be_shown(tmp_path: Path) -> None:
    case = Case(
        "chaos.node-stop",
        "It MUST.",
        "nfs(5)",
        (),
        verdict=Verdict.SKIPPED,
        reason="cluster.owned: it is others'",
        scenario="node-stop",
        tier="L3",
    )
    events = chaos_events(cases=(case,))
    said = "L3, node-stop: cluster.owned: it is others'"
    assert chaos(events).unshown == (said,)
    assert f"  {said}" in chaos_lines(summarise_events(events))
    assert "Not shown here:" in render_markdown(summarise_events(events))
    assert said in Page(render(events, tmp_path)).text
    assert chaos(chaos_events()).unshown == ()


def test_control_that_found_nothing_puts_every_pass_in_doubt(tmp_path: Path) -> None:
    events = ended(chaos_events(), "chaos.control-flush-0", Verdict.FAIL, "nothing was lost")
    assert chaos(events).blind == ("control-flush-0",)
    assert "a PASS of any scenario says little" in Page(render(events, tmp_path)).text
    assert chaos(chaos_events()).blind == ()


def test_run_without_scenarios_has_no_chaos_part(tmp_path: Path) -> None:
    summary = summarise_events(sample_events())
    assert chaos_of(summary) is None
    assert chaos_lines(summary) == []
    assert "Survival" not in render_markdown(summary)
    html = render_html(summary, tmp_path)
    assert "Survival" not in html
    assert "timeline" not in html


def test_terminal_has_the_table_in_columns_then_the_grade() -> None:
    head, *rows = chaos_lines(summarise_events(chaos_events()))
    assert head.split("  ")[0] == HEAD[0]
    assert len({row.index("PASS") for row in rows if " PASS " in row}) == 1
    assert rows[-2:] == [
        "survival: grade Bronze; missing for Silver:",
        "  L6, nfs-port-dropped is UNKNOWN: the fault had no effect: 812 requests went through "
        "while the port was dropped.",
    ]
    assert max(map(len, rows[:-1])) < 110


def test_terminal_says_no_more_of_gold() -> None:
    survivals = [
        changed(
            PASSED,
            scenario=PASSED.scenario.model_copy(update={"name": tier, "tier": tier}),
        )
        for tier in ("L1", "L2", "L3", "L4", "L5", "L6", "L7")
    ]
    summary = summarise_events(chaos_events(survivals))
    assert chaos_lines(summary)[-1] == "survival: grade Gold"
    assert "Missing for" not in render_markdown(summary)


def test_markdown_has_grade_and_table() -> None:
    text = render_markdown(summarise_events(chaos_events()))
    assert "## Survival: grade Bronze\n\nMissing for Silver:\n\n- L6, nfs-port-dropped is" in text
    assert f"| {' | '.join(HEAD)} |" in text
    assert "| nfs-kill | PASS | L4 | 0 | 6.6 s / 8.3 s | 6.5 s | 0 |" in text


def test_page_has_what_the_nfs_client_counted(page: Page) -> None:
    assert "NFSv4.2 on landfast-worker (hard,vers=4.2): 61,204 requests" in page.text
    assert "retransmits 3, reconnects 1, recoveries 1, locks held 5, locks lost 0" in page.text


def test_writers_in_pods_and_their_clocks_are_shown(tmp_path: Path) -> None:
    crew = Crew(writers=64, nodes=("a", "b", "b"), clock_error=0.0421)
    events = [
        event.model_copy(update={"survival": changed(event.survival, crew=crew)})
        if isinstance(event, SurvivalShown)
        else event
        for event in chaos_events()
    ]
    said = "64 writers in 3 pods on a, b; times of the ledger are known to ± 0.042 s"
    assert said in Page(render(events, tmp_path)).text


def test_page_has_grade_table_and_every_scenario_once(page: Page) -> None:
    assert "Grade Bronze" in " ".join(page.text.split())
    assert "Missing for Silver:" in page.text
    assert page.text.count("control: must go wrong") == 2  # in the table, and beside its ledger
    for survival in SURVIVALS:
        assert f"#chaos.{survival.scenario.name}" in page.having("href")
        assert page.text.count(f"Timeline of {survival.scenario.name}") == 1
        for text in (survival.effect, survival.healing, *survival.identity):
            assert text in page.text
        for happening in survival.happenings:
            assert happening.text in page.text


def test_page_is_whole_and_loads_nothing(page: Page, tmp_path: Path) -> None:
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.having("href") if href.startswith("#")} <= set(ids)
    assert set(" ".join(page.having("aria-labelledby")).split()) <= set(ids)
    assert page.having("style") == []
    html = render(chaos_events(), tmp_path)
    assert not re.search(r"https?://|@import", html)
    used = set(re.findall(r"url\(([^)]*)\)", html))
    assert used == {"#fault-hatch", "#bad-hatch"}
    assert {name[1:] for name in used} <= set(ids)


def test_picture_is_told_in_words(page: Page) -> None:
    pictures = [svg for svg in page.named("svg") if svg.get("role") == "img" and "viewbox" in svg]
    assert len([svg for svg in pictures if "timeline" in (svg["class"] or "")]) == len(SURVIVALS)
    for survival in SURVIVALS:
        assert page.text.count(gist(survival)) >= 2  # the caption, and what a screen reader says
    for word in ("injected", "proven +0.70 s", "healed +6.2 s", "recovered +6.6 s"):
        assert word in page.text


def test_ledger_shows_all_counts_and_what_was_lost(page: Page) -> None:
    text = " ".join(page.text.split())
    counts = CONTROL.ledger.counts
    assert f"{counts.stable:,} stable, {LOST} lost" in text
    assert "5 recovered, 12 never read" in text
    assert "0 unexpected, 0 duplicate, 0 torn" in text
    assert "writer 1, insert 1041 to 1252: acknowledged \u22120.82 s to +0.01 s" in text
    assert "the ledger was not read, so it is unknown what is stable and what is lost" in text


def test_any_text_is_cleaned_and_stays_text(tmp_path: Path) -> None:
    evil = f"\x1b[31m\x00{ATTACK}"
    scenario = PASSED.scenario.model_copy(update={"text": evil, "expected": evil, "fault": evil})
    survival = changed(
        PASSED,
        scenario=scenario,
        verdict=Verdict.FAIL,
        reasons=(evil,),
        effect=evil,
        healing=evil,
        identity=(evil,),
        ledger=PASSED.ledger.model_copy(update={"reasons": (evil,)}),
        lanes=(Lane(name=evil, spans=(Span(start=0, end=9, state=evil, good=False),)),),
        happenings=(Happening(at=3, text=evil),),
    )
    events = chaos_events([survival])
    html = render(events, tmp_path)
    assert "\x1b" not in html
    assert "\x00" not in html
    page = Page(html)
    assert len(page.named("script")) == 1
    assert page.named("img") == []
    assert page.text.count(ATTACK) >= 10
    assert "<script>" not in render_markdown(summarise_events(events))


def test_names_and_lists_of_any_length_are_shown_in_part(tmp_path: Path) -> None:
    [run] = [LostRun(kind="insert", writer=1, first=7, last=7, acknowledged_from=1,
                     acknowledged_to=1)]  # fmt: skip
    survival = changed(
        CONTROL,
        ledger=CONTROL.ledger.model_copy(update={"lost": (run,) * 30}),
        effect="long " * 3000,
    )
    text = Page(render(chaos_events([survival]), tmp_path)).text
    assert "10 more in journal.jsonl" in text
    assert "(cut; the whole text is in journal.jsonl)" in text


def test_scenario_that_saw_nothing_at_all_is_shown(tmp_path: Path) -> None:
    page = Page(render(chaos_events([BLANK]), tmp_path))
    assert "Timeline of blank" in page.text
    assert "not compared" in page.text
    assert "States of" not in page.text
    assert "Before, during and after" not in page.text


def test_interval_of_which_one_side_is_missing_is_shown(tmp_path: Path) -> None:
    bare = changed(PASSED, ledger=PASSED.ledger.model_copy(update={"by_interval": ()}))
    for survival in (bare, seen(PASSED, intervals=())):
        assert "Before, during and after" in Page(render(chaos_events([survival]), tmp_path)).text


def test_report_of_a_whole_run_of_scenarios_stays_small(tmp_path: Path) -> None:
    survivals = [
        changed(CONTROL, scenario=CONTROL.scenario.model_copy(update={"name": f"s{n}"}))
        for n in range(45)
    ]
    assert len(render(chaos_events(survivals), tmp_path)) < 1_200_000


def test_survival_of_a_run_that_was_killed_is_shown(tmp_path: Path) -> None:
    events = chaos_events([PASSED])
    index = next(i for i, event in enumerate(events) if isinstance(event, SurvivalShown))
    write_run(tmp_path, events[: index + 1], ())
    assert len(reports.render(tmp_path)) == 3
    [outcome] = chaos(events[: index + 1]).results
    assert outcome.verdict is Verdict.UNKNOWN


def test_every_survival_is_as_it_was_after_the_journal(tmp_path: Path) -> None:
    write_run(tmp_path, chaos_events(), ())
    summary = reports.summarise(tmp_path)
    tests = [test for claim in summary.claims for test in claim.tests]
    shown = {t.survival.scenario.name: t.survival for t in tests if t.survival}
    assert shown == {s.scenario.name: s for s in SURVIVALS}
    assert FENCING.claim in {e.id for e in chaos_events() if isinstance(e, ClaimDeclared)}


GISTS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: PASSED,
        "Writes stopped for 6.5 s; they resumed 6.6 s after the injection, at the former rate "
        "after 8.3 s. Clients saw no errors. No acknowledged write was lost.",
    ),
    (
        lambda: FAILED,
        "Writes stopped for 59.8 s and never resumed. Clients saw 36 errors. The losses "
        "are unknown: the ledger was not read. The fault was not proven to be healed.",
    ),
    (
        lambda: seen(PASSED, gaps=3, rto_steady=None, errors=1),
        "Writes stopped 3 times, for up to 6.5 s; they resumed 6.6 s after the injection, "
        "never at the former rate. Clients saw 1 error. No acknowledged write was lost.",
    ),
    (
        lambda: changed(seen(counted(PASSED, lost=1), rto_first=0.0, gap=0.4), effect=""),
        "The fault had no proven effect, so this proves nothing. Writes never stopped: "
        "the longest gap was 0.40 s. Clients saw no errors. 1 acknowledged write was lost.",
    ),
]


@pytest.mark.parametrize(("survival", "said"), GISTS, ids=["pass", "fail", "gaps", "no-effect"])
def test_gist_says_what_a_reader_must_grasp(survival: Callable[[], Survival], said: str) -> None:
    assert gist(survival()) == said


def test_control_says_that_it_is_there_to_lose() -> None:
    assert gist(CONTROL).endswith(
        f"{LOST} acknowledged writes were lost. This is a control, so losses are expected."
    )


def test_moments_are_told_from_the_injection() -> None:
    assert [moment(PASSED, at) for at in (3.4, 3.4001, 2.5, 7.5)] == [
        "0 s", "0 s", "\u22120.90 s", "+4.1 s"
    ]  # fmt: skip
    run = LostRun(
        kind="register", writer=2, first=9, last=9, acknowledged_from=3.0, acknowledged_to=3.0
    )
    assert lost_run(PASSED, run) == "writer 2, register 9: acknowledged \u22120.40 s"


def test_ledger_of_no_operation_at_all_is_known_to_have_lost_none() -> None:
    assert was_read(BLANK)
    assert not was_read(FAILED)


def test_rows_that_stand_out_have_their_class(page: Page) -> None:
    classes = [row.get("class") for row in page.named("tr")]
    assert classes.count("control") == 1
    assert classes.count("longest") == 1
    assert not any(name and '"' in name for name in page.having("class"))
