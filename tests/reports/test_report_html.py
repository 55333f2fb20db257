"""The HTML report: one small file that shows everything and runs nothing of others."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_sample import BEGAN, CASES, Case, sample_events, write_run

from landfast.journal import RunStarted
from landfast.verdict import Verdict
from reports.html import render_html
from reports.html.excerpts import FILE_LIMIT
from reports.summarise import summarise_events

ATTACK = "</pre></script><script>alert(1)</script><img src=x onerror=alert(1)> \"' &amp;"
VOID = {"meta", "input", "link", "br", "img"}


class Page(HTMLParser):
    """A report taken apart: its elements, ids, text; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.inside[self._open[-1] if self._open else ""] = data
        self.text += data

    def having(self, attribute: str) -> list[str]:
        return [found or "" for _, a in self.elements if (found := a.get(attribute)) is not None]

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


def render(folder: Path, cases: tuple[Case, ...] = CASES) -> str:
    write_run(folder, [], cases)
    return render_html(summarise_events(sample_events(cases)), folder)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def one(**changes: object) -> tuple[Case, ...]:
    fields = {"claim": "s.one", "text": "It MUST.", "source": "here", "steps": (("did", 1.0),)}
    return (Case(**{**fields, **changes}),)  # type: ignore[arg-type]


def test_shows_the_verdict_every_claim_and_what_was_seen(page: Page) -> None:
    for case in CASES:
        for text in (case.text, case.source, case.reason, case.capability, *case.observed):
            assert text in page.text
        for step, _seconds in case.steps:
            assert step in page.text
    assert "2 of 20 claims do not hold" in page.text
    assert page.inside["title"] == "FAIL: Landfast run 1123-201502-9f3a"


def test_each_claim_has_its_own_anchor_and_what_is_not_pass_is_open(page: Page) -> None:
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    assert {case.claim for case in CASES} <= set(ids)
    verdicts = page.having("data-verdict")
    assert sorted(verdicts) == sorted(case.verdict for case in CASES)
    after_article = [
        attributes
        for (tag, _), (_, attributes) in zip(page.elements, page.elements[1:], strict=False)
        if tag == "article"
    ]
    assert ["open" in found for found in after_article] == [v != "PASS" for v in verdicts]


def test_links_within_the_page_lead_somewhere(page: Page) -> None:
    inner = {href[1:] for href in page.having("href") if href.startswith("#")}
    assert inner <= set(page.having("id"))
    labelled = " ".join(page.having("aria-labelledby") + page.having("for")).split()
    assert set(labelled) <= set(page.having("id"))


def test_loads_nothing_from_outside(page: Page, html: str) -> None:
    assert page.having("src") == []
    assert page.named("link") == []
    assert page.having("style") == []
    assert not re.search(r"https?://|url\(|@import", html)
    outer = [href for href in page.having("href") if not href.startswith("#")]
    assert all(href.startswith("./evidence/") for href in outer)


def test_policy_allows_just_our_style_and_script(html: str, page: Page) -> None:
    [policy] = [m["content"] for m in page.named("meta") if m.get("http-equiv")]
    for tag in ("style", "script"):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in (policy or "")
    assert (policy or "").startswith("default-src 'none'")
    assert "unsafe" not in (policy or "")


def test_verdicts_are_words_and_shapes_not_only_colours(page: Page) -> None:
    for verdict in Verdict:
        assert {"href": f"#{verdict.lower()}"} in page.named("use")
        assert verdict in page.text


def test_markup_in_any_text_stays_text(tmp_path: Path) -> None:
    cases = one(
        claim="s.a\" onclick='x'",
        text=ATTACK,
        source=ATTACK,
        steps=((ATTACK, 1.0),),
        observed=(ATTACK,),
        verdict=Verdict.SKIPPED,
        reason=ATTACK,
        capability=ATTACK,
        evidence=((ATTACK, "e<b>.txt", ATTACK),),
    )
    page = Page(render(tmp_path, cases))
    assert len(page.named("script")) == 1
    assert page.named("img") == []
    assert page.having("onclick") == []
    assert page.text.count(ATTACK) >= 7


def test_evidence_file_with_an_impossible_name_is_named_and_not_read(tmp_path: Path) -> None:
    events = sample_events(one(evidence=(("log", "x", ""),)))
    names = {"\0\x1b[1mgone": "The file is missing.", "n" * 5000: "File name too long."}
    for name, remark in names.items():
        changed = [
            event.model_copy(update={"file": name}) if event.kind == "evidence" else event
            for event in events
        ]
        assert remark in Page(render_html(summarise_events(changed), tmp_path)).text


