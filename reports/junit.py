"""A run as JUnit XML for CI: suites, tests as testcases, observations as properties."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from landfast.verdict import Verdict
from reports.model import NOT_RUN, ClaimSummary, Summary, TestSummary
from reports.text import shorten

_LONG = 20_000
_TAGS = {Verdict.FAIL: "failure", Verdict.UNKNOWN: "error", Verdict.SKIPPED: "skipped"}


def render_junit(summary: Summary) -> str:
    """Return the run as JUnit XML.

    FAIL is a failure, UNKNOWN an error, SKIPPED skipped with the missing capability. Doubt about
    the run as a whole is an error in a separate testsuite, so that CI is not green.
    """
    root = ET.Element("testsuites", name="landfast")
    for suite in summary.suites:
        cases = [case for claim in suite.claims for case in _cases(claim, suite.name)]
        _add_suite(root, suite.name, cases, summary)
    if summary.doubt:
        doubt = _case("run", "ends-by-itself", Verdict.UNKNOWN, summary.doubt)
        _add_suite(root, "run", [doubt], summary)
    _count(root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(claim: ClaimSummary, suite: str) -> list[ET.Element]:
    if not claim.tests:
        properties = [("claim", claim.id), ("verdict", Verdict.UNKNOWN.value)]
        return [_case(suite, claim.id, Verdict.UNKNOWN, NOT_RUN, claim.text, properties)]
    return [_case_of_test(claim, test) for test in claim.tests]


def _case_of_test(claim: ClaimSummary, test: TestSummary) -> ET.Element:
    path, _, name = test.id.partition("::")
    failed = [f"failed step: {step.text}" for step in test.steps if not step.ok]
    evidence = [f"evidence: {found.file} ({found.title})" for found in test.evidence]
    lines = [claim.text, test.reason, *failed, *evidence, f"run this test alone: {test.command}"]
    return _case(
        path.removesuffix(".py").replace("/", "."),
        name or test.id,
        test.verdict,
        f"{test.capability}: {test.reason}" if test.capability else test.reason,
        "\n".join(lines),
        [
            ("claim", claim.id),
            ("verdict", test.verdict.value),
            *(("observed", seen) for seen in test.observations),
        ],
        test.seconds or 0.0,
    )


def _case(
    classname: str,
    name: str,
    verdict: Verdict,
    reason: str,
    details: str = "",
    properties: Sequence[tuple[str, str]] = (),
    seconds: float = 0.0,
) -> ET.Element:
    case = ET.Element("testcase", classname=classname, name=name, time=f"{seconds:.3f}")
    _add_properties(case, properties)
    if verdict is not Verdict.PASS:
        message = shorten(reason.partition("\n")[0], _LONG)
        problem = ET.SubElement(case, _TAGS[verdict], message=message)
        if verdict is not Verdict.SKIPPED:
            problem.set("type", verdict.value)
            problem.text = shorten(details, _LONG)
    return case


def _add_suite(root: ET.Element, name: str, cases: list[ET.Element], summary: Summary) -> None:
    started = summary.started.isoformat(timespec="seconds")
    suite = ET.SubElement(root, "testsuite", name=name, timestamp=started)
    _add_properties(suite, [("run", summary.run_id), ("landfast", summary.landfast)])
    suite.extend(cases)
    _count(suite)


def _add_properties(parent: ET.Element, properties: Sequence[tuple[str, str]]) -> None:
    if properties:
        element = ET.SubElement(parent, "properties")
        for name, value in properties:
            ET.SubElement(element, "property", name=name, value=shorten(value, _LONG))


def _count(parent: ET.Element) -> None:
    """Write how many testcases lie below an element, how they ended, and what they took."""
    times = [float(case.attrib["time"]) for case in parent.iter("testcase")]
    parent.attrib |= {"tests": str(len(times)), "time": f"{sum(times):.3f}"}
    for outcomes, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        parent.set(outcomes, str(len([*parent.iter(tag)])))
