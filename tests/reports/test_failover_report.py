"""The table of a failover's phases, in the card of its scenario."""

from pathlib import Path

import pytest
from chaos_course import BUDGET
from chaos_sample import PASSED, chaos_events
from test_chaos_report import changed, render
from test_report_html import Page

from landfast.results import Budget


def changed_budget(**changes: object) -> Budget:
    return BUDGET.model_copy(update=changes)


def test_failover_says_where_the_seconds_went(tmp_path: Path) -> None:
    page = Page(render(chaos_events([changed(PASSED, budget=BUDGET)]), tmp_path))
    assert (
        "Where the seconds went, from the injection to the first acknowledged write (pod and node "
        "are looked at twice a second). The setting that would shorten it most: fewer dirty "
        "pages (innodb_max_dirty_pages_pct)"
    ) in page.text
    assert "stop, unmount3.1 s3.9 sas at the rehearsal" in page.text
    assert "mount and start\u20131.2 sthere was no rehearsal" in page.text
    assert "in all4.0 s6.6 snot predicted: mount and start; not seen: the end of stop" in page.text


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (changed_budget(phases=BUDGET.phases[:1]), "in all3.1 s3.9 snot seen: the end of stop"),
        (changed_budget(unseen=()), "in all4.0 s6.6 snot predicted: mount and start"),
    ],
)
def test_failover_says_what_is_not_known_of_it(budget: Budget, said: str, tmp_path: Path) -> None:
    page = Page(render(chaos_events([changed(PASSED, budget=budget)]), tmp_path))
    assert said in page.text


def test_failover_that_no_setting_shortens(tmp_path: Path) -> None:
    budget = changed_budget(phases=BUDGET.phases[1:2])
    page = Page(render(chaos_events([changed(PASSED, budget=budget)]), tmp_path))
    assert "twice a second)\n" in page.text
