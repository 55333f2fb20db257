"""What the API server says when a ResourceQuota has no room for an object."""

import re
from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity

from landfast.verdict import Unknown

# resourcequota/controller.go of the API server: "exceeded quota: NAME, requested: A=1,B=2, used: …"
_EXCEEDED = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<requested>\S+), "
    r"used: (?P<used>\S+), limited: (?P<limited>\S+)"
)
_UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "m": Decimal("0.001")}


class QuotaExceeded(Unknown):
    """A quota has no room for an object of the run: that says nothing about storage."""


def lacks(message: str) -> str:
    """Return what a quota lacks according to a refusal, as a clause; "" for another refusal."""
    found = _EXCEEDED.search(message)
    if found is None:
        return ""
    requested, used, limited = (_amounts(found[part]) for part in ("requested", "used", "limited"))
    short = [
        f"{_missing(requested[name], used[name], limit)} of {name}"
        for name, limit in limited.items()
        if name in requested and name in used
    ]
    return f"the quota {found['name']} lacks {', '.join(short)}"


def _amounts(text: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in text.split(",") if "=" in entry)


def _missing(requested: str, used: str, limit: str) -> str:
    """Return what is missing, in the unit of the request."""
    amount = parse_quantity(requested) + parse_quantity(used) - parse_quantity(limit)
    unit = re.sub(r"^[\d.]+", "", requested)
    unit = unit if unit in _UNITS else ""
    return f"{(amount / _UNITS[unit]).normalize():f}{unit}"
