"""Fits pods to clusters that are strict: PodSecurity `restricted`, quotas, no service account."""

import copy

from landfast.kube.request import Object

_RESOURCES = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "1", "memory": "192Mi"},
}
"""For pods that say nothing: a quota may refuse them otherwise."""
_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def restricted(obj: Object) -> Object:
    """Return a Pod or StatefulSet as PodSecurity `restricted` and a quota admit it.

    One that runs as root cannot be admitted, and gets resources alone. Other objects stay as they
    are. Source: Kubernetes docs, Pod Security Standards, Restricted; Resource Quotas.
    """
    fitted = copy.deepcopy(obj)
    match obj["kind"]:
        case "Pod":
            spec = fitted["spec"]
        case "StatefulSet":
            spec = fitted["spec"]["template"]["spec"]
        case _:
            return obj
    spec["automountServiceAccountToken"] = False
    root = spec.get("securityContext", {}).get("runAsUser", 0) == 0
    if not root:
        spec["securityContext"] |= _POD
    for container in spec["containers"]:
        resources = container.setdefault("resources", {})
        for kind, defaults in _RESOURCES.items():
            resources[kind] = {**defaults, **resources.get(kind, {})}
        if not root:
            container["securityContext"] = {**container.get("securityContext", {}), **_CONTAINER}
    return fitted
