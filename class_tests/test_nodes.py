"""What an owner lets Landfast break, and that it heals although Landfast is killed."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from class_tests.foreign import CONTEXT, Foreign, user
from class_tests.power import server_commands
from class_tests.running import command, judge
from landfast import process, timeouts
from landfast.docker import Engine
from landfast.errors import LandfastError
from landfast.faults.network import NfsPortDropped
from landfast.faults.rollback import Rollback
from landfast.faults.their_nodes import (
    TheirKubeletStop,
    TheirNfsPortDropped,
    TheirNodeDrain,
    TheirNodeRestart,
)
from landfast.kube.status import is_ready
from landfast.run import RunRecord, records
from landfast.verdict import Verdict
from landfast.waiting import wait_until

_SCENARIOS = ("kubelet-stop", "node-drain", "nfs-port-dropped", "node-restart")
_OF_SERVER = ("server-command-mysqld-killed", "server-command")
_CUT = """
table inet cut {
    chain out { type filter hook output priority -10; oifname eth0 drop; }
    chain in { type filter hook input priority -10; iifname eth0 drop; }
    chain on { type filter hook forward priority -10; oifname eth0 drop; }
}
"""


@pytest.fixture(scope="module")
def owner(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """The cluster, with a user who may also break MySQL's node.

    A machine boots as often as it is asked to; a container that stands for one, once by itself.
    """
    engine = _engine(foreign)
    always = ["docker", "update", "--restart=always", *foreign.env.cluster.nodes]
    process.run(always, timeout=timeouts.COMMAND, env=engine.env)
    file = tmp_path_factory.mktemp("owner") / "kubeconfig"
    return replace(foreign, kubeconfig=user(foreign.env, "landfast-nodes", file))


@pytest.fixture
def consent(owner: Foreign) -> tuple[str, ...]:
    """The options of an owner."""
    return ("--i-own-this-cluster", owner.cluster_name)


def pause_commands(foreign: Foreign) -> tuple[str, ...]:
    """Return the options with which the class's server is paused and goes on."""
    server = foreign.env.export.container
    pause, go_on = f"docker pause {server}", f"docker unpause {server} || true"
    return server_commands(_engine(foreign), pause, go_on)


def test_mysql_survives_what_its_owner_lets_break(
    owner: Foreign, consent: tuple[str, ...], tmp_path: Path
) -> None:
    """Four faults of the node, and two of the server."""
    names = [*_SCENARIOS, *_OF_SERVER]
    options = [*consent, *pause_commands(owner), "--scenario", ",".join([*names, "nfs-kill"])]
    verdicts = judge(owner, "chaos", tmp_path, *options)
    assert verdicts == {
        **{f"chaos.{name}": Verdict.PASS for name in names},
        "chaos.nfs-kill": Verdict.SKIPPED,
    }
    assert not _cordoned(owner)


def test_faults_without_injection_prove_nothing(
    owner: Foreign, consent: tuple[str, ...], tmp_path: Path
) -> None:
    """Each claim's sabotage."""
    names = [*_SCENARIOS, *_OF_SERVER]
    claims = [f"chaos.{name}" for name in names]
    options = [*consent, *pause_commands(owner), "--scenario", ",".join(names)]
    verdicts = judge(owner, "chaos", tmp_path, *options, "--", "--sabotage", ",".join(claims))
    assert verdicts == dict.fromkeys(claims, Verdict.UNKNOWN)


def test_nodes_stay_whole_without_consent(foreign: Foreign, tmp_path: Path) -> None:
    """All are skipped."""
    options = ["--scenario", ",".join([*_SCENARIOS, *_OF_SERVER])]
    assert set(judge(foreign, "chaos", tmp_path, *options).values()) == {Verdict.SKIPPED}


def test_consent_names_the_cluster(owner: Foreign, tmp_path: Path) -> None:
    """The context's name is not the cluster's."""
    asked = command(owner, "chaos", tmp_path, "--i-own-this-cluster", CONTEXT)
    ran = subprocess.run(asked, check=False, capture_output=True, text=True)
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert f"the cluster of --context {CONTEXT} is {owner.cluster_name}" in ran.stdout + ran.stderr


@dataclass(frozen=True)
class Wound:
    """A fault of a node as one sees it in the node's container."""

    name: str
    is_broken: Callable[[Foreign, str], bool]
    heals_after: float


def _kubelet_is_down(foreign: Foreign, node: str) -> bool:
    return _on(foreign, node, "systemctl", "is-active", "kubelet").strip() != "active"


def _rules_are_there(foreign: Foreign, node: str) -> bool:
    return NfsPortDropped.table() in _on(foreign, node, "nft", "list", "tables")


