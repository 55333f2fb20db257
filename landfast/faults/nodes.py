"""Faults of the node that MySQL's pod is on: its container, its kubelet, its runtime, its disk."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from landfast.errors import LandfastError
from landfast.faults.base import Fault, Site, prove, register
from landfast.kube.client import KubeError, Object
from landfast.waiting import wait_until

_READY_SECONDS = 120
_LOST_SECONDS = 80  # a grace period of 50 s, the pod's toleration, and when the controllers look
_MOVED_SECONDS = 60
_RENEWED_SECONDS = 11  # a kubelet renews its lease every 10 s
# What answers plain HTTP on the kubelet's port for HTTPS is a complaint, but the kubelet's own.
_ASK = r"""exec 3<>"/dev/tcp/$1/$2" && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && head -c 4 <&3"""
_LOGS = "/var/log/pods"
_PROBE = "log-disk-probe"


def moment(text: str) -> datetime:
    """Parse a time as Kubernetes and the engine write it."""
    return datetime.fromisoformat(text)


def lease_of(site: Site, node: str) -> str:
    """Give when a node's kubelet last renewed its lease."""
    return str(site.kube.get("Lease", node, "kube-node-lease")["spec"]["renewTime"])


def kubelet_answers(site: Site, node: str) -> bool:
    """Whether a node's kubelet answers the control plane's node within two seconds.

    A connection alone would prove nothing: the kernel makes it for a kubelet that is frozen.
    """
    argv = ["timeout", "2", "bash", "-c", _ASK, "bash", node, "10250"]
    found = site.engine.docker("exec", site.control_plane, *argv, check=False)
    return found.stdout == "HTTP"


def condition(node: Object) -> Object:
    """Give a Node's condition Ready; its status is Unknown where nobody has told it."""
    conditions = node.get("status", {}).get("conditions") or []
    unknown: Object = {"status": "Unknown"}
    return next((found for found in conditions if found["type"] == "Ready"), unknown)


def wait_node_ready(site: Site, node: str, started: str = "") -> str:
    """Wait until nothing is wrong with a node, and give that as a sentence.

    A node that was lost is still called Ready for most of a minute, and one that was `started`
    again for its first seconds: only what its kubelet has said lately, and since then, counts.

    Raises:
        WaitTimeout: something is; the message has it.
    """
    wait_until(
        f"node {node} to be Ready",
        lambda: _complaint(site, node, moment(started) if started else None),
        until=lambda complaint: not complaint,
        timeout=_READY_SECONDS,
        ignoring=(LandfastError,),
        describe=str,
    )
    renewed = moment(lease_of(site, node))
    return f"node {node} is Ready; its kubelet answers and renewed its lease at {renewed:%H:%M:%S}"


def _complaint(site: Site, node: str, started: datetime | None) -> str:
    found = site.kube.get("Node", node)
    ready = condition(found)
    taints = [taint["key"] for taint in found["spec"].get("taints") or []]
    if ready["status"] != "True":
        return f"its condition Ready is {ready['status']}"
    if started and moment(ready["lastHeartbeatTime"]) < started.replace(microsecond=0):
        return f"it is called Ready since before it was started at {started:%H:%M:%S}"
    if any(key.startswith("node.kubernetes.io/") for key in taints):
        return f"it has the taints {', '.join(taints)}"
    lately = datetime.now(UTC) - timedelta(seconds=_RENEWED_SECONDS)
    renewed = moment(lease_of(site, node))
    if renewed < max(lately, started or lately):
        return f"its lease was last renewed at {renewed:%H:%M:%S}"
    return "" if kubelet_answers(site, node) else "its kubelet does not answer"


class _NodeFault(Fault):
    """A fault of the node that MySQL's pod is on; it is healed when the node is Ready."""

    def take_aim(self) -> dict[str, str]:
        """Note which node it is."""
        return {"node": self.site.node()}

    @property
    def node(self) -> str:
        """The node that is broken."""
        return self.aim["node"]

    def container(self, field: str) -> str:
        """Give a field of the state of the node's container (`Status`, `StartedAt`)."""
        found = self.site.engine.docker("inspect", "--format", f"{{{{.State.{field}}}}}", self.node)
        return found.stdout.strip()

    def silence(self) -> str:
        """Prove that the node's kubelet does not answer."""
        prove(
            f"the kubelet of {self.node} not to answer",
            lambda: not kubelet_answers(self.site, self.node),
        )
        return "its kubelet does not answer the control plane within 2 s"

    def prove_healed(self) -> str:
        """Nothing is wrong with the node."""
        return wait_node_ready(self.site, self.node)


