"""Faults of the node that MySQL's pod is on: its container, its kubelet, its runtime, its disk."""

from collections.abc import Callable
from typing import ClassVar

from landfast.cluster.base import is_ready
from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site, prove, register
from landfast.kube.client import Object
from landfast.waiting import NotStable, WaitTimeout, stays_true, wait_until

_READY_SECONDS = 120
_LOST_SECONDS = 110  # the controller's grace period of 50 s, the pod's toleration, and its look-out
_LOGS = "/var/log/pods"


def lease_of(site: Site, node: str) -> str:
    """Give when a node's kubelet last renewed its lease."""
    return str(site.kube.get("Lease", node, "kube-node-lease")["spec"]["renewTime"])


def wait_node_ready(site: Site, node: str, since: str = "") -> str:
    """Wait until a node is Ready and has said so itself since a time; give that as a sentence.

    A node that was lost is still called Ready for most of a minute: its lease tells. Without
    `since`, it has to be renewed once more: that takes up to ten seconds.

    Raises:
        WaitTimeout: it is not.
    """

    def look() -> tuple[bool, str]:
        return is_ready(site.kube.get("Node", node)), lease_of(site, node)

    def wait(what: str, until: Callable[[tuple[bool, str]], bool]) -> str:
        _, renewed = wait_until(
            what, look, until=until, timeout=_READY_SECONDS, ignoring=(LandfastError,)
        )
        return renewed

    known = since or wait("the API server to know the node", lambda _: True)
    renewed = wait(f"node {node} to be Ready", lambda seen: seen[0] and seen[1] > known)
    return f"node {node} is Ready, its lease renewed at {renewed}"


class _NodeFault(Fault):
    """A fault of the node that MySQL's pod is on."""

    def take_aim(self) -> dict[str, str]:
        """Note which node it is."""
        return {"node": self.site.node()}

    @property
    def node(self) -> str:
        """The node that is broken."""
        return self.aim["node"]

    def container(self, field: str) -> str:
        """Give a field of the state of the node's container."""
        found = self.site.engine.docker(
            "inspect", "--format", f"{{{{.State.{field}}}}}", self.node, check=False
        )
        return found.stdout.strip()

    def prove_healed(self) -> str:
        """The node is Ready, and has said so since."""
        return wait_node_ready(self.site, self.node)


class _NodeDown(_NodeFault):
    """The node's container does not run."""

    def prove_effect(self) -> str:
        """Its container has ended."""
        prove("the node's container to have ended", lambda: self.container("Running") == "false")
        code, at = self.container("ExitCode"), self.container("FinishedAt")
        return f"the container {self.node} ended with exit code {code} at {at}"

    def heal(self) -> None:
        """Start it."""
        self.site.engine.docker("start", self.node)

    def prove_healed(self) -> str:
        """The node is Ready, and has said so since it was started."""
        return wait_node_ready(self.site, self.node, self.container("StartedAt"))


@register
class NodePowerOff(_NodeDown):
    """The node goes without a word."""

    name = "node-power-off"
    text = "MySQL's node loses its power"

    def inject(self) -> None:
        """Kill everything in it at once."""
        self.site.engine.docker("kill", "--signal", "KILL", self.node)


@register
class NodeStop(_NodeDown):
    """The node is shut down."""

    name = "node-stop"
    text = "MySQL's node is shut down"

    def inject(self) -> None:
        """Stop it as a shutdown does."""
        self.site.engine.docker("stop", "--time", "10", self.node, timeout=60)


@register
class NodeRestart(_NodeFault):
    """The node restarts without being shut down."""

    name = "node-restart"
    text = "MySQL's node restarts without a shutdown"
    stays: ClassVar[bool] = False
    before = ""

    def note(self) -> None:
        """Remember when it was started."""
        self.before = self.container("StartedAt")

    def inject(self) -> None:
        """Restart its container."""
        self.site.engine.docker("restart", "--time", "0", self.node)

    def prove_effect(self) -> str:
        """It was started anew."""
        now = prove(
            "the node to be started anew",
            lambda: self.container("StartedAt"),
            until=lambda now: now != self.before,
        )
        return f"the container {self.node} was started at {now} (before: {self.before})"

    def heal(self) -> None:
        """Start it, should it not run."""
        self.site.engine.docker("start", self.node)

    def prove_healed(self) -> str:
        """The node is Ready, and has said so since it was started."""
        return wait_node_ready(self.site, self.node, self.container("StartedAt"))


