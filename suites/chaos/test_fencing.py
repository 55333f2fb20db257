"""Two mysqlds on one data directory: is the second one kept out?"""

import re

import pytest

from fixtures.stacks import NewStack
from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.kube.client import Object
from landfast.nfs.locks import local_locks
from landfast.results import Survival
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.chaos.marks import rows
from suites.chaos.scenarios import FENCING
from suites.chaos.test_survival import conclude

pytestmark = pytest.mark.xdist_group("chaos")

_REFUSED = "Unable to lock"
_RUNS = "ready for connections"


@pytest.mark.claim("chaos.fencing-second-mysqld-is-refused")
@pytest.mark.scenario(
    name="fencing-second-mysqld",
    expected="a second mysqld on another node is refused by InnoDB's lock",
    seconds=40,
    telling=60,
    tier=None,
)
def test_second_mysqld_on_another_node_is_refused(
    site: Site, new_stack: NewStack, test: Steps, sabotaged: bool
) -> None:
    stack = new_stack()
    with test.step("deploy another MySQL on one node"):
        stack.export.make_folder("mysql")
        stack.create("mysql")
        first = wait_for_log(stack, "mysql-0", _RUNS)
        node = str(stack.kube.get("Pod", "mysql-0", stack.namespace)["spec"]["nodeName"])
    test.observe(f"the first mysqld on {node}: {first}")
    other = next(worker for worker in site.workers if worker != node)
    with test.step(f"a second one on {other}, with the same PVC"):
        stack.kube.create(second_pod(stack, other, own_data=sabotaged))
        said = wait_for_log(stack, "mysql-second", f"{_REFUSED}|{_RUNS}")
    test.observe(f"the second mysqld on {other}: {said}")
    why = local_locks(site.engine, node, stack.env.export.server)
    assert _REFUSED in said, f"a second mysqld on {other} runs on the data of the one on {node}" + (
        f"; {why}" if why else ""
    )


def second_pod(stack: Stack, node: str, *, own_data: bool) -> Object:
    """Return a pod with MySQL's container on a node, on the same PVC (or, sabotaged, on none)."""
    (found,) = [o for o in stack.objects("mysql") if o["kind"] == "StatefulSet"]
    spec = found["spec"]["template"]["spec"]
    volume: Object = {"persistentVolumeClaim": {"claimName": "mysql-data-mysql-0"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "mysql-second",
            "namespace": stack.namespace,
            "labels": stack.overlay.labels,
        },
        "spec": {
            **spec,
            "nodeName": node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "volumes": [{"name": "mysql-data", **({"emptyDir": {}} if own_data else volume)}],
        },
    }


def wait_for_log(stack: Stack, pod: str, words: str) -> str:
    """Wait until a line of a pod's log matches a regular expression, and return the line.

    Raises:
        WaitTimeout: it does not.
    """

    def look() -> str:
        lines = stack.kube.logs(stack.namespace, pod).splitlines()
        said = (line for line in lines if re.search(words, line) and "X Plugin" not in line)
        return next(said, "")

    return wait_until(
        f"{words!r} in the log of {pod}",
        look,
        timeout=timeouts.MYSQL_READY,
        interval=0.5,
        ignoring=(LandfastError,),
    )


@pytest.mark.parametrize("scenario", rows(FENCING))
def test_only_one_mysqld_writes(shown: Survival, site: Site) -> None:
    why = local_locks(site.engine, site.node(), site.server.address)
    conclude(shown, f"; {why}" if why else "")