class _ContainerFault(_NodeFault):
    """The node's container ends."""

    def heal(self) -> None:
        """Start it; it may run."""
        self.site.engine.docker("start", self.node)

    def prove_healed(self) -> str:
        """It runs, and the node has been Ready since it was started."""
        wait_until(
            f"the container {self.node} to run",
            lambda: self.container("Status"),
            until="running".__eq__,
            timeout=_READY_SECONDS,
        )
        started = self.container("StartedAt")
        ready = wait_node_ready(self.site, self.node, started)
        return f"the container {self.node} runs since {moment(started):%H:%M:%S}; {ready}"

    def ended(self, *, killed: bool) -> str:
        """Prove that the container has ended, by a signal that it could not catch or otherwise."""
        _, code = prove(
            f"the container {self.node} to have ended",
            lambda: (self.container("Status"), self.container("ExitCode")),
            until=lambda seen: seen[0] == "exited" and (seen[1] == "137") == killed,
        )
        at = moment(self.container("FinishedAt"))
        ended = f"the container {self.node} ended with exit code {code} at {at:%H:%M:%S}"
        return f"{ended}; {self.silence()}"


@register
class NodePowerOff(_ContainerFault):
    """The node goes without a word."""

    name = "node-power-off"
    text = "MySQL's node loses its power"

    def inject(self) -> None:
        """Kill everything in it at once."""
        self.site.engine.docker("kill", "--signal", "KILL", self.node)

    def prove_effect(self) -> str:
        """Its container was killed, and its kubelet does not answer."""
        return self.ended(killed=True)


@register
class NodeStop(_ContainerFault):
    """The node is shut down."""

    name = "node-stop"
    text = "MySQL's node is shut down"

    def inject(self) -> None:
        """Stop it as a shutdown does."""
        self.site.engine.docker("stop", "--time", "10", self.node, timeout=60)

    def prove_effect(self) -> str:
        """Its container ended by itself, and its kubelet does not answer."""
        return self.ended(killed=False)


@register
class NodeRestart(_ContainerFault):
    """The node restarts without being shut down, as after a short power loss."""

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
        """Its container was started anew."""
        now = prove(
            f"the container {self.node} to be started anew",
            lambda: self.container("StartedAt"),
            until=lambda now: moment(now) > moment(self.before),
        )
        return (
            f"the container {self.node} was started at {moment(now):%H:%M:%S} "
            f"(before: {moment(self.before):%H:%M:%S})"
        )


@register
class NodePause(_NodeFault):
    """Everything on the node stands still."""

    name = "node-pause"
    text = "MySQL's node stands still, shorter than it takes to be given up"

    def inject(self) -> None:
        """Freeze its container."""
        self.site.engine.docker("pause", self.node)

    def prove_effect(self) -> str:
        """Its container is paused, and its kubelet does not answer."""
        prove(
            f"the container {self.node} to be paused",
            lambda: self.container("Status"),
            until="paused".__eq__,
        )
        return f"the container {self.node} is paused; {self.silence()}"

    def heal(self) -> None:
        """Let it go on, if it stands still."""
        if self.container("Status") == "paused":
            self.site.engine.docker("unpause", self.node)


@register
class NodePauseEvicted(NodePause):
    """The node stands still until it is given up and its pods are evicted."""

    name = "node-pause-evicted"
    text = "MySQL's node stands still until its pods are evicted"

    def prove_effect(self) -> str:
        """The node is given up, and its pod is to be deleted."""
        paused = super().prove_effect()

        def look() -> tuple[str, str]:
            node, pod = self.site.kube.get("Node", self.node), self.site.find_pod()
            going = pod and pod["metadata"].get("deletionTimestamp")
            return condition(node)["status"], going or "not to be deleted"

        ready, _ = prove(
            "the node to be given up and MySQL's pod to be evicted",
            look,
            until=lambda seen: seen[0] != "True" and seen[1] != "not to be deleted",
            timeout=_LOST_SECONDS,
        )
        lease = moment(lease_of(self.site, self.node))
        return (
            f"{paused}, nor has it renewed its lease since {lease:%H:%M:%S}: Ready is {ready}, "
            f"and pod mysql-0 is being deleted at {datetime.now(UTC):%H:%M:%S}"
        )


