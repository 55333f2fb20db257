"""The rules of the audit. Each is a pure function of what is audited."""

from landfast.audit.findings import Finding, Rule
from landfast.audit.inventory import Inventory
from landfast.audit.rules import (
    binding,
    classes,
    csi,
    csi_volumes,
    databases,
    defaults,
    definitions,
    directories,
    options,
    patterns,
    pods,
    provisioners,
    servers,
    ties,
    unbound,
    volumes,
    workloads,
    writers,
)

RULES: tuple[Rule, ...] = tuple(
    found
    for module in (
        writers,
        servers,
        volumes,
        directories,
        options,
        binding,
        ties,
        unbound,
        defaults,
        definitions,
        classes,
        csi,
        csi_volumes,
        provisioners,
        patterns,
        databases,
        pods,
        workloads,
    )
    for found in vars(module).values()
    if isinstance(found, Rule)
)


def audit(inventory: Inventory) -> list[Finding]:
    """Return what the rules find, the worst first, then in the rules' order."""
    found = [finding for rule in RULES for finding in rule.findings(inventory)]
    return sorted(found, key=lambda finding: finding.severity.rank)
