"""A run as JUnit XML for CI: suites, tests as testcases, observations as properties."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from landfast.verdict import Verdict
from reports.model import NOT_RUN, ClaimSummary, Summary, TestSummary
from reports.text import shorten

_LONG = 20_000


@dataclass(frozen=True)
class _Case:
    classname: str
    name: str
    verdict: Verdict
    reason: str
    details: str
    seconds: float
    properties: tuple[tuple[str, str], ...]


def render_junit(summary: Summary) -> str:
    """Return the run as JUnit XML.

    FAIL is a failure, UNKNOWN an error, SKIPPED skipped with the missing capability. Doubt about
    the run as a whole is an error in a separate testsuite, so that CI is not green.
    """
    root = ET.Element("testsuites", name="landfast")
    everything = []
    for suite in summary.suites:
        cases = [case for claim in suite.claims for case in _cases(claim, suite.name)]
        everything += cases
        _add_suite(root, suite.name, cases, summary)
    if summary.doubt:
        cases = [_Case("run", "ends-by-itself", Verdict.UNKNOWN, summary.doubt, "", 0.0, ())]
        everything += cases
        _add_suite(root, "run", cases, summary)
    for name, value in _totals(everything).items():
        root.set(name, value)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _cases(claim: ClaimSummary, suite: str) -> list[_Case]:
    if not claim.tests:
        properties = (("claim", claim.id), ("verdict", Verdict.UNKNOWN.value))
        return [_Case(suite, claim.id, Verdict.UNKNOWN, NOT_RUN, claim.text, 0.0, properties)]
    return [_case(claim, test) for test in claim.tests]


def _case(claim: ClaimSummary, test: TestSummary) -> _Case:
    path, _, name = test.id.partition("::")
    failed = [f"failed step: {step.text}" for step in test.steps if not step.ok]
    evidence = [f"evidence: {found.file} ({found.title})" for found in test.evidence]
    lines = [claim.text, test.reason, *failed, *evidence, f"run this test alone: {test.command}"]
    return _Case(
        classname=path.removesuffix(".py").replace("/", "."),
        name=name or test.id,
        verdict=test.verdict,
        reason=f"{test.capability}: {test.reason}" if test.capability else test.reason,
        details="\n".join(lines),
        seconds=test.seconds or 0.0,
        properties=(
            ("claim", claim.id),
            ("verdict", test.verdict.value),
            *(("observed", seen) for seen in test.observations),
        ),
    )


def _add_suite(root: ET.Element, name: str, cases: list[_Case], summary: Summary) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": name, **_totals(cases)})
    suite.set("timestamp", summary.started.isoformat(timespec="seconds"))
    _add_properties(suite, (("run", summary.run_id), ("landfast", summary.landfast)))
    for case in cases:
        element = ET.SubElement(
            suite, "testcase", classname=case.classname, name=case.name, time=f"{case.seconds:.3f}"
        )
        _add_properties(element, case.properties)
        message = shorten(case.reason.partition("\n")[0], _LONG)
        if case.verdict is Verdict.SKIPPED:
            ET.SubElement(element, "skipped", message=message)
        elif case.verdict is not Verdict.PASS:
            tag = "failure" if case.verdict is Verdict.FAIL else "error"
            problem = ET.SubElement(element, tag, type=case.verdict.value, message=message)
            problem.text = shorten(case.details, _LONG)


def _add_properties(parent: ET.Element, properties: tuple[tuple[str, str], ...]) -> None:
    if properties:
        element = ET.SubElement(parent, "properties")
        for name, value in properties:
            ET.SubElement(element, "property", name=name, value=shorten(value, _LONG))


def _totals(cases: list[_Case]) -> dict[str, str]:
    verdicts = [case.verdict for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": str(verdicts.count(Verdict.UNKNOWN)),
        "skipped": str(verdicts.count(Verdict.SKIPPED)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }
