"""The reference stack on a cluster: provisioner, StorageClass, volumes, MySQL."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

from landfast import timeouts
from landfast.environment import Environment
from landfast.kube.client import Kube, KubeError, Object
from landfast.kube.pods import Obstacle, StartWatch, obstacle, refusal, summary
from landfast.kube.removal import wait_gone
from landfast.manifests import SYSTEM_NAMESPACE, Overlay, load, namespace
from landfast.mysql.client import Identity, MysqlError, MysqlServer
from landfast.mysql.forward import PodForward
from landfast.nfs.inspector import ExportInspector
from landfast.stack_removal import remove_objects
from landfast.waiting import WaitTimeout, wait_until

_PROVISIONER = "nfs-client-provisioner"
_ON_ROOT = ("hello.txt", "mysql")  # what the reference creates on its export beside PVs' folders
Change = Callable[[Object], Object]


class Stack:
    """Objects of the reference system, fitted by one overlay.

    `changes` are applied to every object before it is created: a test of a rule flips one field.
    """

    def __init__(self, env: Environment, overlay: Overlay) -> None:
        self.env = env
        self.overlay = overlay
        self.changes: list[Change] = []

    @property
    def kube(self) -> Kube:
        """The cluster's API."""
        return self.env.cluster.kube

    @property
    def namespace(self) -> str:
        """The namespace of the stack's PVCs, pods and MySQL."""
        return self.overlay.namespace

    @property
    def system_namespace(self) -> str:
        """The namespace of the stack's provisioner."""
        return self.overlay.namespace_of(SYSTEM_NAMESPACE)

    @property
    def storage_class(self) -> str:
        """The stack's StorageClass, its own or one that is there."""
        return self.overlay.storage_class or self.overlay.name("StorageClass", "nfs-ssd")

    @cached_property
    def mysql(self) -> MysqlServer:
        """The stack's MySQL: its NodePort on 127.0.0.1, or a forward where there is none."""
        port = self.env.cluster.mysql_port if self.overlay.node_port else None
        forward = PodForward(self.kube, self.namespace, "app=mysql", 3306) if port is None else None
        return MysqlServer(port or 3306, "666666", forward)

    def objects(self, manifest: str) -> list[Object]:
        """Return the objects of a manifest as the stack creates them."""
        return [self.fit(obj) for obj in load(manifest)]

    def fit(self, obj: Object) -> Object:
        """Return an object with the reference's names as the stack creates it."""
        fitted = self.overlay.fit(obj)
        for change in self.changes:
            fitted = change(fitted)
        return fitted

    def create(self, *manifests: str) -> None:
        """Create the objects of manifests, in order."""
        for manifest in manifests:
            for obj in self.objects(manifest):
                self.kube.create(obj)

    def create_namespace(self) -> None:
        """Create the stack's own namespace; a stack in `default` has none."""
        self.kube.create(namespace(self.namespace, self.overlay.labels))

    def make(self, obj: Object) -> Object:
        """Fit an object with the reference's names, create it and return it."""
        return self.kube.create(self.fit(obj))

    @cached_property
    def export(self) -> ExportInspector:
        """The inspector of the stack's part of the export: paths below its /data/share."""
        return self.env.inspector.below(self.overlay.subtree)

    def deploy_provisioner(self) -> Object:
        """Create namespace, rights, provisioner and class; wait until it is available."""
        self.create("provisioner-rbac", "provisioner", "storageclass")
        return self.wait_for_provisioner()

    def wait_for_provisioner(self, *, timeout: float = timeouts.POD_RUNNING) -> Object:
        """Wait until the provisioner's Deployment has its replica available, and return it.

        Raises:
            PodCannotStart: the cluster does not start its pod.
            WaitTimeout: it does not become available.
        """
        name, namespace = _PROVISIONER, self.system_namespace
        watch = StartWatch()

        def look() -> Object:
            found = self.kube.get("Deployment", name, namespace)
            if not _is_available(found):
                watch.check(lambda: refusal(found) or self._obstacle(f"app={name}", namespace))
            return found

        return wait_until(
            "the provisioner to be available",
            look,
            until=_is_available,
            timeout=timeout,
            describe=lambda deployment: str(deployment.get("status")),
        )

    def wait_for_mysql(
        self, *, since: float | None = None, timeout: float = timeouts.MYSQL_READY
    ) -> Identity:
        """Wait until the stack's MySQL answers, and return who it is.

        With `since`, a time of time.monotonic(), only a server that was started later counts: one
        whose pod was deleted by force goes on until its kubelet ends it.

        Raises:
            PodCannotStart: the cluster does not start its pod.
            WaitTimeout: it does not answer; the message says where its pod is and what MySQL said.
        """
        watch, said = StartWatch(), ""

        def look() -> Identity | None:
            nonlocal said
            try:
                if since is not None and self.mysql.uptime() > time.monotonic() - since:
                    said = "the server from before still answers"
                    return None
                return self.mysql.identity()
            except MysqlError as error:
                pod = self.kube.find("Pod", "mysql-0", self.namespace) or {}
                said = f"pod mysql-0 is {summary(pod)}; {error}"
                watch.check(lambda: obstacle(pod) if pod else self._refusal("mysql"))
                return None

        found = wait_until(
            f"MySQL to answer on {self.mysql}", look, timeout=timeout, describe=lambda _: said
        )
        assert found is not None  # noqa: S101 - what was waited for
        return found

    def wait_for_pvc(self, name: str, *, timeout: float = timeouts.BIND) -> Object:
        """Wait until a PVC is Bound, and return it.

        Raises:
            WaitTimeout: it is not in time; the message has its events and what the API server
                refuses the stack's provisioner.
        """
        try:
            return self._wait_for_phase("PersistentVolumeClaim", name, "Bound", timeout)
        except WaitTimeout as error:
            raise WaitTimeout(f"{error}{self._why_unbound(name)}") from error

    def provisioner_pods(self) -> list[Object]:
        """Return the provisioner's pods, also those that are being deleted."""
        return self.kube.list("Pod", self.system_namespace, labels=f"app={_PROVISIONER}")

    def _why_unbound(self, pvc: str) -> str:
        """Return what events say of a PVC, and the last refusal that the provisioner logged."""
        events = self.kube.events(self.namespace, name=pvc)
        said = [f"{event['reason']}: {event['message']}" for event in events[-2:]]
        why = f"; its events: {said}" if said else "; it has no events"
        for pod in self.provisioner_pods():
            with contextlib.suppress(KubeError):  # a container that has not started has no log
                log = self.kube.logs(self.system_namespace, pod["metadata"]["name"])
                refused = [line for line in log.splitlines() if "forbidden" in line]
                why += f"; the provisioner is refused: {refused[-1].strip()}" if refused else ""
        if "leases" in why:
            why += "; test a build that locks with Leases with --provisioner-contract leases"
        return why

    def wait_for_pv(self, name: str, phase: str, *, timeout: float = timeouts.BIND) -> Object:
        """Wait until a PV has a phase, and return it. `name` is the name on this cluster."""
        return self._wait_for_phase("PersistentVolume", name, phase, timeout)

    def wait_for_pod(
        self, name: str, phase: str, *, timeout: float = timeouts.POD_RUNNING
    ) -> Object:
        """Wait until a pod has a phase, and return it.

        Raises:
            PodCannotStart: the cluster does not start it.
            WaitTimeout: it does not reach the phase; at once if it has ended in another.
        """
        ended = {"Failed", "Succeeded"} - {phase}
        watch = StartWatch()

        def look() -> Object:
            pod = self.kube.find("Pod", name, self.namespace) or {}
            if _phase(pod) != phase:
                watch.check(
                    lambda: obstacle(pod) if pod else self._refusal(name.rpartition("-")[0])
                )
            return pod

        return wait_until(
            f"pod {name} to be {phase}",
            look,
            until=lambda pod: _phase(pod) == phase,
            give_up=lambda pod: f"it is {_phase(pod)}" if _phase(pod) in ended else None,
            timeout=timeout,
            describe=summary,
        )

    def wait_for_next_pod(self, before: Object, *, timeout: float = timeouts.POD_RUNNING) -> Object:
        """Wait until another pod has replaced one of the same name, and return it."""
        name, uid = before["metadata"]["name"], before["metadata"]["uid"]
        return wait_until(
            f"a pod {name} other than {uid}",
            lambda: self.kube.find("Pod", name, self.namespace) or {},
            until=lambda pod: pod.get("metadata", {}).get("uid") not in (None, uid),
            timeout=timeout,
            describe=summary,
        )

    def delete(self, kind: str, name: str, *, grace_seconds: int | None = None) -> None:
        """Delete a PV or an object in the stack's namespace, and wait until it is gone."""
        namespace = None if kind == "PersistentVolume" else self.namespace
        self.kube.delete(kind, name, namespace, grace_seconds=grace_seconds)
        self.wait_gone(kind, name, namespace)

    def wait_gone(
        self, kind: str, name: str, namespace: str | None = None, *, timeout: float = timeouts.GONE
    ) -> None:
        """Wait until an object is gone."""
        wait_gone(self.kube, [(kind, name, namespace)], timeout=timeout)

    def _wait_for_phase(self, kind: str, name: str, phase: str, timeout: float) -> Object:
        namespace = None if kind == "PersistentVolume" else self.namespace
        return wait_until(
            f"{kind} {name} to be {phase}",
            lambda: self.kube.find(kind, name, namespace) or {},
            until=lambda obj: _phase(obj) == phase,
            timeout=timeout,
            describe=_phase,
        )

    def _obstacle(self, labels: str, namespace: str) -> Obstacle | None:
        """Return what keeps one of some pods from starting, or None."""
        pods = self.kube.list("Pod", namespace, labels=labels)
        return next(filter(None, map(obstacle, pods)), None)

    def _refusal(self, statefulset: str) -> Obstacle | None:
        """Return why the API server refuses a StatefulSet's pod, which does not exist, or None."""
        owner = statefulset and self.kube.find("StatefulSet", statefulset, self.namespace)
        return refusal(owner, self.kube.events(self.namespace, name=statefulset)) if owner else None

    def remove(self) -> None:
        """Remove every object of the stack, the PVs made for it, and its subtree of the export.

        The provisioner goes after the PVCs, so that it can still reclaim their volumes. The
        namespaces of a throw-away stack may still exist for a while: nobody reuses their names.

        Raises:
            WaitTimeout: something cannot be removed.
        """
        remove_objects(self.kube, self.overlay, self.storage_class)
        if self.overlay.export.seen:
            self._remove_files()

    def _remove_files(self) -> None:
        if self.overlay.subtree != self.env.subtree:
            self.env.inspector.remove(self.overlay.subtree)
            return
        prefix = f"{self.namespace}-"  # of PVs' folders; those of throw-away stacks lie beside
        for name in self.export.list(depth=1):
            if name in _ON_ROOT or name.removeprefix("archived-").startswith(prefix):
                self.export.remove(name)


