"""Findings as JUnit XML, Markdown and HTML."""

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from objects_to_audit import DELETE, audited, orphans, pv
from reported import REFERENCE, disabled, of_manifests, report

from landfast.audit.findings import Severity
from landfast.audit.html import to_html
from landfast.audit.junit import to_junit
from landfast.audit.markdown import to_markdown
from landfast.audit.report import Report
from landfast.audit.rules import RULES


def junit(shown: Report) -> ET.Element:
    [suite] = ET.fromstring(to_junit(shown))  # noqa: S314 - ours
    tags = {"tests": "testcase", "failures": "testcase/failure", "skipped": "testcase/skipped"}
    assert {name: suite.get(name) for name in tags} == {
        name: str(len(suite.findall(tag))) for name, tag in tags.items()
    }
    return suite


def test_junit_fails_where_the_audit_does() -> None:
    suite = junit(disabled("nested-directory"))
    failed = [case.get("classname") for case in suite if case.find("failure") is not None]
    assert failed == [
        "audit.recycle-shared-directory",
        "audit.foreign-volume",
        "audit.database-volume-not-retained",
    ]
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert str(failure.get("message")).startswith("error: Recycle empties")
    assert "fix: Set persistentVolumeReclaimPolicy" in str(failure.text)
    [skipped] = suite.findall("testcase/skipped")
    assert skipped.get("message") == "--disable audit.nested-directory"
    assert (
        len(junit(report(of_manifests(str(REFERENCE)), Severity.WARNING)).findall(".//failure"))
        == 5
    )


def test_junit_of_nothing_has_a_testcase_that_passes_for_each_rule() -> None:
    suite = junit(report([]))
    assert [case.get("classname") for case in suite.findall("testcase")] == [r.id for r in RULES]
    assert suite.get("failures") == "0"


def test_junit_is_xml_whatever_a_name_has() -> None:
    suite = junit(report(audited(export=orphans("/exports/\x1b[1m<a>&\0"))))
    assert "Directory /exports/[1m<a>&" in [case.get("name") for case in suite]


def test_markdown_has_a_row_for_each_finding_and_each_reason_once() -> None:
    said = to_markdown(disabled("nested-directory"))
    assert said.startswith("# Landfast audit: 3 errors, 1 warning, 1 suppressed\n")
    rows = [line for line in said.splitlines() if line.startswith("| **")]
    assert len(rows) == 4
    assert "| **error** | StatefulSet default/mysql | `" in rows[-1]
    assert said.count("<details>") == 3
    assert all(row.count(" | ") == 3 for row in rows)


def test_markdown_leaves_out_what_no_comment_can_hold() -> None:
    found = audited(*(pv(f"v{n:03}", **DELETE) for n in range(130)))
    said = to_markdown(report(found))
    assert said.count("| **warning** |") == 100
    assert "\n30 more findings: `landfast audit` prints all.\n" in said


def test_markdown_escapes() -> None:
    said = to_markdown(report(audited(export=orphans("/exports/a|b<c>`*d*"))))
    assert "/exports/a\\|b\\<c\\>\\`\\*d\\*" in said


class Page(HTMLParser):
    """The text of a page, its ids and the links inside it; every element must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.ids, self.links = "", set[str](), set[str]()
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not {"src", "srcset", "onclick"} & given.keys()
        assert tag not in ("script", "link")
        self.ids |= {str(given["id"])} if "id" in given else set()
        href = str(given.get("href", ""))
        assert href.startswith("#") or not href
        self.links |= {href[1:]} if href else set()
        self.open += [] if tag == "meta" else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_one_page_with_everything() -> None:
    page = Page(to_html(disabled("nested-directory")))
    assert page.links <= page.ids
    for said in (
        "3 errors, 1 warning, 1 suppressed",
        "StatefulSet default/mysql",
        "Recycle empties",
    ):
        assert said in page.text
    assert "disabled: --disable audit.nested-directory" in page.text
    assert page.text.count("A PVC that is deleted and recreated may get another's data.") == 1


def test_html_of_nothing_says_so() -> None:
    assert "Nothing was found." in Page(to_html(report([]))).text


def test_html_escapes() -> None:
    page = Page(to_html(report(audited(export=orphans("/exports/<script>x")))))
    assert "/exports/<script>x" in page.text