@register
class NodePause(_NodeFault):
    """Everything on the node stands still."""

    name = "node-pause"
    text = "MySQL's node stands still, shorter than it takes to be given up"

    def inject(self) -> None:
        """Freeze its container."""
        self.site.engine.docker("pause", self.node)

    def prove_effect(self) -> str:
        """Its container is frozen, and its kubelet does not answer."""
        prove("the node's container to be paused", lambda: self.container("Paused") == "true")
        return f"the container {self.node} is paused"

    def heal(self) -> None:
        """Let it go on."""
        self.site.engine.docker("unpause", self.node, check=False)


@register
class NodePauseEvicted(NodePause):
    """The node stands still until it is given up and its pods are evicted."""

    name = "node-pause-evicted"
    text = "MySQL's node stands still until its pods are evicted"

    def prove_effect(self) -> str:
        """Its pod is to be deleted."""
        frozen = super().prove_effect()
        pod = prove(
            "MySQL's pod to be evicted from a node that is lost",
            lambda: self.site.find_pod() or {"metadata": {}},
            until=lambda pod: "deletionTimestamp" in pod["metadata"],
            timeout=_LOST_SECONDS,
        )
        return f"{frozen}; pod mysql-0 was evicted at {pod['metadata']['deletionTimestamp']}"


@register
class NodeDrain(_NodeFault):
    """`kubectl drain`."""

    name = "node-drain"
    text = "MySQL's node is drained"

    def inject(self) -> None:
        """Cordon it and evict the stack's pods."""
        self._cordon(on=True)
        for namespace in {self.site.stack.namespace, self.site.stack.system_namespace}:
            for pod in self.site.kube.list("Pod", namespace, fields=f"spec.nodeName={self.node}"):
                self.site.kube.evict(pod["metadata"]["name"], namespace)

    def prove_effect(self) -> str:
        """It takes no pods, and MySQL's is elsewhere."""
        prove("the node to be cordoned", lambda: self._node()["spec"].get("unschedulable"))
        pod = prove(
            "MySQL's pod on another node",
            lambda: (self.site.find_pod() or {"spec": {}})["spec"].get("nodeName"),
            until=lambda node: node not in (None, self.node),
            timeout=60,
        )
        return f"node {self.node} is unschedulable; pod mysql-0 is on {pod}"

    def heal(self) -> None:
        """Uncordon it."""
        self._cordon(on=False)

    def prove_healed(self) -> str:
        """It takes pods again."""
        wait_until(
            f"node {self.node} to be schedulable",
            self._node,
            until=lambda node: not node["spec"].get("unschedulable"),
            timeout=20,
        )
        return f"node {self.node} is schedulable"

    def _node(self) -> Object:
        return self.site.kube.get("Node", self.node)

    def _cordon(self, *, on: bool) -> None:
        self.site.kube.patch("Node", self.node, {"spec": {"unschedulable": on or None}})


class _Unit(_NodeFault):
    """A fault of one of the node's systemd units."""

    unit: ClassVar[str]

    def property(self, name: str) -> str:
        """Give a property of the unit."""
        shown = self.site.on_node(self.node, "systemctl", "show", "--value", "-p", name, self.unit)
        return shown.strip()

    def heal(self) -> None:
        """Start it, if it does not run."""
        self.site.on_node(self.node, "systemctl", "start", self.unit, timeout=60)


@register
class KubeletStop(_Unit):
    """The kubelet is down; what it started runs on."""

    name = "kubelet-stop"
    text = "the kubelet of MySQL's node is stopped"
    unit = "kubelet"

    def inject(self) -> None:
        """Stop it."""
        self.site.on_node(self.node, "systemctl", "stop", self.unit, timeout=60)

    def prove_effect(self) -> str:
        """It is inactive, and nothing listens on its port."""
        prove("the kubelet to be inactive", lambda: self.property("ActiveState") == "inactive")
        listening = self.site.on_node(self.node, "ss", "-Hltn", "sport = :10250")
        if listening.strip():
            raise NotProven("the kubelet's unit is inactive, but something listens on 10250")
        return f"the kubelet of {self.node} is inactive; nothing listens on its port 10250"