def _phase(obj: Object) -> str:
    return str(obj.get("status", {}).get("phase", "no such object"))


def _is_available(deployment: Object) -> bool:
    return bool(deployment.get("status", {}).get("availableReplicas") == 1)


def with_lease_lock(obj: Object) -> Object:
    """Let a Role that grants Endpoints, the lock of the reference's provisioner, grant Leases."""
    if obj["kind"] != "Role":
        return obj
    locks = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    lease = {**locks, "verbs": ["get", "create", "update"]}
    return {**obj, "rules": [*obj["rules"], lease]}


def reference_overlay(env: Environment) -> Overlay:
    """Return the overlay of the one stack that represents the reference system."""
    return Overlay(
        export=env.export,
        images=env.images,
        run_id=env.run_id,
        subtree=env.subtree,
        suffix=env.suffix,
        namespace=env.namespace,
        node_port=env.cluster.owned,
    )


def throw_away_overlay(env: Environment, slug: str) -> Overlay:
    """Return the overlay of one test's stack: own names, own namespace, own part of the export.

    The names end in 32 random bits: with 16, a test met the namespace of an earlier one that was
    still being deleted.
    """
    slug = f"{slug}-{secrets.token_hex(4)}"
    return replace(
        reference_overlay(env),
        subtree=f"{env.subtree}/{slug}".lstrip("/"),
        suffix=f"-{slug}",
        namespace=f"landfast-{slug}",
        node_port=False,
    )


@contextlib.contextmanager
def temporary_stack(env: Environment, overlay: Overlay) -> Iterator[Stack]:
    """Provide a stack of which nothing exists yet; remove at the end what was made of it."""
    stack = Stack(env, overlay)
    try:
        yield stack
    finally:
        stack.remove()
