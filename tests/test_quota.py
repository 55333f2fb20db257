"""A quota that has no room is named, and what it lacks: nothing is said about storage."""

import pytest
from fakes import FakeKube, refusal

from landfast.kube import KubeError
from landfast.kube.pods import refusal as refused_pods
from landfast.kube.quota import QuotaExceeded, lacks

SAID = (
    'pods "user" is forbidden: exceeded quota: theirs, requested: limits.memory=192Mi,pods=1, '
    "used: limits.memory=1920Mi,pods=9, limited: limits.memory=2Gi,pods=9"
)


def test_what_a_quota_lacks_is_computed() -> None:
    assert lacks(SAID) == "the quota theirs lacks 64Mi of limits.memory, 1 of pods"


@pytest.mark.parametrize(
    ("requested", "used", "limited", "missing"),
    [
        ("10m", "1", "1", "10m"),
        ("1", "500m", "1", "0.5"),
        ("1Gi", "1Gi", "1536Mi", "0.5Gi"),
        ("3", "0", "1", "2"),
        ("1500Ki", "0", "1Mi", "476Ki"),
    ],
)
def test_amounts_have_the_unit_of_the_request(
    requested: str, used: str, limited: str, missing: str
) -> None:
    said = f"exceeded quota: q, requested: x={requested}, used: x={used}, limited: x={limited}"
    assert lacks(said) == f"the quota q lacks {missing} of x"


@pytest.mark.parametrize("other", ["", "pods is forbidden", "must specify limits.cpu for: main"])
def test_another_refusal_says_nothing_of_a_quota(other: str) -> None:
    assert lacks(other) == ""


def refusing(message: str) -> FakeKube:
    kube = FakeKube()

    def refuse(_kind: str, _name: str) -> None:
        raise refusal(403, message)

    kube.before["create"] = refuse
    return kube


POD = {"kind": "Pod", "metadata": {"name": "user", "namespace": "ns"}, "spec": {"containers": []}}


def test_a_pod_without_room_is_no_verdict() -> None:
    with pytest.raises(QuotaExceeded, match="exceeded quota: theirs.*lacks 64Mi of limits.memory"):
        refusing(SAID).create(POD)
    with pytest.raises(KubeError):
        refusing(SAID).create(POD, dry_run=True)
    with pytest.raises(KubeError, match="forbidden"):
        refusing("pods is forbidden").create(POD)


def test_a_set_without_room_says_so_too() -> None:
    owner = {"kind": "StatefulSet", "metadata": {"name": "mysql", "uid": "u"}}
    event = {"reason": "FailedCreate", "involvedObject": {"uid": "u"}, "message": SAID}
    assert "the quota theirs lacks 64Mi" in str(refused_pods(owner, [event]))
