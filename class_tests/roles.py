"""What a run asked of the API server, compared with the rights of its role."""

from collections.abc import Iterable

from landfast.cluster.rights import Rights, each
from landfast.kube.calls import Call

_WEBSOCKETS = "API servers from 1.35 on ask for it when a GET becomes a websocket"
_OF_CHAOS = "only `landfast chaos` does that"
WITHOUT_RIGHT: dict[Call, str] = {
    ("authorization.k8s.io", "selfsubjectaccessreviews", "create"): "everybody may ask what they "
    "may do (ClusterRole system:basic-user)",
    ("apps", "deployments", "list"): "looks for the class's provisioner; refused, the contract is "
    "generic",
}
"""Calls that no role of Landfast grants, each with the reason."""
UNUSED: dict[Call, str] = {
    ("", "pods/exec", "create"): _WEBSOCKETS,
    ("", "pods/portforward", "create"): _WEBSOCKETS,
    ("", "pods/eviction", "create"): _OF_CHAOS,
    ("apps", "statefulsets", "patch"): _OF_CHAOS,
    ("", "events", "list"): "only where something fails, or where the class allows expansion",
    ("", "persistentvolumes", "delete"): "only for a class with the policy Retain",
}
"""Rights that a conformance run does not use, each with the reason."""


def granted(*tables: Rights) -> set[Call]:
    """Return the rights of tables, in the form of a call."""
    return {right for rights in tables for right in each(rights)}


def differences(calls: Iterable[Call], rights: set[Call]) -> list[str]:
    """Return what was called without a right, and the rights that were not used."""
    asked = set(calls)
    beyond = sorted(asked - rights - WITHOUT_RIGHT.keys())
    idle = sorted(rights - asked - UNUSED.keys())
    return [f"called, not granted: {_named(c)}" for c in beyond] + [
        f"granted, not called: {_named(c)}" for c in idle
    ]


def _named(call: Call) -> str:
    group, resource, verb = call
    return f"{verb} {resource}.{group}" if group else f"{verb} {resource}"