@register
class NodeDrain(_NodeFault):
    """`kubectl drain`."""

    name = "node-drain"
    text = "MySQL's node is drained"
    uid = ""

    def note(self) -> None:
        """Remember which pod it is."""
        self.uid = self.site.pod()["metadata"]["uid"]

    def inject(self) -> None:
        """Cordon it and evict the stack's pods, of MySQL and the provisioner."""
        self._cordon(on=True)
        stack = self.site.stack
        for namespace in {stack.namespace, stack.system_namespace}:
            for pod in self.site.kube.list("Pod", namespace, fields=f"spec.nodeName={self.node}"):
                self._evict(pod["metadata"]["name"], namespace)

    def _evict(self, pod: str, namespace: str) -> None:
        try:
            self.site.kube.evict(pod, namespace)
        except KubeError as error:
            if error.code != 404:  # it went by itself
                raise

    def prove_effect(self) -> str:
        """It takes no pods, and MySQL's next one is elsewhere."""
        prove(f"node {self.node} to be cordoned", self._is_cordoned)
        pod = prove(
            "another pod mysql-0 on another node",
            self.site.pod,
            until=lambda pod: (
                pod["metadata"]["uid"] != self.uid
                and pod["spec"].get("nodeName") not in (None, self.node)
            ),
            timeout=_MOVED_SECONDS,
        )
        return (
            f"node {self.node} is unschedulable; pod mysql-0 is another one "
            f"({pod['metadata']['uid']}, before: {self.uid}), on {pod['spec']['nodeName']}"
        )

    def heal(self) -> None:
        """Uncordon it."""
        self._cordon(on=False)

    def prove_healed(self) -> str:
        """It takes pods again."""
        wait_until(
            f"node {self.node} to be schedulable",
            self._is_cordoned,
            until=lambda cordoned: not cordoned,
            timeout=_READY_SECONDS,
        )
        return f"node {self.node} is schedulable; {super().prove_healed()}"

    def _is_cordoned(self) -> bool:
        return bool(self.site.kube.get("Node", self.node)["spec"].get("unschedulable"))

    def _cordon(self, *, on: bool) -> None:
        self.site.kube.patch("Node", self.node, {"spec": {"unschedulable": on or None}})


class _UnitFault(_NodeFault):
    """A fault of one of the node's systemd units."""

    unit: ClassVar[str]

    def property(self, name: str) -> str:
        """Give a property of the unit (`ActiveState`, `MainPID`)."""
        shown = ["systemctl", "show", "--timestamp=unix", "--value", "--property", name, self.unit]
        return self.site.on_node(self.node, *shown).strip()

    def active_since(self) -> datetime:
        """Give when the unit was last started."""
        return datetime.fromtimestamp(float(self.property("ActiveEnterTimestamp")[1:]), UTC)

    def heal(self) -> None:
        """Start it, if it does not run."""
        self.site.on_node(self.node, "systemctl", "start", self.unit, timeout=60)

    def wait_active(self) -> str:
        """Wait until the unit is active, and give that as a sentence."""
        wait_until(
            f"{self.unit} of {self.node} to be active",
            lambda: self.property("ActiveState"),
            until="active".__eq__,
            timeout=_READY_SECONDS,
        )
        return f"{self.unit} is active since {self.active_since():%H:%M:%S}"


@register
class KubeletStop(_UnitFault):
    """The kubelet is down; what it started runs on."""

    name = "kubelet-stop"
    text = "the kubelet of MySQL's node is stopped"
    unit = "kubelet"

    def inject(self) -> None:
        """Stop it."""
        self.site.on_node(self.node, "systemctl", "stop", self.unit, timeout=60)

    def prove_effect(self) -> str:
        """Its unit is inactive, and it does not answer."""
        prove(
            f"the kubelet of {self.node} to be inactive",
            lambda: self.property("ActiveState"),
            until="inactive".__eq__,
        )
        return f"the unit kubelet of {self.node} is inactive; {self.silence()}"

    def prove_healed(self) -> str:
        """It is active, and the node has been Ready since it was started."""
        active, since = self.wait_active(), self.active_since().isoformat()
        return f"{active}; {wait_node_ready(self.site, self.node, since)}"


