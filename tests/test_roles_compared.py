"""The comparison of what a run called with what its role grants."""

from class_tests.roles import UNUSED, WITHOUT_RIGHT, differences, granted
from landfast.cluster.rights import CLUSTER_WIDE, IN_NAMESPACE, OF_CLASS


def test_a_role_that_is_used_whole_and_no_more_has_no_difference() -> None:
    rights = granted(OF_CLASS)
    assert differences(rights, rights) == []
    assert differences(rights - UNUSED.keys() | WITHOUT_RIGHT.keys(), rights) == []


def test_what_is_missing_in_a_role_or_idle_is_named() -> None:
    rights = granted(IN_NAMESPACE, CLUSTER_WIDE)
    pod, secret = ("", "pods", "create"), ("", "secrets", "list")
    assert differences(rights - {pod} | {secret}, rights) == [
        "called, not granted: list secrets",
        "granted, not called: create pods",
    ]


def test_an_exception_concerns_a_right_that_exists() -> None:
    assert UNUSED.keys() <= granted(OF_CLASS)
    assert not WITHOUT_RIGHT.keys() & granted(OF_CLASS)