def test_evidence_has_no_escapes_and_names_its_file(page: Page) -> None:
    assert "\x1b" not in page.text
    assert "InnoDB: Unable to lock ./ibdata1 error: 11" in page.text
    name = "./evidence/durability.acknowledged-writes-survive-server-crash/mysql-0.log"
    assert name in page.having("href")


def test_long_evidence_is_cut_in_the_middle_and_says_so(tmp_path: Path) -> None:
    content = "<first>" + "<&>" * 900_000 + "<last>"
    page = Page(render(tmp_path, one(evidence=(("log", "log.txt", content),))))
    assert "<first>" in page.text
    assert "<last>" in page.text
    assert "the middle is omitted" in page.text
    assert "Beginning and end of 2.7 MB: the rest is in the file." in page.text


def test_report_stays_small_whatever_the_evidence(tmp_path: Path) -> None:
    files = tuple((f"log {n}", f"{n}.txt", "'<雪>" * 40_000) for n in range(60))
    html = render(tmp_path, one(evidence=files))
    assert 100_000 < len(html.encode()) < 1_000_000
    assert "Not shown, to keep the report short: open the file." in html


def test_what_is_not_pass_has_its_evidence_shown_first(tmp_path: Path) -> None:
    long = tuple((f"log {n}", f"{n}.txt", "x" * FILE_LIMIT) for n in range(30))
    good = one(claim="a.good", evidence=long)
    bad = one(claim="b.bad", verdict=Verdict.FAIL, evidence=(("log", "l.txt", "it is here"),))
    assert "it is here" in render(tmp_path, good + bad)


def test_long_texts_and_many_of_them_are_cut(tmp_path: Path) -> None:
    steps = tuple((f"step {n}", 0.1) for n in range(130))
    observed = tuple("long " * 2000 for _ in range(60))
    evidence = tuple((f"e{n}", f"{n}.txt", "x") for n in range(104))
    page = Page(render(tmp_path, one(steps=steps, observed=observed, evidence=evidence)))
    assert "30 more in journal.jsonl" in page.text
    assert "10 more in journal.jsonl" in page.text
    assert "4 more files in the folder of this report" in page.text
    assert "(cut; the whole text is in journal.jsonl)" in page.text


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("../../../secret", "Not shown: it is outside the run's folder."),
        ("gone.txt", "The file is missing."),
        ("binary", "Not shown: 3 bytes of binary data."),
        ("empty", "The file is empty."),
        ("unreadable", "The file cannot be read: Permission denied."),
    ],
)
def test_evidence_that_cannot_be_shown_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, remark: str
) -> None:
    folder, cases = tmp_path / "run", one(evidence=(("log", name, ""),))
    files = folder / "evidence" / "s.one"
    files.mkdir(parents=True)
    (tmp_path / "secret").write_text("do not show")
    (files / "binary").write_bytes(b"a\0b")
    (files / "empty").touch()
    (files / "unreadable").write_text("x")
    really_open = Path.open

    def refuse(path: Path, *args: str, **kwargs: str) -> object:
        if path.name == "unreadable":
            raise PermissionError(13, "Permission denied")
        return really_open(path, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    text = Page(render_html(summarise_events(sample_events(cases)), folder)).text
    assert remark in text
    assert "do not show" not in text


def test_several_tests_of_a_claim_show_their_own_verdicts(tmp_path: Path) -> None:
    first, *rest = one(verdict=Verdict.FAIL, reason="lost a row", claim="s.one.x")
    events = sample_events((first, *rest))
    events += [
        event.model_copy(update={"test": "other.py::test", "verdict": verdict, "reason": reason})
        for event in events
        if event.kind == "test_finished"
        for verdict, reason in [(Verdict.UNKNOWN, "ill before")]
    ]
    page = Page(render_html(summarise_events(events), tmp_path))
    assert "lost a row" in page.text
    assert "ill before" in page.text
    assert len(page.named("h5")) == 2


def test_many_claims_that_are_not_pass_are_listed_in_part(tmp_path: Path) -> None:
    cases = tuple(one(claim=f"s.n{n}", verdict=Verdict.FAIL)[0] for n in range(55))
    assert "5 more below" in Page(render(tmp_path, cases)).text


def test_run_killed_before_its_first_claim_has_a_report(tmp_path: Path) -> None:
    run = RunStarted(at=BEGAN, run_id="r", landfast="0", command=["pytest"], settings={})
    page = Page(render_html(summarise_events([run]), tmp_path))
    assert "The journal has no end" in page.text
    assert "The run declared no claim." in page.text
    assert "not recorded" in page.text
