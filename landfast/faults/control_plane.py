"""Faults of the control plane: one of its programs is killed; the kubelet starts it again."""

import contextlib
from collections.abc import Iterator
from typing import ClassVar

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Momentary, Site, prove, register
from landfast.faults.processes import container_of, processes_of, prove_killed
from landfast.faults.programs import Program, RunningProgram
from landfast.kube.client import Object
from landfast.waiting import WaitTimeout, wait_until

_BY_ITSELF_SECONDS = 3  # a kubelet without a back-off starts a program within a second


class _ProgramKill(Momentary):
    """A program of the control plane is killed."""

    program: ClassVar[str]
    before: RunningProgram | None = None

    @property
    def _program(self) -> Program:
        return Program(self.site.engine, self.site.control_plane, self.program)

    def take_aim(self) -> dict[str, str]:
        found = self._program.find()
        return {"killed": found.pid if found else ""}

    def available(self) -> str | None:
        return None if self.aim["killed"] else f"{self.program} does not run"

    def note(self) -> None:
        self.before = self._program.find()

    def inject(self) -> None:
        self._program.kill(self.aim["killed"])

    def prove_effect(self) -> str:
        now = prove(
            f"process {self.aim['killed']} of {self.program} to be gone",
            self._program.find,
            until=lambda found: found is None or found.pid != self.aim["killed"],
        )
        return f"{self.program} is {now or 'not running'} (before: {self.before})"

    def heal(self) -> None:
        try:
            self._program.wait(timeout=_BY_ITSELF_SECONDS)
        except WaitTimeout:
            self._program.start_soon()

    def prove_healed(self) -> str:
        process = self._program.wait()
        self._program.wait_for_api_server()
        return f"{self.program} is {process}; the API server is ready{self.try_out()}"

    def try_out(self) -> str:
        """Let the program do some work, and return what it did."""
        return ""


@contextlib.contextmanager
def _made(site: Site, obj: Object) -> Iterator[tuple[str, str, str]]:
    """Create an object for the time of the body; yield its kind, name and namespace."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    site.stack.delete(kind, name, grace_seconds=0)  # a killed run may have left it
    try:
        site.stack.make(obj)
        yield kind, name, site.stack.namespace
    finally:
        site.stack.delete(kind, name, grace_seconds=0)


@register
class ControllerManagerKill(_ProgramKill):
    """Nothing binds, no node is given up, no pod is replaced."""

    name = "controller-manager-kill"
    text = "kube-controller-manager is killed"
    program = "kube-controller-manager"

    def try_out(self) -> str:
        """Let it observe a ReplicaSet that wants no replica."""
        labels = {"app": "landfast-observed"}
        pods = {"containers": [{"name": "none", "image": "busybox"}]}
        obj = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "landfast-observed"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pods},
            },
        }
        with _made(self.site, obj) as named:
            wait_until(
                "the controller manager to observe a new ReplicaSet",
                lambda: self.site.kube.get(*named).get("status", {}).get("observedGeneration"),
                timeout=timeouts.CONTROLLER_OBSERVES,
            )
        return ", and it observed a new ReplicaSet"


@register
class SchedulerKill(_ProgramKill):
    """No new pod gets a node."""

    name = "scheduler-kill"
    text = "kube-scheduler is killed"
    program = "kube-scheduler"

    def try_out(self) -> str:
        """Let it find that no node fits a pod."""
        obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "landfast-unschedulable"},
            "spec": {
                "nodeSelector": {"landfast/no-node-has-this": "true"},
                "containers": [{"name": "none", "image": "busybox"}],
            },
        }
        with _made(self.site, obj) as named:
            wait_until(
                "the scheduler to look at a new pod",
                lambda: self.site.kube.get(*named)["status"].get("conditions") or [],
                until=lambda found: any(c["type"] == "PodScheduled" for c in found),
                timeout=timeouts.CONTROLLER_OBSERVES,
            )
        return ", and the scheduler looked at a new pod"


@register
class ApiserverKill(_ProgramKill):
    """Nobody can ask for anything."""

    name = "apiserver-kill"
    text = "kube-apiserver is killed"
    program = "kube-apiserver"


@register
class EtcdKill(_ProgramKill):
    """The API server has nowhere to read from."""

    name = "etcd-kill"
    text = "etcd is killed"
    program = "etcd"

    def heal(self) -> None:
        """Do nothing: the kubelet starts it.

        A restarted kubelet would first ask an API server that hangs without etcd, for two minutes.
        """


@register
class ProvisionerKill(Momentary):
    """The provisioner is killed; its Deployment's pod starts another container."""

    name = "provisioner-kill"
    text = "the provisioner is killed while it makes volumes"
    container = ""
    node = ""
    pid = 0

    def note(self) -> None:
        pod = self._pod()
        self.container, _ = container_of(pod)
        self.node = str(pod["spec"]["nodeName"])
        self.pid = processes_of(self.site, self.node, self.container)[0].pid

    def inject(self) -> None:
        self.site.on_node(self.node, "kill", "-KILL", str(self.pid))

    def prove_effect(self) -> str:
        ended = prove_killed("the provisioner's container", self._pod, self.container)
        return (
            f"the provisioner's container {self.container[:12]} ended with exit code 137 "
            f"at {ended['finishedAt']}"
        )

    def heal(self) -> None:
        try:
            self._wait_to_run(_BY_ITSELF_SECONDS)
        except WaitTimeout:
            name, namespace = self._pod()["metadata"]["name"], self.site.stack.system_namespace
            self.site.kube.delete("Pod", name, namespace, grace_seconds=0)

    def prove_healed(self) -> str:
        self._wait_to_run(timeouts.PROGRAM_BACK)
        self.site.stack.wait_for_provisioner()
        return "the provisioner is available"

    def _wait_to_run(self, timeout: float) -> None:
        wait_until("the provisioner to run", self._runs, timeout=timeout, ignoring=(LandfastError,))

    def _runs(self) -> bool:
        """Whether its container has processes; its status lags behind by a second."""
        pod = self._pod()
        node = str(pod["spec"].get("nodeName", ""))
        return bool(processes_of(self.site, node, container_of(pod)[0]))

    def _pod(self) -> Object:
        for pod in self.site.stack.provisioner_pods():
            if "deletionTimestamp" not in pod["metadata"]:
                return pod
        raise LandfastError("there is no pod of the provisioner")
