"""Workers with a kernel of their own: machines that join a kind cluster, for pods with volumes."""

from dataclasses import replace
from typing import Any

import yaml

from landfast import timeouts
from landfast.cluster.base import Cluster, wait_for_nodes
from landfast.docker import Engine
from landfast.kube.placement import Placement
from landfast.machine.machine import ALLOW_NFSV3, create_machine
from landfast.machine.parts import Parts
from landfast.parallel import side_by_side

COUNT = 2
_MEMORY_MIB = 2560
_KEY, _VALUE = "landfast.dev/kernel", "own"
PLACEMENT = Placement(node_selector={_KEY: _VALUE})
"""The nodes whose pods have volumes."""
_CONFIGURATION = "/run/landfast-join.yaml"
_PREPARE = f"""
cat > {_CONFIGURATION}
mkdir -p /etc/kubernetes
cp /etc/resolv.conf /etc/kubernetes  # for pods: the kit's kubelet reads it there
{ALLOW_NFSV3}
"""
_JOIN = ["kubeadm", "join", "--config", _CONFIGURATION]


def add(engine: Engine, parts: Parts, cluster: Cluster, *, label: str) -> tuple[Engine, Cluster]:
    """Add machines to a cluster, and wait until they are Ready.

    Returns the engine that knows them as machines, and the cluster with them as nodes.

    Raises:
        Panic: a machine's kernel panicked.
        WaitTimeout: a machine does not boot, or is not Ready in time.
        ProcessError: kubeadm failed.
    """
    names = [f"{cluster.name}-kernel-{number + 1}" for number in range(COUNT)]
    control_plane = next(node for node in cluster.nodes if node.endswith("-control-plane"))
    token = engine.execute(control_plane, "kubeadm", "token", "create").stdout.strip()
    hosts = {control_plane: engine.address(control_plane)}

    def start(name: str) -> None:
        inside = create_machine(
            engine,
            parts.image,
            parts.disk,
            name=name,
            network=cluster.name,
            label=label,
            memory_mib=_MEMORY_MIB,
            hosts=hosts,
        )
        asked = yaml.safe_dump(_configuration(control_plane, token, inside.address(name)))
        inside.execute(name, "sh", "-c", _PREPARE, text=asked)
        inside.execute(name, *_JOIN, timeout=timeouts.NODE_READY)

    side_by_side(start, names)
    nodes = (*cluster.nodes, *names)
    wait_for_nodes(cluster.kube, len(nodes), timeout=timeouts.NODE_READY)
    return (
        replace(engine, machines=engine.machines | {*names}),
        cluster.model_copy(update={"nodes": nodes, "placement": PLACEMENT}),
    )


def _configuration(control_plane: str, token: str, address: str) -> dict[str, Any]:
    """Return what kubeadm reads; the control plane was made a minute ago, in a network of ours."""
    discovery = {"token": token, "apiServerEndpoint": f"{control_plane}:6443"}
    arguments = {
        "node-ip": address,
        "node-labels": f"{_KEY}={_VALUE}",
        "runtime-cgroups": "/system.slice/containerd.service",
    }
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": {**discovery, "unsafeSkipCAVerification": True}},
        "nodeRegistration": {
            "criSocket": "unix:///run/containerd/containerd.sock",
            "kubeletExtraArgs": [{"name": n, "value": v} for n, v in arguments.items()],
            # pods without a volume go to kind's workers, which start them sooner
            "taints": [{"key": _KEY, "value": _VALUE, "effect": "PreferNoSchedule"}],
        },
        "skipPhases": ["preflight"],
    }
