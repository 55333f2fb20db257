"""Faults of a node of others: by consent, and never without the node's timer."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fault_place import NODE, Place
from their_place import RUN, Node, refuse

from landfast.cluster.base import Cluster
from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site
from landfast.faults.network import NfsPortDropped
from landfast.faults.node_services import KubeletStop
from landfast.faults.nodes import NodeDrain, NodeRestart
from landfast.faults.their_nodes import (
    TheirKubeletStop,
    TheirNfsPortDropped,
    TheirNodeDrain,
    TheirNodeRestart,
    fitted,
)
from landfast.verdict import MissingCapability

pytestmark = pytest.mark.usefixtures("impatient")

FAULTS = [TheirNodeDrain, TheirKubeletStop, TheirNfsPortDropped, TheirNodeRestart]
TIMED = FAULTS[:3]


@pytest.fixture
def kube(their_kube: Node) -> Node:
    return their_kube


@pytest.fixture
def site(their_site: Site) -> Site:
    return their_site


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
        cluster = Cluster(
            provider="existing",
            name="theirs",
            kubeconfig=Path("k"),
            context="theirs",
            nodes=(NODE,),
            missing={"cluster.node-faults": "not without --i-own-this-cluster"},
        )
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