def _cordoned(foreign: Foreign) -> list[str]:
    nodes = foreign.kube.list("Node")
    return [node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")]


def _is_cordoned(foreign: Foreign, node: str) -> bool:
    return node in _cordoned(foreign)


_WOUNDS = [
    Wound("kubelet-stop", _kubelet_is_down, TheirKubeletStop.heals_after),
    Wound("nfs-port-dropped", _rules_are_there, TheirNfsPortDropped.heals_after),
    Wound("node-drain", _is_cordoned, TheirNodeDrain.heals_after),
]


@pytest.mark.parametrize("wound", _WOUNDS, ids=lambda wound: wound.name)
def test_node_heals_by_its_own_timer(
    owner: Foreign, consent: tuple[str, ...], tmp_path: Path, wound: Wound
) -> None:
    """Landfast is killed, and nothing reaches the node or leaves it until the timer is over."""
    with killed_within(owner, tmp_path, wound.name, *consent) as landfast:
        node = landfast.node
        wait_until("the fault", lambda: wound.is_broken(owner, node), timeout=timeouts.TAKEOVER)
        assert _timers(owner, node), "no timer is armed"
        landfast.kill()
        with _cut_off(owner, node):
            assert wound.is_broken(owner, node), "it healed before the network was cut"
            wait_until(
                "the node's timer to go off",
                lambda: _timers(owner, node),
                until=lambda found: not found,
                timeout=wound.heals_after + timeouts.EFFECT,
            )
            if wound.is_broken is not _is_cordoned:  # to be uncordoned takes the API server
                _wait_healed(owner, node, wound, timeouts.EFFECT)
        _wait_healed(owner, node, wound, timeouts.NODE_READY)
        _wait_ready(owner, node)


def test_restarted_node_comes_back(
    owner: Foreign, consent: tuple[str, ...], tmp_path: Path
) -> None:
    """Landfast is killed while the node is down, and nothing reaches the node when it boots."""
    with killed_within(owner, tmp_path, TheirNodeRestart.name, *consent) as landfast:
        node, engine = landfast.node, _engine(owner)
        before = engine.state(node).started_at
        wait_until(
            "the node to go down",
            lambda: engine.state(node),
            until=lambda state: not state.is_running or state.started_at != before,
            timeout=timeouts.TAKEOVER,
            interval=0.1,
        )
        landfast.kill()
        with _cut_off(owner, node):
            wait_until(
                "its kubelet to run",
                lambda: not _kubelet_is_down(owner, node),
                timeout=timeouts.NODE_READY,
            )
        _wait_ready(owner, node)


def test_server_is_started_by_the_last_will(owner: Foreign, tmp_path: Path) -> None:
    """Landfast is killed while the server is stopped."""
    server, engine = str(owner.env.export.container), _engine(owner)
    options = pause_commands(owner)
    with killed_within(owner, tmp_path, "server-command", *options) as landfast:
        wait_until("the server to be stopped", lambda: engine.state(server).is_paused, timeout=30)
        landfast.kill()
        wait_until("the server to run", lambda: engine.state(server).is_running, timeout=30)


@dataclass(frozen=True)
class Started:
    """A Landfast that is about to break MySQL's node."""

    node: str
    program: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """Kill it as nothing can be caught."""
        self.program.send_signal(signal.SIGKILL)
        self.program.wait()


@contextlib.contextmanager
def killed_within(owner: Foreign, out: Path, scenario: str, *options: str) -> Iterator[Started]:
    """Start Landfast, and yield once its fault is in the rollback journal; hold that all goes."""
    before, known = owner.dump(), {record.run_id for record in records()}
    asked = command(owner, "chaos", out, *options, "--scenario", scenario)
    with subprocess.Popen(asked, start_new_session=True) as program:
        try:
            wait_until(
                f"the fault {scenario} to be noted",
                lambda: [r for r in records() if r.run_id not in known and _notes(r, scenario)],
                give_up=lambda _: "Landfast has ended" if program.poll() is not None else None,
                timeout=4 * timeouts.MYSQL_READY,
            )
            (pod,) = (pod for pod in owner.kube.list("Pod") if pod["metadata"]["name"] == "mysql-0")
            yield Started(pod["spec"]["nodeName"], program)
        finally:
            program.kill()
            subprocess.run([asked[0], "cleanup"], check=True)
    after = owner.dump()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert not changed, f"the run has changed {sorted(changed)}"
    assert not _cordoned(owner)


def _notes(record: RunRecord, fault: str) -> bool:
    return any(name == fault for name, _ in Rollback(record).open_faults())


def _engine(foreign: Foreign) -> Engine:
    assert foreign.env.engine is not None
    return foreign.env.engine


def _on(foreign: Foreign, node: str, *argv: str) -> str:
    """Run a program in a node's container, whatever becomes of the node's network."""
    return _engine(foreign).execute(node, *argv, check=argv[0] == "nft").stdout


@contextlib.contextmanager
def _cut_off(foreign: Foreign, node: str) -> Iterator[None]:
    """Let nothing reach a node or leave it while the body runs; it may be about to boot."""
    wait_until(
        f"{node} to be cut off",
        lambda: _on(foreign, node, "nft", _CUT) == "",
        timeout=timeouts.NODE_READY,
        ignoring=(LandfastError,),
    )
    try:
        yield
    finally:
        _on(foreign, node, "nft", "delete table inet cut")


def _timers(foreign: Foreign, node: str) -> str:
    """Return the timers that are still to go off."""
    listed = ("systemctl", "list-units", "--no-legend", "--type=timer", "--state=waiting")
    return _on(foreign, node, *listed, "landfast-heal-*").strip()


def _wait_healed(foreign: Foreign, node: str, wound: Wound, timeout: float) -> None:
    wait_until(
        f"{wound.name} to be over",
        lambda: wound.is_broken(foreign, node),
        until=lambda broken: not broken,
        timeout=timeout,
    )


def _wait_ready(foreign: Foreign, node: str) -> None:
    wait_until(
        f"{node} to be Ready",
        lambda: foreign.kube.get("Node", node),
        until=is_ready,
        timeout=timeouts.NODE_READY,
        ignoring=(LandfastError,),
        describe=lambda found: str(found["status"]["conditions"]),
    )
