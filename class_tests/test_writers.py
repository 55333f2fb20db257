"""The ledger's writers in pods find what those on a host find."""

import gzip
import time
from dataclasses import replace
from pathlib import Path

import pytest

from class_tests.foreign import Foreign, user
from class_tests.roles import differences, granted
from class_tests.running import judge
from landfast.cluster.rights import OF_CLASS, OF_WRITERS
from landfast.journal import SurvivalShown, read_journal
from landfast.kube.calls import recorded
from landfast.mysql.history import OperationKind, read_history
from landfast.results import Survival
from landfast.verdict import Verdict

_SCENARIO = "pod-delete"


@pytest.fixture(scope="module")
def tester(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """The cluster, with a user who may also make Jobs."""
    file = tmp_path_factory.mktemp("tester") / "kubeconfig"
    made = replace(foreign, kubeconfig=user(foreign.env, "landfast-writers", file))
    name, group = "landfast-writers-class", "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": "landfast-writers", "namespace": "people"}
    foreign.kube.create(
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "subjects": [account],
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "landfast-class"},
        }
    )
    return made


def _shown(foreign: Foreign, out: Path, *options: str) -> Survival:
    """Run the scenario, which must pass, and return what it showed."""
    out.mkdir()
    verdicts = judge(foreign, "chaos", out, "--scenario", _SCENARIO, *options)
    assert verdicts == {f"chaos.{_SCENARIO}": Verdict.PASS}
    events = read_journal(out / "latest/journal.jsonl")
    (shown,) = [event.survival for event in events if isinstance(event, SurvivalShown)]
    return shown


def _off(history: Path) -> float:
    """Return by how many seconds a time of a history is off at most.

    The nodes are containers of this machine: the wall clock beside each time is this host's.
    """
    ahead = time.time() - time.monotonic()
    with gzip.open(history, "rt") as lines:
        times = [line.split("\t")[4:6] for line in lines]
    return max(abs(float(wall) - float(at) - ahead) for at, wall in times)


def test_sixteen_writers_in_two_pods_find_what_eight_on_a_host_find(
    tester: Foreign, image: str, tmp_path: Path
) -> None:
    """MySQL's pod is deleted under their load: nothing is lost, and it is away about as long."""
    plain, spread = tmp_path / "plain", tmp_path / "spread"
    options = ("--writers", "16", "--writer-pods", "2", "--writer-image", image)
    before, after = _shown(tester, plain), _shown(tester, spread, *options)
    for shown in (before, after):
        counts = shown.ledger.counts
        assert counts.stable == counts.acknowledged > 0
        assert (counts.lost, counts.unexpected, counts.torn) == (0, 0, 0)
        assert all(shown.ledger.by_interval[place].acknowledged for place in (0, 2))
    assert before.crew is None
    assert after.crew is not None
    assert set(after.crew.nodes) == set(tester.env.cluster.nodes) - set(tester.closed)
    assert 0 < after.crew.clock_error < 1
    history = spread / "latest/survival" / _SCENARIO / "history.tsv.gz"
    writes = [o for o in read_history(history) if o.kind is not OperationKind.CONNECT]
    assert {o.writer for o in writes} == set(range(16))
    assert _off(history) <= after.crew.clock_error + 0.05
    assert after.availability.gap == pytest.approx(before.availability.gap, abs=15)
    calls = recorded(spread / "calls")
    beyond = differences(calls, granted(OF_CLASS, OF_WRITERS))
    assert not [one for one in beyond if one.startswith("called")]
    assert granted(OF_WRITERS) <= calls
