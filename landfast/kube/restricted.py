"""Fits pods to clusters that are strict: PodSecurity `restricted`, no service account."""

import copy

from landfast.kube.placement import pod_spec
from landfast.kube.request import Object

_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def restricted(obj: Object) -> Object:
    """Return an object whose pods PodSecurity `restricted` admits.

    Pods that run as root cannot be admitted. Other objects stay as they are. Source: Kubernetes
    docs, Pod Security Standards, Restricted.
    """
    fitted = copy.deepcopy(obj)
    spec = pod_spec(fitted)
    if spec is None:
        return obj
    spec["automountServiceAccountToken"] = False
    if spec.get("securityContext", {}).get("runAsUser", 0) == 0:
        return fitted
    spec["securityContext"] |= _POD
    for container in spec["containers"]:
        container["securityContext"] = {**container.get("securityContext", {}), **_CONTAINER}
    return fitted
