"""Faults of a node of others: by consent, through one pod, and never without the node's timer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import FakeKube
from fault_place import CONTROL, NODE, OTHER, Place, node, pod

from landfast.cluster.base import Cluster
from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site
from landfast.faults.hand import NodeHand, require_spare
from landfast.faults.network import NfsPortDropped
from landfast.faults.node_services import KubeletStop
from landfast.faults.nodes import NodeDrain, NodeRestart
from landfast.faults.relay import Relay
from landfast.faults.their_nodes import (
    TheirKubeletStop,
    TheirNfsPortDropped,
    TheirNodeDrain,
    TheirNodeRestart,
    fitted,
)
from landfast.verdict import MissingCapability

pytestmark = pytest.mark.usefixtures("impatient")

Object = dict[str, Any]
RUN = "1126-1-abcd"
HANDS = f"landfast-{RUN}-node"
READY = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
FAULTS = [TheirNodeDrain, TheirKubeletStop, TheirNfsPortDropped, TheirNodeRestart]
TIMED = FAULTS[:3]


class Node(FakeKube):
    """A cluster whose pods are Ready at once, and whose node notes what is run on it."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(*objects)
        self.ran: list[tuple[str, ...]] = []
        self.answer: Callable[[tuple[str, ...]], str] = lambda _: ""

    def _on_create(self, asked: Any, **options: Any) -> Object:
        made = super()._on_create(asked, **options)
        if asked.kind == "Namespace":
            account = {"name": "default", "namespace": asked.name}
            self.put({"kind": "ServiceAccount", "metadata": account})
        if asked.kind == "Pod":
            self.put({**made, "status": READY})
        return made

    def execute(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        *,
        container: str | None = None,
        timeout: int = 60,
    ) -> str:
        super().execute(namespace, pod, argv, container=container, timeout=timeout)
        entered = "nsenter" in argv
        asked = tuple(argv)[argv.index("-c") + 3 :] if entered else tuple(argv)
        self.ran.append(asked)
        return self.answer(asked)

    def scripts(self) -> str:
        """Return all that was run, as a text to look for words in."""
        return "\n".join(" ".join(words) for words in self.ran)


def refuse(*words: str) -> Callable[[tuple[str, ...]], str]:
    """Return an answer that is an error to whatever has these words."""

    def answer(asked: tuple[str, ...]) -> str:
        if all(word in " ".join(asked) for word in words):
            raise LandfastError(f"{words[0]} is refused")
        return ""

    return answer


