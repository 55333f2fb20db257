"""Rights that are taken from a provisioner for a while, to stop it between two steps."""

import contextlib
import copy
from collections.abc import Iterator

from landfast import timeouts
from landfast.kube.client import Kube, Object
from landfast.waiting import wait_until


@contextlib.contextmanager
def without_right(kube: Kube, role: Object, account: str, verb: str) -> Iterator[None]:
    """Take one verb on PVs from a ClusterRole while the body runs.

    `account` is the ServiceAccount that has the role, as `NAMESPACE:NAME`.
    """
    less = copy.deepcopy(role)
    for rule in less["rules"]:
        if "persistentvolumes" in rule["resources"]:
            rule["verbs"].remove(verb)
    _grant(kube, less)
    try:
        wait_until(
            f"{account} not to be allowed to {verb} PVs",
            lambda: not _may(kube, account, verb),
            timeout=timeouts.CONTROLLER_OBSERVES,
        )
        yield
    finally:
        _grant(kube, role)


def _grant(kube: Kube, role: Object) -> None:
    kube.delete("ClusterRole", role["metadata"]["name"])
    kube.create(role)


def _may(kube: Kube, account: str, verb: str) -> bool:
    asked = {"verb": verb, "resource": "persistentvolumes"}
    answer = kube.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "metadata": {},
            "spec": {"user": f"system:serviceaccount:{account}", "resourceAttributes": asked},
        }
    )
    return bool(answer["status"]["allowed"])
