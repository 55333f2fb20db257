"""The rules of the audit. Each is a pure function of what is audited."""

from landfast.audit.findings import Finding, Rule
from landfast.audit.inventory import Inventory
from landfast.audit.rules import (
    archives,
    binding,
    buckets,
    classes,
    csi,
    csi_volumes,
    databases,
    defaults,
    definitions,
    directories,
    handed_on,
    mounts,
    nfs_servers,
    nodes,
    one_node,
    options,
    parts,
    patterns,
    placeholders,
    pods,
    provisioners,
    servers,
    ties,
    unbound,
    volumes,
    workloads,
    writers,
)
from landfast.audit.rules.ignores import refused_ignores
from landfast.audit.subjects import arrange

_FOUND = tuple(
    found
    for module in (
        writers,
        one_node,
        servers,
        parts,
        nfs_servers,
        archives,
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
        handed_on,
        databases,
        pods,
        workloads,
        buckets,
        placeholders,
        mounts,
        nodes,
    )
    for found in vars(module).values()
    if isinstance(found, Rule)
)
RULES: tuple[Rule, ...] = (*_FOUND, refused_ignores([rule.id for rule in _FOUND]))


def audit(inventory: Inventory) -> list[Finding]:
    """Return what the rules find, by subject in the order of the files, nothing twice."""
    found = [finding for rule in RULES for finding in rule.findings(inventory)]
    once = {(f.rule.id, f.title, f.message, f.severity, f.where): f for f in found}
    return arrange(list(once.values()), inventory)
