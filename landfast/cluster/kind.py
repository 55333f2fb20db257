"""The program `kind`: a cluster of one control plane and some workers, made for one run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from landfast import process, timeouts
from landfast.cluster.base import Cluster, wait_for_nodes
from landfast.docker import Engine
from landfast.image_names import ImageName

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
MYSQL_NODE_PORT = 30306
WORKERS = 2
# There is one of each: without this, its successor after a kill waits up to 15 s for the old lease.
_SCHEDULER = {"leader-elect": "false"}
# At the defaults (20/30) it takes 49 s to bind 200 PVCs, at these 5 s.
_CONTROLLER_MANAGER = {**_SCHEDULER, "kube-api-qps": "500", "kube-api-burst": "1000"}

# kubeadm's defaults, in seconds (its type Timeouts, v1beta4); patience stretches them.
_KUBEADM_LIMITS = {
    "controlPlaneComponentHealthCheck": 240,
    "kubeletHealthCheck": 240,
    "kubernetesAPICall": 60,
    "etcdAPICall": 120,
    "tlsBootstrap": 300,
    "discovery": 300,
}


@dataclass(frozen=True)
class Kind:
    """The program `kind`, and the engine in which it creates nodes."""

    engine: Engine
    program: Path

    def create(
        self, name: str, image: str, kubeconfig: Path, mysql_port: int, workers: int
    ) -> Cluster:
        """Create a cluster in the Docker network of its name and wait until its nodes are Ready.

        MySQL's NodePort and the API server are reachable on 127.0.0.1 only.

        Raises:
            ProcessError: kind failed, or the nodes did not become Ready.
        """
        config = kubeconfig.with_suffix(".kind.yaml")
        config.write_text(
            yaml.safe_dump(cluster_config(ImageName.parse(image).version, mysql_port, workers))
        )
        process.run(
            [
                *[str(self.program), "create", "cluster", "--name", name, "--image", image],
                *["--config", str(config), "--kubeconfig", str(kubeconfig)],
            ],
            timeout=timeouts.CLUSTER_CREATE,
            env={
                **self.engine.env,
                "KIND_EXPERIMENTAL_PROVIDER": "docker",
                "KIND_EXPERIMENTAL_DOCKER_NETWORK": name,
            },
        )
        cluster = Cluster(
            provider="kind",
            name=name,
            kubeconfig=kubeconfig,
            context=f"kind-{name}",
            nodes=tuple(self.nodes(name)),
            mysql_port=mysql_port,
        )
        wait_for_nodes(cluster.kube, len(cluster.nodes), timeout=timeouts.NODE_READY)
        # the reference system has no default class; kind's would take PVCs that name none
        cluster.kube.delete("StorageClass", "standard")
        return cluster

    def nodes(self, name: str) -> list[str]:
        """Return the node containers of a cluster, running or not, sorted by name."""
        return sorted(self.engine.containers(f"{CLUSTER_LABEL}={name}"))

    def workers(self, name: str) -> list[str]:
        """Return the node containers that pods run on, sorted by name."""
        labels = f"{CLUSTER_LABEL}={name}", "io.x-k8s.kind.role=worker"
        return sorted(self.engine.containers(*labels))


def cluster_config(
    version: tuple[int, int] | None, mysql_port: int, workers: int
) -> dict[str, Any]:
    """Return kind's configuration for Kubernetes `version` (None: unknown)."""
    # kubeadm's arguments became a list in v1beta4, which kind uses from Kubernetes 1.36 on
    as_list = version is None or version >= (1, 36)

    def arguments(of: dict[str, str]) -> Any:
        return [{"name": k, "value": v} for k, v in of.items()] if as_list else of

    patches: list[dict[str, Any]] = [
        {
            "kind": "ClusterConfiguration",
            "controllerManager": {"extraArgs": arguments(_CONTROLLER_MANAGER)},
            "scheduler": {"extraArgs": arguments(_SCHEDULER)},
        }
    ]
    if as_list:  # v1beta4 has limits, too
        limits = {
            name: f"{timeouts.patient(given):.0f}s" for name, given in _KUBEADM_LIMITS.items()
        }
        patches += [{"kind": f"{of}Configuration", "timeouts": limits} for of in ("Init", "Join")]
    port = {"containerPort": MYSQL_NODE_PORT, "hostPort": mysql_port, "listenAddress": "127.0.0.1"}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {
            "ipFamily": "ipv4",
            "apiServerAddress": "127.0.0.1",
            "kubeProxyMode": "nftables",
        },
        "kubeadmConfigPatches": [*map(yaml.safe_dump, patches)],
        "nodes": [{"role": "control-plane", "extraPortMappings": [port]}]
        + [{"role": "worker"}] * workers,
    }
