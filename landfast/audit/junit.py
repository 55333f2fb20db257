"""Findings as JUnit XML: a testcase for each finding, and for each rule that found nothing."""

from xml.etree import ElementTree as ET

from landfast.audit.findings import Finding, Rule
from landfast.audit.report import Report
from landfast.audit.rules import RULES
from landfast.markup import in_xml


def to_junit(report: Report) -> str:
    """Return findings as JUnit XML.

    A finding for which the audit fails is a failure, a milder one a testcase that passes and says
    so, a suppressed one is skipped. What could not be read is an error.
    """
    suite = ET.Element("testsuite", name="landfast audit")
    by_rule: dict[str, list[Finding]] = {rule.id: [] for rule in RULES}
    for finding in report.all:
        by_rule[finding.rule.id].append(finding)
    for rule in RULES:
        suite.extend(_case(finding, report) for finding in by_rule[rule.id])
        if not by_rule[rule.id]:
            ET.SubElement(suite, "testcase", classname=rule.id, name=rule.title)
    for number, problem in enumerate(report.problems, 1):
        case = ET.SubElement(suite, "testcase", classname="audit", name=f"input {number} is read")
        ET.SubElement(case, "error", message=in_xml(problem))
    suite.attrib |= {
        "tests": str(len(suite)),
        "failures": str(len(report.failures)),
        "errors": str(len(report.problems)),
        "skipped": str(len(report.suppressed)),
    }
    ET.SubElement(suite, "system-out").text = f"{report.summary} in {in_xml(report.audited)}"
    root = ET.Element("testsuites", {"name": "landfast", **_numbers(suite)})
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _numbers(suite: ET.Element) -> dict[str, str]:
    return {key: value for key, value in suite.attrib.items() if value.isdecimal()}


def _case(finding: Finding, report: Report) -> ET.Element:
    place = f" ({finding.where})" if finding.where else ""
    case = ET.Element("testcase", classname=finding.rule.id, name=in_xml(f"{finding.title}{place}"))
    if finding.file:
        case.attrib |= {"file": in_xml(finding.file), "line": str(finding.line)}
    said = in_xml(f"{finding.severity}: {finding.message}")
    if finding.suppression:
        ET.SubElement(case, "skipped", message=in_xml(finding.suppression.reason))
    elif finding.severity.rank <= report.fail_on.rank:
        failure = ET.SubElement(case, "failure", message=said, type=finding.severity)
        failure.text = _explained(finding.rule)
    else:
        ET.SubElement(case, "system-out").text = f"{said}\n{_explained(finding.rule)}"
    return case


def _explained(rule: Rule) -> str:
    lines = [f"why: {rule.reason}", f"fix: {rule.fix}", rule.example]
    return "\n".join(filter(None, lines))
