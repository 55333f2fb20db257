"""Fixtures of the tests of faults."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fault_place import CONTROL, OTHER, Place, node, pod
from their_place import RUN, Node

from landfast.faults.base import Site
from landfast.faults.hand import NodeHand


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def their_kube() -> Node:
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
def their_site(place: Place, their_kube: Node) -> Site:
    """A site whose owner lets MySQL's node be broken."""
    cluster = SimpleNamespace(kube=their_kube, missing={}, require=lambda _: None)
    env = SimpleNamespace(cluster=cluster, run_id=RUN)
    hand = NodeHand(their_kube, RUN, "busybox:1")
    return replace(place.site, env=cast(Any, env), own_server=None, hand=hand)
