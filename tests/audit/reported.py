"""Reports to show in every format."""

from collections.abc import Sequence
from pathlib import Path

from landfast.audit.findings import Finding, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.manifests import read
from landfast.audit.report import Report
from landfast.audit.rules import audit
from landfast.audit.suppression import suppress

REFERENCE = Path(__file__).parents[2] / "manifests"


def of_manifests(*names: str) -> list[Finding]:
    return audit(Inventory(read(names).resources, complete=False))


def report(findings: Sequence[Finding], fail_on: Severity = Severity.ERROR) -> Report:
    return Report(findings, "all", fail_on)


def disabled(*rules: str) -> Report:
    """The reference, with rules disabled."""
    return report([*suppress(of_manifests(str(REFERENCE)), [f"audit.{r}" for r in rules])])
