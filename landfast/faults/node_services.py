"""Faults on the node that MySQL's pod is on: its kubelet, its runtime, its disk for logs."""

from datetime import UTC, datetime
from typing import ClassVar

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Lasting, Momentary, prove, register
from landfast.faults.node_health import NodeFault, wait_node_ready
from landfast.waiting import wait_until

_LOGS = "/var/log/pods"
_PROBE = "log-disk-probe"


class _UnitFault(NodeFault):
    """A fault of one of the node's systemd units."""

    unit: ClassVar[str]

    def property(self, name: str) -> str:
        """Return a property of the unit (`ActiveState`, `MainPID`)."""
        shown = ["systemctl", "show", "--timestamp=unix", "--value", "--property", name, self.unit]
        return self.site.on_node(self.node, *shown).strip()

    def active_since(self) -> datetime:
        return datetime.fromtimestamp(float(self.property("ActiveEnterTimestamp")[1:]), UTC)

    def heal(self) -> None:
        self.site.on_node(self.node, "systemctl", "start", self.unit)

    def wait_active(self) -> str:
        """Wait until the unit is active, and return that as a sentence."""
        wait_until(
            f"{self.unit} of {self.node} to be active",
            lambda: self.property("ActiveState"),
            until="active".__eq__,
            timeout=timeouts.NODE_READY,
        )
        return f"{self.unit} is active since {self.active_since():%H:%M:%S}"


@register
class KubeletStop(Lasting, _UnitFault):
    """The kubelet is down; the containers that it started run on."""

    name = "kubelet-stop"
    text = "the kubelet of MySQL's node is stopped"
    unit = "kubelet"

    def inject(self) -> None:
        self.site.on_node(self.node, "systemctl", "stop", self.unit)

    def prove_effect(self) -> str:
        prove(f"the kubelet of {self.node} to be inactive", self.still_there)
        return f"the unit kubelet of {self.node} is inactive; {self.silence()}"

    def still_there(self) -> bool:
        return self.property("ActiveState") == "inactive"

    def prove_healed(self) -> str:
        active = self.wait_active()
        return f"{active}; {wait_node_ready(self.site, self.node, self.active_since())}"


@register
class ContainerdRestart(Momentary, _UnitFault):
    """The container runtime restarts; containers run on under their shims."""

    name = "containerd-restart"
    text = "containerd on MySQL's node restarts"
    unit = "containerd"
    before = ""

    def note(self) -> None:
        self.before = self.property("MainPID")

    def inject(self) -> None:
        self.site.on_node(self.node, "systemctl", "restart", self.unit)

    def prove_effect(self) -> str:
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
        active = self.wait_active()
        listed = wait_until(
            f"containerd of {self.node} to answer",
            lambda: self.site.on_node(self.node, "ctr", "-n", "k8s.io", "tasks", "ls", "-q"),
            timeout=timeouts.NODE_READY,
            ignoring=(LandfastError,),
        )
        count = len(listed.split())
        return f"{active} and lists {count} running containers; {super().prove_healed()}"


@register
class NodeLogDiskFull(Lasting, NodeFault):
    """The disk for the containers' logs is full: no container can be started.

    An extra file system with room for no file is mounted over their folder. So nothing has to be
    filled, and the kubelet, which removes unknown files there, cannot free anything. Running
    containers have their logs open underneath, and go on.
    """

    name = "node-log-disk-full"
    text = "the disk for containers' logs on MySQL's node is full"

    def inject(self) -> None:
        options = "size=64k,nr_inodes=1"
        self.site.on_node(self.node, "mount", "-t", "tmpfs", "-o", options, "landfast", _LOGS)

    def prove_effect(self) -> str:
        refused = prove(
            f"a write to {_LOGS} to be refused",
            self._write,
            until=lambda said: said.endswith("No space left on device"),
        )
        free = self.site.on_node(self.node, "df", "--output=iavail,itotal", _LOGS).split()
        uid = self._start_probe()
        event = prove(
            "a new pod not to start for lack of space", lambda: self._refusal(uid), timeout=15
        )
        self._remove_probe()
        return (
            f"{self.node}: {refused} ({free[-2]} of {free[-1]} inodes free); a new pod there does "
            f"not start: {event}"
        )

    def heal(self) -> None:
        while self.still_there():
            self.site.on_node(self.node, "umount", "--lazy", _LOGS)
        self._remove_probe()

    def prove_healed(self) -> str:
        self.wait_over(f"{_LOGS} to be the node's own", timeout=timeouts.CONTAINER_STATE)
        self._remove_probe()
        self._start_probe()
        try:
            self.site.stack.wait_for_pod(_PROBE, "Running")
        finally:
            self._remove_probe()
        return f"{_LOGS} of {self.node} is no longer a mount; a new pod started there"

    def still_there(self) -> bool:
        return f" {_LOGS} tmpfs " in self.site.on_node(self.node, "cat", "/proc/mounts")

    def _write(self) -> str:
        """Try to write a file; return the complaint, or nothing."""
        file = f"{_LOGS}/landfast-probe"
        script = 'echo probe > "$1" && rm "$1"'
        argv = ["bash", "-c", script, "bash", file]
        env = {"LC_ALL": "C"}
        return self.site.engine.execute(self.node, *argv, check=False, env=env).stderr.strip()

    def _refusal(self, uid: str) -> str:
        """Return the event that says why the probe's pod does not start, or nothing."""
        for event in self.site.kube.events(self.site.stack.namespace, name=_PROBE):
            message = str(event.get("message"))
            if event["involvedObject"].get("uid") == uid and "no space left" in message:
                return f"{event['reason']}, {message}"
        return ""

    def _start_probe(self) -> str:
        """Create a pod on the node, and return its uid."""
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
        self.site.stack.delete("Pod", _PROBE, grace_seconds=1)