@register
class ContainerdRestart(_UnitFault):
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
            f"another containerd on {self.node}",
            lambda: self.property("MainPID"),
            until=lambda now: now not in ("0", self.before),
        )
        return (
            f"containerd of {self.node} is process {now} since {self.active_since():%H:%M:%S} "
            f"(before: {self.before})"
        )

    def prove_healed(self) -> str:
        """It is active and answers, and the node is Ready."""
        active = self.wait_active()
        listed = wait_until(
            f"containerd of {self.node} to answer",
            lambda: self.site.on_node(self.node, "ctr", "-n", "k8s.io", "tasks", "ls", "-q"),
            timeout=_READY_SECONDS,
            ignoring=(LandfastError,),
        )
        count = len(listed.split())
        return f"{active} and lists {count} running containers; {super().prove_healed()}"


@register
class NodeLogDiskFull(_NodeFault):
    """The disk that takes the containers' logs is full: no container can be started.

    It is one of its own, mounted over their folder, with room for no file at all: nothing has to be
    filled, and nothing can be emptied again (the kubelet removes what it does not know from there).
    Containers that run have their logs open, underneath, and go on.
    """

    name = "node-log-disk-full"
    text = "the disk for containers' logs on MySQL's node is full"

    def inject(self) -> None:
        """Mount a file system whose one inode is its root."""
        options = "size=64k,nr_inodes=1"
        self.site.on_node(self.node, "mount", "-t", "tmpfs", "-o", options, "landfast", _LOGS)

    def prove_effect(self) -> str:
        """Nothing can be written there, and a new pod cannot start for that reason."""
        refused = prove(
            f"a write to {_LOGS} to be refused",
            self._write,
            until=lambda said: said.endswith("No space left on device"),
        )
        free = self.site.on_node(self.node, "df", "--output=iavail,itotal", _LOGS).split()
        uid = self._start_probe()
        event = prove(
            "a new pod not to start for want of space",
            lambda: self._refusal(uid),
            timeout=15,
        )
        self._remove_probe()
        return (
            f"{self.node}: {refused} ({free[-2]} of {free[-1]} inodes free); a new pod there does "
            f"not start: {event}"
        )

    def heal(self) -> None:
        """Take the file system away, and the pod that could not start."""
        while self._is_mounted():
            self.site.on_node(self.node, "umount", "--lazy", _LOGS)
        self._remove_probe()

    def prove_healed(self) -> str:
        """It is gone, and a new pod starts."""
        wait_until(
            f"{_LOGS} to be the node's own", lambda: not self._is_mounted(), timeout=_READY_SECONDS
        )
        self._remove_probe()
        self._start_probe()
        try:
            self.site.stack.wait_for_pod(_PROBE, "Running")
        finally:
            self._remove_probe()
        return f"{_LOGS} of {self.node} is no longer a mount; a new pod started there"

    def _is_mounted(self) -> bool:
        return f" {_LOGS} tmpfs " in self.site.on_node(self.node, "cat", "/proc/mounts")

    def _write(self) -> str:
        """Try to write a file; give the complaint, or nothing."""
        file = f"{_LOGS}/landfast-probe"
        script = 'echo probe > "$1" && rm "$1"'
        argv = ["env", "LC_ALL=C", "bash", "-c", script, "bash", file]
        return self.site.engine.docker("exec", self.node, *argv, check=False).stderr.strip()

    def _refusal(self, uid: str) -> str:
        """Give the reason and the message with which the probe's pod was refused a container."""
        for event in self.site.kube.events(self.site.stack.namespace, name=_PROBE):
            message = str(event.get("message"))
            if event["involvedObject"].get("uid") == uid and "no space left" in message:
                return f"{event['reason']}, {message}"
        return ""

    def _start_probe(self) -> str:
        """Create a pod on the node, and give its uid."""
        main = {"name": "main", "image": "busybox", "imagePullPolicy": "IfNotPresent"}
        spec = {
            "nodeName": self.node,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "containers": [{**main, "command": ["sleep", "600"]}],
        }
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": _PROBE}, "spec": spec}
        return str(self.site.stack.make(obj)["metadata"]["uid"])

    def _remove_probe(self) -> None:
        namespace = self.site.stack.namespace
        self.site.kube.delete("Pod", _PROBE, namespace, grace_seconds=1)
        self.site.stack.wait_gone("Pod", _PROBE, namespace)
