"""The one pod that enters a node of others, which nodes it may enter, and the way past them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import refusal
from fault_place import NODE, OTHER, node
from their_place import HANDS, RUN, Node, Object, refuse

from landfast.errors import LandfastError
from landfast.faults.base import Site
from landfast.faults.hand import require_spare
from landfast.faults.relay import Relay
from landfast.faults.their_nodes import TheirKubeletStop
from landfast.verdict import MissingCapability

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def kube(their_kube: Node) -> Node:
    return their_kube


@pytest.fixture
def site(their_site: Site) -> Site:
    return their_site


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

    def test_a_cluster_without_privileged_pods_is_named(self, site: Site, kube: Node) -> None:
        def deny(kind: str, _name: str) -> None:
            if kind == "Pod":
                raise refusal(403, "privileged pods are not allowed")

        assert site.hand
        kube.before["create"] = deny
        with pytest.raises(MissingCapability, match=r"^pods\.privileged: privileged pods are not"):
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
