"""Pods as strict clusters admit them."""

from landfast.kube import Object
from landfast.kube.restricted import restricted


def pod(uid: int | None, **container: object) -> Object:
    context = {} if uid is None else {"securityContext": {"runAsUser": uid}}
    return {"kind": "Pod", "spec": {**context, "containers": [{"name": "c", **container}]}}


def test_pod_is_as_pod_security_restricted_asks() -> None:
    spec = restricted(pod(999))["spec"]
    assert spec["securityContext"] == {
        "runAsUser": 999,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False


def test_root_is_left_its_rights() -> None:
    for user in (0, None):
        spec = restricted(pod(user))["spec"]
        assert "runAsNonRoot" not in spec.get("securityContext", {})
        assert "securityContext" not in spec["containers"][0]


def test_template_of_a_set_is_fitted_and_the_original_stays() -> None:
    template = pod(999)
    found: Object = {"kind": "StatefulSet", "spec": {"template": {"spec": template["spec"]}}}
    fitted = restricted(found)["spec"]["template"]["spec"]
    assert fitted["securityContext"]["runAsNonRoot"] is True
    assert "runAsNonRoot" not in template["spec"]["securityContext"]
    service: Object = {"kind": "Service"}
    assert restricted(service) is service
