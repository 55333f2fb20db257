"""Reads the status of objects."""

from landfast.kube.request import Object


def condition(obj: Object, type_: str) -> Object | None:
    """Return an object's condition of a type, or None if it has none."""
    conditions = obj.get("status", {}).get("conditions") or []
    return next((found for found in conditions if found["type"] == type_), None)


def is_ready(obj: Object) -> bool:
    """Whether a Node or Pod has the condition Ready."""
    return (condition(obj, "Ready") or {}).get("status") == "True"


def event_time(event: Object) -> str:
    """Return when an event was last seen (RFC 3339)."""
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )
