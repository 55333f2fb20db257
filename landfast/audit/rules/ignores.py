"""The rule about annotations that are meant to suppress findings."""

from collections.abc import Iterator, Sequence

from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.suppression import ANNOTATION, ignored, no_such_rule


def refused_ignores(known: Sequence[str]) -> Rule:
    """Return the rule; `known` are the ids of all others."""

    @Rule(
        "audit.ignore-refused",
        Severity.NOTE,
        f"A line of {ANNOTATION} that ignores nothing",
        reason=(
            "Each line names a rule and says why its finding is no danger here. Without a reason "
            "nobody can tell later whether it still holds, so the finding stays."
        ),
        fix="Write `RULE: REASON`, one on a line, with the rule's id as the audit prints it.",
        example=f"""
            metadata:
              annotations:
                {ANNOTATION}: |
                  audit.shared-directory: both only read, and an archive job writes at night
        """,
        source="docs/audit.md",
    )
    def check(inventory: Inventory) -> Iterator[Hit]:
        for found in {id(r): r for r in (*inventory.resources, *inventory.pvcs)}.values():
            for rule, reason in ignored(found):
                if rule not in known:
                    said = no_such_rule(rule, known)
                elif not reason:
                    said = f"{rule} has no reason: write `{rule}: REASON`"
                else:
                    continue
                yield Hit(found, said, ("metadata", "annotations", ANNOTATION))

    return check