@register
class ContainerdRestart(_Unit):
    """The container runtime restarts; containers run on under their shims."""

    name = "containerd-restart"
    text = "containerd on MySQL's node restarts"
    unit = "containerd"
    stays: ClassVar[bool] = False
    before = ""

    def note(self) -> None:
        """Remember its process."""
        self.before = self.property("MainPID")

    def inject(self) -> None:
        """Restart it."""
        self.site.on_node(self.node, "systemctl", "restart", self.unit, timeout=60)

    def prove_effect(self) -> str:
        """It is another process."""
        now = prove(
            "another containerd",
            lambda: self.property("MainPID"),
            until=lambda now: now not in ("0", self.before),
        )
        return f"containerd on {self.node} is process {now}, it was {self.before}"


@register
class NodeLogDiskFull(_NodeFault):
    """The disk that takes the containers' logs is full: no container can be started.

    It is a small one of its own, mounted for the occasion: the host's disk is not filled.
    """

    name = "node-log-disk-full"
    text = "the disk for containers' logs on MySQL's node is full"

    def inject(self) -> None:
        """Mount a small file system over the logs' folder and fill it."""
        self.site.on_node(
            self.node, "mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=2", "tmpfs", _LOGS
        )
        self.site.on_node(
            self.node, "dd", "if=/dev/zero", f"of={_LOGS}/full", "bs=64k", check=False
        )

    def prove_effect(self) -> str:
        """Nothing more can be written there, and a new pod does not start."""
        full = self.site.engine.docker(
            "exec", self.node, "mkdir", f"{_LOGS}/one-more", check=False
        ).stderr + self.site.engine.docker(
            "exec", self.node, "dd", "if=/dev/zero", f"of={_LOGS}/more", "bs=4k", "count=1",
            check=False,
        ).stderr  # fmt: skip
        if "No space left" not in full:
            raise NotProven(f"a write to {_LOGS} of {self.node} succeeds")
        self._start_probe()
        try:
            stays_true(
                "a new pod not running", self._probe_state, holds="Running".__ne__, seconds=4
            )
        except NotStable as error:
            raise NotProven(f"a new pod starts in spite of the full disk: {error}") from error
        finally:
            self._remove_probe()
        return f"{_LOGS} of {self.node}: no space left on device; a new pod does not start there"

    def heal(self) -> None:
        """Take the small file system away."""
        self._remove_probe()
        while self._is_mounted():
            self.site.on_node(self.node, "umount", "--lazy", _LOGS)

    def prove_healed(self) -> str:
        """It is gone, and a new pod starts."""
        if self._is_mounted():
            raise WaitTimeout(f"{_LOGS} of {self.node} is still a file system of its own")
        self._remove_probe()
        self._start_probe()
        try:
            wait_until("a new pod to run", self._probe_state, until="Running".__eq__, timeout=60)
        finally:
            self._remove_probe()
        return f"{_LOGS} of {self.node} is the node's own again; a new pod starts there"

    def _is_mounted(self) -> bool:
        return f" {_LOGS} tmpfs " in self.site.on_node(self.node, "cat", "/proc/mounts")

    def _start_probe(self) -> None:
        obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "log-disk-probe"},
            "spec": {
                "nodeName": self.node,
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": "busybox", "command": ["sleep", "60"],
                                "imagePullPolicy": "IfNotPresent"}],
            },
        }  # fmt: skip
        self.site.stack.make(obj)

    def _probe_state(self) -> str:
        pod = self.site.kube.find("Pod", "log-disk-probe", self.site.stack.namespace)
        return str(pod["status"].get("phase")) if pod else "gone"

    def _remove_probe(self) -> None:
        self.site.kube.delete("Pod", "log-disk-probe", self.site.stack.namespace, grace_seconds=0)
        self.site.stack.wait_gone("Pod", "log-disk-probe", self.site.stack.namespace, timeout=60)
