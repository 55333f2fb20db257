"""Two mysqlds on one data directory: is the second one kept out, and the first one stopped?"""

import re

import pytest

from fixtures.stacks import NewStack
from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.takeover import REFUSED, UNFENCED
from landfast.kube.client import Object
from landfast.results import Survival
from landfast.stack import Change, Stack
from landfast.steps import Steps
from landfast.verdict import Unknown, Verdict
from landfast.waiting import wait_until
from suites.chaos.marks import rows, scenario
from suites.chaos.scenarios import FENCING, NOLOCK
from suites.chaos.test_survival import conclude
from suites.objects import patched

pytestmark = pytest.mark.xdist_group("chaos")

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
    node, other, said = start_second_mysqld(site, new_stack(), test, own_data=sabotaged)
    assert REFUSED in said, f"a second mysqld on {other} runs on the data of the one on {node}"


@pytest.mark.parametrize("scenario", rows(FENCING))
def test_old_mysqld_is_fenced_when_another_takes_over(shown: Survival) -> None:
    conclude(shown)


# --- controls: mounts whose locks do not reach the server


@scenario(
    "control-nolock-second-mysqld",
    "a FAIL: Landfast finds that a second mysqld is not refused",
    seconds=40,
    telling=25,
)
def test_second_mysqld_runs_where_locks_stay_on_the_node(
    site: Site,
    new_stack: NewStack,
    changes: list[Change],
    test: Steps,
    sabotaged: bool,
    nolock: tuple[str, ...],
) -> None:
    if not sabotaged:
        changes.append(patched("PersistentVolume", {"spec": {"mountOptions": [*nolock]}}))
    _, other, said = start_second_mysqld(site, new_stack(), test)
    assert _RUNS in said, f"the second mysqld on {other} was refused"


@pytest.mark.parametrize("scenario", rows(NOLOCK))
def test_old_mysqld_that_is_not_fenced_is_noticed(shown: Survival, test: Steps) -> None:
    said = "; ".join(shown.reasons)
    if shown.verdict is Verdict.UNKNOWN:
        raise Unknown(said)
    test.observe(f"{shown.verdict}: {said}")
    assert shown.verdict is Verdict.FAIL, "the old mysqld was fenced, or Landfast did not notice"
    assert UNFENCED in said


# --- what the tests share


def start_second_mysqld(
    site: Site, stack: Stack, test: Steps, *, own_data: bool = False
) -> tuple[str, str, str]:
    """Start a MySQL, and a second mysqld on its PVC on another node.

    Return both nodes, and the line of the second one's log that says whether it runs.
    """
    with test.step("deploy another MySQL on one node"):
        stack.export.make_folder("mysql")
        stack.create("mysql")
        first = wait_for_log(stack, "mysql-0", _RUNS)
        node = str(stack.kube.get("Pod", "mysql-0", stack.namespace)["spec"]["nodeName"])
    test.observe(f"the first mysqld on {node}: {first}")
    other = next(worker for worker in site.workers if worker != node)
    with test.step(f"a second one on {other}, with the same PVC"):
        stack.kube.create(second_pod(stack, other, own_data=own_data))
        said = wait_for_log(stack, "mysql-second", f"{REFUSED}|{_RUNS}")
    test.observe(f"the second mysqld on {other}: {said}")
    return node, other, said


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