@pytest.fixture
def kube() -> Node:
    volume = {
        "kind": "PersistentVolume",
        "metadata": {"name": "pvc-1"},
        "spec": {"nfs": {"server": "nas", "path": "/vol"}},
    }
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mysql-data-mysql-0", "namespace": "default"},
        "spec": {"volumeName": "pvc-1"},
    }
    control = node(CONTROL)
    control["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
    return Node(pod(), node(), node(OTHER), control, volume, claim)


@pytest.fixture
def site(place: Place, kube: Node) -> Site:
    """A site whose owner lets MySQL's node be broken."""
    cluster = SimpleNamespace(kube=kube, missing={}, require=lambda _: None)
    env = SimpleNamespace(cluster=cluster, run_id=RUN)
    hand = NodeHand(kube, RUN, "busybox:1")
    return replace(place.site, env=cast(Any, env), own_server=None, hand=hand)


class TestHand:
    def test_it_is_one_pod_on_one_node_in_a_namespace_that_admits_it(
        self, site: Site, kube: Node
    ) -> None:
        assert site.hand
        site.hand.reach(NODE)
        site.hand.reach(NODE)
        assert kube.changes().count(("create", "Pod", "node-hand")) == 1
        space = kube.get("Namespace", HANDS)["metadata"]["labels"]
        assert space == {
            "landfast/run": RUN,
            "pod-security.kubernetes.io/enforce": "privileged",
        }
        spec = kube.get("Pod", "node-hand", HANDS)["spec"]
        assert (spec["nodeName"], spec["hostPID"]) == (NODE, True)

    def test_it_leaves_a_node_before_it_enters_another(self, site: Site, kube: Node) -> None:
        assert site.hand
        site.hand.reach(NODE)
        site.hand.reach(OTHER)
        assert kube.get("Pod", "node-hand", HANDS)["spec"]["nodeName"] == OTHER
        with pytest.raises(LandfastError, match=f"is on {OTHER}, not on {NODE}"):
            site.hand.run(NODE, "true")
        assert not site.hand.answers(NODE)

    def test_a_node_without_systemd_is_named(self, site: Site, kube: Node) -> None:
        assert site.hand
        kube.answer = refuse("systemctl", "--version")
        with pytest.raises(MissingCapability, match=r"node\.timer: l-worker has no shell and syst"):
            site.hand.reach(NODE)

    def test_a_timer_that_does_not_run_is_an_error(self, site: Site, kube: Node) -> None:
        assert site.hand
        site.hand.reach(NODE)
        kube.answer = refuse("systemd-run")
        with pytest.raises(LandfastError, match="systemd-run is refused"):
            site.hand.arm(NODE, "landfast-heal", 20, "true")


class TestSpare:
    @pytest.mark.parametrize(
        ("others", "said"),
        [
            ({"spec": {"unschedulable": True}}, "the only one for pods"),
            ({"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}, "the only one"),
            ({"status": {"conditions": []}}, "the only one"),
            ({"spec": {"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}}, ""),
            ({}, ""),
        ],
        ids=["cordoned", "tainted", "not ready", "not preferred", "as usual"],
    )
    def test_the_last_node_for_pods_is_not_broken(self, others: Object, said: str) -> None:
        nodes = [node(), {**node(OTHER), **others}]
        if not said:
            require_spare(nodes, NODE)
        else:
            with pytest.raises(MissingCapability, match=said):
                require_spare(nodes, NODE)

    def test_a_windows_node_takes_no_mysql(self) -> None:
        other = node(OTHER)
        other["metadata"]["labels"] = {"kubernetes.io/os": "windows"}
        with pytest.raises(MissingCapability, match=r"^node\.spare: "):
            require_spare([node(), other], NODE)

    def test_the_control_plane_is_not_broken(self) -> None:
        control = node()
        control["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
        with pytest.raises(MissingCapability, match="holds the control plane"):
            require_spare([control, node(OTHER)], NODE)


class TestConsent:
    def test_faults_of_ones_own_nodes_stay_what_they_are(self, place: Place) -> None:
        assert fitted(KubeletStop, place.site) is KubeletStop

    def test_others_are_replaced_by_those_with_a_timer(self, site: Site) -> None:
        found = [fitted(one, site) for one in (NodeDrain, KubeletStop, NfsPortDropped, NodeRestart)]
        assert found == FAULTS
        assert [fault.name for fault in FAULTS] == [
            *("node-drain", "kubelet-stop", "nfs-port-dropped", "node-restart")
        ]

    def test_without_consent_none_is_injected(self, place: Place) -> None:
        missing = {"cluster.node-faults": "not without --i-own-this-cluster"}
        cluster = Cluster.model_construct(missing=missing)  # type: ignore[arg-type]
        env = SimpleNamespace(cluster=cluster)
        foreign = replace(place.site, env=cast(Any, env), own_server=None)
        with pytest.raises(MissingCapability, match="not without --i-own-this-cluster"):
            fitted(KubeletStop, foreign)


def on_a_usual_node(asked: tuple[str, ...]) -> str:
    """Answer as a node with a kubelet, kubectl and getent."""
    said = " ".join(asked)
    if "ActiveState" in said:
        return "active\n"
    if "--kubeconfig=" in said:
        return "/etc/kubernetes/kubelet.conf\n"
    return "10.0.0.9\n" if "getent" in said else ""


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_one_whose_timer_cannot_be_armed_is_skipped(
        self, site: Site, kube: Node, fault: type[Fault]
    ) -> None:
        def answer(asked: tuple[str, ...]) -> str:
            refuse("systemd-run", "true")(asked)
            return on_a_usual_node(asked)

        kube.answer = answer
        with pytest.raises(MissingCapability, match=r"^node\.timer: no timer of l-worker would"):
            fault(site).available()

    @pytest.mark.parametrize("fault", TIMED)
    def test_the_timer_is_armed_before_the_injection_with_what_undoes_it(
        self, site: Site, kube: Node, fault: type[Any]
    ) -> None:
        kube.answer = on_a_usual_node
        made = fault(site)
        assert made.available() is None
        kube.ran.clear()
        made.note()
        (*_, armed) = kube.ran
        assert f"landfast-heal-{RUN}-{fault.name}" in armed
        assert armed[-1].endswith(made.undo())
        made.inject()
        assert kube.ran.index(armed) < len(kube.ran) - 1

    def test_a_drain_is_undone_with_the_kubelets_own_credentials(
        self, site: Site, kube: Node
    ) -> None:
        kube.answer = on_a_usual_node
        drain = TheirNodeDrain(site)
        assert (
            drain.undo()
            == "kubectl --kubeconfig '/etc/kubernetes/kubelet.conf' uncordon 'l-worker'"
        )
        drain.inject()
        assert "kubectl --kubeconfig /etc/kubernetes/kubelet.conf cordon l-worker" in kube.scripts()
        assert ("evict", "Pod", "mysql-0") in kube.changes()
        assert ("patch", "Node", NODE) not in kube.changes()

    def test_a_node_that_cannot_uncordon_itself_is_not_drained(self, site: Site) -> None:
        assert "it cannot uncordon" in str(TheirNodeDrain(site).available())

    def test_a_kubelet_that_is_no_unit_is_not_stopped(self, site: Site) -> None:
        assert TheirKubeletStop(site).available() == "l-worker has no unit kubelet"

    def test_a_stopped_kubelet_is_one_that_runs_nothing(self, site: Site, kube: Node) -> None:
        kube.answer = on_a_usual_node
        stop = TheirKubeletStop(site)
        assert not stop.still_there()
        with pytest.raises(NotProven, match="the kubelet of l-worker not to answer"):
            stop.prove_effect()
        kube.answer = refuse("")
        assert stop.still_there()
        assert "no program can be run in a pod of l-worker" in stop.prove_effect()

    def test_packets_are_dropped_to_the_address_that_the_node_knows(
        self, site: Site, kube: Node
    ) -> None:
        kube.answer = on_a_usual_node
        dropped = TheirNfsPortDropped(site)
        assert dropped.aim == {"node": NODE, "server": "10.0.0.9"}
        dropped.inject()
        assert "ip daddr 10.0.0.9 tcp dport 2049" in kube.scripts()
        kube.answer = lambda _: "=124\n"
        assert dropped.connect("10.0.0.9", 2049) == "no answer within 1 s"
        kube.answer = lambda _: "bash: connect: Connection refused\n=1\n"
        assert dropped.connect("10.0.0.9", 2049) == "Connection refused"
        kube.answer = lambda _: "=0\n"
        assert dropped.connect("10.0.0.9", 2049) == ""

    def test_a_server_without_an_address_is_not_cut_off(self, site: Site) -> None:
        with pytest.raises(MissingCapability, match="nas has no IPv4 address on the node"):
            TheirNfsPortDropped(site)

    def test_a_restart_is_proven_by_another_boot(self, site: Site, kube: Node) -> None:
        boots, is_down = ["kernel-1\n100\n"], False

        def answer(asked: tuple[str, ...]) -> str:
            if asked == ("true",) and is_down:
                raise LandfastError("the connection is refused")
            return boots[-1] if "boot_id" in " ".join(asked) else ""

        kube.answer = answer
        restart = TheirNodeRestart(site)
        restart.note()
        restart.inject()
        with pytest.raises(NotProven, match="the kubelet of l-worker not to answer"):
            restart.prove_effect()
        is_down = True
        with pytest.raises(NotProven, match="to have booted"):
            restart.prove_effect()
        boots.append("kernel-1\n900\n")
        assert restart.prove_effect().endswith("are kernel-1 900, before: kernel-1 100")


class TestRelay:
    @pytest.fixture
    def relay(self, kube: Node) -> Relay:
        stack = SimpleNamespace(
            kube=kube,
            namespace="default",
            env=SimpleNamespace(images=SimpleNamespace(busybox="busybox:1")),
            delete=lambda kind, name, **options: kube.delete(kind, name, "default", **options),
            make=lambda obj: kube.create(
                {**obj, "metadata": {**obj["metadata"], "namespace": "default"}}
            ),
            wait_for_pod=lambda *_: None,
        )
        return Relay(cast(Any, stack))

    def test_it_is_moved_only_from_the_node_to_keep_away_from(
        self, relay: Relay, kube: Node
    ) -> None:
        relay.settle()
        made = kube.get("Pod", "relay", "default")
        kube.put({**made, "spec": {**made["spec"], "nodeName": OTHER}})
        relay.settle(away_from=NODE)
        assert kube.changes().count(("create", "Pod", "relay")) == 1
        relay.settle(away_from=OTHER)
        assert kube.changes().count(("create", "Pod", "relay")) == 2
        assert OTHER in str(kube.get("Pod", "relay", "default")["spec"]["affinity"])

    def test_a_node_that_the_way_leads_over_is_not_broken(
        self, site: Site, relay: Relay, kube: Node
    ) -> None:
        relay.settle()
        made = kube.get("Pod", "relay", "default")
        kube.put({**made, "spec": {**made["spec"], "nodeName": NODE}})
        with pytest.raises(MissingCapability, match="the way to MySQL leads over its node"):
            TheirKubeletStop(replace(site, relay=relay))
