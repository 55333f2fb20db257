"""Writers in pods: one history on one clock, and UNKNOWN as soon as a part of it is missing."""

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pods_with_writers import IMAGE, SPACE, Cluster

from landfast import process, timeouts
from landfast.kube.placement import Placement
from landfast.kube.request import Request
from landfast.kube.restricted import restricted
from landfast.mysql import writer_pods
from landfast.mysql.client import MysqlServer
from landfast.mysql.history import Completion, OperationKind, read_history
from landfast.mysql.ledger import WRITERS, Ledger
from landfast.mysql.writer_job import job, shares
from landfast.mysql.writer_pods import WriterPods
from landfast.mysql.writers import Task
from landfast.verdict import Unknown
from landfast.waiting import WaitTimeout, wait_until

TASK = Task(port=1, password="geheim", history=Path("here.tsv"), writers=WRITERS)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_pods, "_FETCH_EVERY", 0.02)
    monkeypatch.setattr(writer_pods, "_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(timeouts, "POD_RUNNING", 0.3)


@pytest.fixture
def cluster() -> Cluster:
    """Two pods, whose clocks are far from this host's."""
    return Cluster(5000.0, -300.0)


def ledger_on(cluster: Cluster, folder: Path) -> Ledger:
    pods = WriterPods(cluster, SPACE, cluster.make, IMAGE, 16, 2)
    return Ledger(MysqlServer(3306, "geheim"), folder, pods)


def write(ledger: Ledger, act: Callable[[], object] = bool) -> None:
    """Do something while the writers write."""
    with ledger.writing():
        act()


def test_histories_come_together_on_this_hosts_clock(cluster: Cluster, tmp_path: Path) -> None:
    ledger = ledger_on(cluster, tmp_path)
    with ledger.writing():
        first, second = cluster.pods.values()
        for number in range(1, 6):
            first.writes(number)
            second.writes(number)
        second.writes(1, what="fail", kind="connect")
        wait_until("ten writes", ledger.acknowledged, until=lambda n: n == 10, timeout=5)
        first.writes(6)
    operations = [o for o in read_history(ledger.history) if o.kind is OperationKind.INSERT]
    assert [o.number for o in operations if o.writer == 0] == [1, 2, 3, 4, 5, 6]
    assert [o.number for o in operations if o.writer == 8] == [1, 2, 3, 4, 5]
    assert all(o.ended is not None and o.completion is Completion.OK for o in operations)
    assert ledger.crew is not None
    assert ledger.crew.nodes == ("worker-0", "worker-1")
    assert 0 < ledger.clock_error < 0.5
    in_time = sorted(operations, key=lambda o: (o.number, o.writer))
    slack = 2 * ledger.clock_error
    assert all((a.ended or 0) <= (b.ended or 0) + slack for a, b in pairwise(in_time))
    assert ledger.began - slack <= in_time[0].invoked
    assert cluster.left() == []
    assert [path.name for path in tmp_path.iterdir()] == ["history.tsv"]


def test_each_piece_is_fetched_once(cluster: Cluster, tmp_path: Path) -> None:
    ledger = ledger_on(cluster, tmp_path)
    with ledger.writing():
        (pod, _) = cluster.pods.values()
        pod.writes(1)
        wait_until("a write", ledger.acknowledged, timeout=5)
        pod.writes(2)
    assert [o.number for o in read_history(ledger.history)] == [1, 2]
    assert pod.stopped


def test_pod_that_is_not_heard_of_makes_it_unknown_at_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    """What it still wrote is not known, and the wait for writes would blame MySQL."""
    ledger = ledger_on(cluster, tmp_path)

    def act() -> None:
        _, pod = cluster.pods.values()
        pod.gone = True
        ledger.wait_for_writes(1, timeout=5)

    with pytest.raises(Unknown, match=r"pod writers-1-x7k2p on worker-1 is not whole"):
        write(ledger, act)
    assert cluster.left() == []


@pytest.mark.parametrize("how", ["gone", "cut"])
def test_history_that_does_not_come_whole_makes_it_unknown(
    cluster: Cluster, tmp_path: Path, how: str
) -> None:
    ledger = ledger_on(cluster, tmp_path)

    def act() -> None:
        pod, _ = cluster.pods.values()
        pod.writes(1)
        setattr(pod, how, True)
        pod.writes(2)

    with pytest.raises(Unknown, match="nobody knows what MySQL acknowledged to its writers"):
        write(ledger, act)
    assert ledger.crew is None
    assert cluster.left() == []


def test_clock_that_is_moved_makes_it_unknown(cluster: Cluster, tmp_path: Path) -> None:
    def act() -> None:
        pod, _ = cluster.pods.values()
        pod.ahead += 60

    with pytest.raises(Unknown, match="the clock of a pod with writers was moved"):
        write(ledger_on(cluster, tmp_path), act)


def test_pods_that_end_at_once_say_why(cluster: Cluster, tmp_path: Path) -> None:
    """An image of something else, for example."""
    cluster.status, cluster.log = {"phase": "Failed"}, "No module named landfast"
    with pytest.raises(WaitTimeout, match="No module named landfast"):
        write(ledger_on(cluster, tmp_path))
    assert cluster.left() == []


def test_pods_that_do_not_start_are_removed(cluster: Cluster, tmp_path: Path) -> None:
    cluster.status = {"phase": "Pending"}
    with pytest.raises(WaitTimeout, match=r"waited .* s for 2 pods with writers to run"):
        write(ledger_on(cluster, tmp_path))
    assert cluster.left() == []


@given(st.integers(1, 200), st.integers(1, 64))
def test_every_writer_is_in_one_pod(writers: int, pods: int) -> None:
    pods = min(pods, writers)
    tasks = shares(TASK, writers, pods)
    assert [n for task in tasks for n in task.numbers()] == list(range(writers))
    sizes = [len(task.roles()) for task in tasks]
    assert max(sizes) - min(sizes) <= 1
    if writers % 8 == 0:
        kinds = [kind for task in tasks for kind in task.roles()]
        assert {kind: kinds.count(kind) * 8 // writers for kind in WRITERS} == WRITERS


def test_job_is_admitted_where_strictness_rules_and_holds_no_password() -> None:
    made = restricted(job(shares(TASK, 64, 8), IMAGE, ""))
    assert "geheim" not in str(made)
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    placement = Placement(node_selector={"disk": "ssd"}, pull_secret="key")
    meta = {**made, "metadata": {**made["metadata"], "namespace": "x"}}
    stamped = placement.stamped(Request("create", "Job", "writers", "x", meta))
    assert stamped is not None
    assert stamped.body is not None
    found = stamped.body["spec"]["template"]["spec"]
    assert found["nodeSelector"]["disk"] == "ssd"
    assert found["imagePullSecrets"] == [{"name": "key"}]


def test_job_is_spread_and_keeps_away_from_a_node_that_is_broken() -> None:
    spec = job(shares(TASK, 16, 2), IMAGE, "worker-1")["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (2, 2, 0)
    assert spec["activeDeadlineSeconds"] > timeouts.WRITES_AGAIN
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    assert "worker-1" in str(spec["template"]["spec"]["affinity"])
    assert "affinity" not in job(shares(TASK, 16, 2), IMAGE, "")["spec"]["template"]["spec"]


def test_what_a_pod_runs_hands_its_history_over(tmp_path: Path) -> None:
    """The programs themselves: nobody listens on the port, and they try again."""
    task = shares(TASK.model_copy(update={"host": "127.0.0.1"}), 16, 2)[1]
    spec = job([task, task], IMAGE, "")["spec"]["template"]["spec"]["containers"][0]
    _, *arguments = spec["command"]
    variables = {"JOB_COMPLETION_INDEX": "1", "MYSQL_ROOT_PASSWORD": "geheim"}
    env = {**os.environ, **variables, "PYTHONPATH": str(Path(writer_pods.__file__).parents[2])}
    with subprocess.Popen([sys.executable, *arguments], cwd=tmp_path, env=env) as pod:
        try:
            wait_until("its history", (tmp_path / "history.tsv").exists, timeout=20)
            pieces: list[str] = []

            def fetch(*stop: str) -> tuple[str, str]:
                head, _, lines = _fetch(tmp_path, str(len("".join(pieces))), *stop)
                _, ended, offset, count = head.split()
                pieces.append(lines)
                assert (int(offset), int(count)) == (
                    len("".join(pieces)),
                    lines.count("\n"),
                )
                return ended, lines

            wait_until("a piece", fetch, until=lambda said: said[1] != "", timeout=20)
            wait_until("the end", lambda: fetch("stop"), until=lambda s: s == ("1", ""), timeout=20)
            assert "".join(pieces) == (tmp_path / "history.tsv").read_text()
            assert pod.poll() is None, "it waits until its history was fetched"
        finally:
            pod.kill()
    writers = {operation.writer for operation in read_history(tmp_path / "history.tsv")}
    assert writers == set(range(8, 16))


def _fetch(folder: Path, *words: str) -> tuple[str, str, str]:
    argv = [sys.executable, "-IS", "-c", writer_pods._FETCH, *words]
    return process.run(argv, timeout=10, cwd=folder).stdout.partition("\n")
