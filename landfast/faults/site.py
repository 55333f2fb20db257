"""Where faults act: the run's cluster, its own NFS server, and one stack."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from landfast.docker import Engine
from landfast.environment import Environment
from landfast.faults.base import HAND, MYSQL_POD, MYSQL_PVC, ServerCommands, Site
from landfast.faults.hand import NodeHand
from landfast.faults.relay import Relay
from landfast.kube.client import Object
from landfast.kube.pods import wait_for_service_account
from landfast.kube.restricted import restricted
from landfast.mysql.bridge import bridged
from landfast.mysql.client import Dial, MysqlServer
from landfast.mysql.forward import PodForward
from landfast.mysql.writer_pods import WriterPods
from landfast.nfs.disk_server import DiskServer, start_disk_server
from landfast.nfs.kernel_server import KernelServer, start_kernel_server
from landfast.nfs.own_server import OwnServer, remove_server
from landfast.run import RunRecord, records
from landfast.stack import (
    Change,
    Stack,
    reference_overlay,
    temporary_stack,
    throw_away_overlay,
)
from landfast.verdict import MissingCapability

EVICTION_SECONDS = 5
"""How long MySQL's pod tolerates a node that is not Ready; Kubernetes' default is 300 s."""


def record_of(env: Environment) -> RunRecord:
    """Return the record of the run that made this cluster, or that works on it."""
    return next(
        record
        for record in records()
        if record.name == env.cluster.name or record.run_id == env.run_id
    )


@contextlib.contextmanager
def open_server(env: Environment, pod_name: str = MYSQL_POD) -> Iterator[OwnServer]:
    """Start a server that has its own disk, for faults around a pod; remove it at the end.

    Raises:
        MissingCapability: the run does not own the cluster or the server, or has no loop devices.
        WaitTimeout: the server does not come up.
    """
    env.cluster.require("cluster.owned")
    if env.engine is None:
        raise MissingCapability(
            "nfs.owned", "faults of the NFS server need a server that Landfast started"
        )
    record = record_of(env)
    server = _start_server(env, env.engine, record)
    left = {"name": server.name, "address": server.address, "pod_name": pod_name}
    _site_file(record).write_text(json.dumps(left))
    try:
        yield server
    finally:
        remove_server(env.engine, server.name)


def _start_server(env: Environment, engine: Engine, record: RunRecord) -> OwnServer:
    name, network, label = f"{record.name}-disk", record.name, record.docker_label
    if env.kernel_server:
        return start_kernel_server(
            engine, env.kernel_server, name=name, network=network, label=label
        )
    image = env.images.nfs_server
    return start_disk_server(engine, image, name=name, network=network, label=label)


@contextlib.contextmanager
def open_site(env: Environment) -> Iterator[Site]:
    """Start a server that has its own disk, deploy the reference stack on it, wait for MySQL.

    Raises:
        MissingCapability: see `open_server`.
        WaitTimeout: something does not come up.
    """
    with open_server(env) as server:
        site = site_on(env, server)
        try:
            site.stack.remove()  # what a killed run left on a kept cluster
            site.stack.export.make_folder("mysql")
            site.stack.deploy_provisioner()
            site.stack.create("mysql")
            site.stack.wait_for_mysql()
            yield site
        finally:
            site.stack.remove()


@contextlib.contextmanager
def open_class_site(
    env: Environment,
    storage_class: str,
    commands: ServerCommands | None = None,
    writers: tuple[int, int] | None = None,
) -> Iterator[Site]:
    """Deploy MySQL on a class of others, in a namespace of its own, and wait until it answers.

    MySQL is reached through the API server, from a port on 127.0.0.1; where faults may break its
    node, by way of another node. `commands` stop and start the server of the class. With `writers`,
    so many write in so many pods.

    Raises:
        WaitTimeout: MySQL does not come up.
    """
    overlay = throw_away_overlay(env, "chaos")
    with temporary_stack(env, replace(overlay, storage_class=storage_class)) as stack:
        stack.changes += [_as_mysql_with_a_hand(env.images.busybox), restricted]
        stack.create_namespace()
        site = Site(env, stack, None, commands=commands)
        dial: Dial = PodForward(stack.kube, stack.namespace, "app=mysql", 3306)
        if "cluster.node-faults" not in env.cluster.missing:
            hand = NodeHand(stack.kube, env.run_id, env.images.busybox)
            wait_for_service_account(stack.kube, stack.namespace)
            dial = relay = Relay(stack)
            relay.settle()
            site = replace(site, hand=hand, relay=relay)
        if writers:
            elsewhere = site.relay is not None and len(env.cluster.nodes) > 1
            pods = WriterPods(
                *(stack.kube, stack.namespace, stack.make, env.images.landfast, *writers),
                avoid=site.node if elsewhere else str,
            )
            site = replace(site, writers=pods)
        with bridged(dial) as port:
            stack.mysql = MysqlServer(port, stack.mysql.password)
            _deploy_mysql(stack)
            yield site


def _deploy_mysql(stack: Stack) -> None:
    """Create MySQL with a volume that its class makes, and wait until it answers."""
    for obj in stack.objects("mysql"):
        if obj["kind"] != "PersistentVolume":
            stack.kube.create(obj)
    stack.wait_for_mysql()


def renew_mysql(site: Site) -> None:
    """Throw MySQL's data away and deploy MySQL again, so that the next test starts clean.

    Raises:
        WaitTimeout: the old objects do not go, or MySQL does not come up.
    """
    stack = site.stack
    for kind, name in (
        ("StatefulSet", "mysql"),
        ("Pod", MYSQL_POD),
        ("PersistentVolumeClaim", MYSQL_PVC),
    ):
        stack.delete(kind, name, grace_seconds=1)
    if site.own_server is None:
        (again,) = (obj for obj in stack.objects("mysql") if obj["kind"] == "StatefulSet")
        site.kube.create(again)
        stack.wait_for_mysql()
        return
    stack.delete("PersistentVolume", site.volume, grace_seconds=1)
    stack.export.remove("mysql")
    stack.export.make_folder("mysql")
    # a server that still has removed files in its cache would serve them under the same names
    site.server.set_mode("honest")
    for obj in stack.objects("mysql"):
        if obj["kind"] in ("StatefulSet", "PersistentVolume"):
            site.kube.create(obj)
    stack.wait_for_mysql()


def site_on(env: Environment, server: OwnServer, pod_name: str = MYSQL_POD) -> Site:
    """Return the site of a running server; the stack need not be deployed."""
    own = env.served_by(server)
    stack = Stack(own, reference_overlay(own))
    stack.changes.append(_leave_lost_nodes_soon)
    return Site(own, stack, server, pod_name)


def left_site(record: RunRecord) -> Site | None:
    """Return the site that a killed run left, or None if it had none.

    Raises:
        BadInput: its cluster does not answer.
    """
    file, env_file = _site_file(record), record.folder / "environment.json"
    if not file.exists() or not env_file.exists():
        return None
    env = Environment.model_validate_json(env_file.read_text())
    assert env.engine is not None  # noqa: S101 - a site has its own server
    left = json.loads(file.read_text())
    pod_name = left.pop("pod_name")
    if env.kernel_server is None:
        return site_on(env, DiskServer(env.engine, **left), pod_name)
    engine = replace(env.engine, machines=env.engine.machines | {left["name"]})
    return site_on(env, KernelServer(engine, **left, system=env.kernel_server.system), pod_name)


def _site_file(record: RunRecord) -> Path:
    return record.folder / "site.json"


def _as_mysql_with_a_hand(image: str) -> Change:
    """Return the change that runs MySQL as its own user, beside a container that can signal it."""
    hand = {
        "name": HAND,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 2147483647 & wait"],
    }

    def change(obj: Object) -> Object:
        if obj["kind"] == "StatefulSet":
            spec = obj["spec"]["template"]["spec"]
            spec["shareProcessNamespace"] = True
            spec["securityContext"] = {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999}
            spec["containers"].append(hand)
        return _leave_lost_nodes_soon(obj)

    return change


def _leave_lost_nodes_soon(obj: Object) -> Object:
    if obj["kind"] != "StatefulSet":
        return obj
    obj["spec"]["template"]["spec"]["tolerations"] = [
        {
            "key": f"node.kubernetes.io/{state}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": EVICTION_SECONDS,
        }
        for state in ("not-ready", "unreachable")
    ]
    return obj
