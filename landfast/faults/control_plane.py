"""Faults of the control plane: one of its programs is killed; the kubelet starts it again."""

from typing import ClassVar

from landfast.errors import LandfastError
from landfast.faults.base import Fault, prove, register
from landfast.faults.processes import container_of, processes_of
from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.waiting import WaitTimeout, wait_until

_BACK_SECONDS = 90
_CLAIMS = 10
_LABEL = "landfast/provisioner-kill"


class _ProgramKill(Fault):
    """A program of the control plane is killed."""

    program: ClassVar[str]
    stays: ClassVar[bool] = False
    before: int | None = None

    def take_aim(self) -> dict[str, str]:
        """Note which process it is."""
        return {"killed": str(self.pid())}

    def pid(self) -> int | None:
        """Give the program's process in the control plane's node, None if it does not run."""
        found = self.site.on_node(
            *[self.site.control_plane, "pgrep", "--full", "--oldest", f"^{self.program}( |$)"],
            check=False,
        )
        return int(found) if found.strip() else None

    def inject(self) -> None:
        """Kill it."""
        self.site.on_node(self.site.control_plane, "kill", "-KILL", self.aim["killed"])

    def prove_effect(self) -> str:
        """Its process is gone, or another one."""
        now = prove(
            f"process {self.aim['killed']} of {self.program} to be gone",
            self.pid,
            until=lambda pid: str(pid) != self.aim["killed"],
            timeout=5,
        )
        successor = f"process {now} runs" if now else "none runs"
        return f"process {self.aim['killed']} of {self.program} is gone; {successor}"

    def heal(self) -> None:
        """Let the kubelet start it at once: a new kubelet has forgotten to wait 10, 20, 40 s."""
        if self.pid() is None:
            self.site.on_node(self.site.control_plane, "systemctl", "restart", "kubelet")

    def prove_healed(self) -> str:
        """A successor runs and its pod is Ready."""
        pid = wait_until(f"{self.program} to run", self.pid, timeout=_BACK_SECONDS)
        wait_until(
            f"the API server to be ready with {self.program}",
            self._is_ready,
            timeout=_BACK_SECONDS,
            ignoring=(LandfastError, OSError),
        )
        return f"process {pid} of {self.program} runs; the API server is ready"

    def _is_ready(self) -> bool:
        answer = self.site.on_node(
            *[self.site.control_plane, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"],
            *["get", "--raw", "/readyz", "--request-timeout=5s"],
            check=False,
        )
        return answer.strip() == "ok"


@register
class ControllerManagerKill(_ProgramKill):
    """Nothing binds, no node is given up, no pod replaced."""

    name = "controller-manager-kill"
    text = "kube-controller-manager is killed"
    program = "kube-controller-manager"


@register
class SchedulerKill(_ProgramKill):
    """No new pod gets a node."""

    name = "scheduler-kill"
    text = "kube-scheduler is killed"
    program = "kube-scheduler"


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
        """Do nothing: a kubelet that is restarted while there is no API server is of no help."""


@register
class ProvisionerKill(Fault):
    """The provisioner is killed between two volumes that it makes."""

    name = "provisioner-kill"
    text = "the provisioner is killed while it makes volumes"
    stays: ClassVar[bool] = False
    restarts = 0
    bound = -1

    def note(self) -> None:
        """Remember how often its container was restarted."""
        _, self.restarts = container_of(self._pod())

    def inject(self) -> None:
        """Ask for volumes and kill the provisioner as soon as the first is there."""
        pod = self._pod()
        node, (container, _) = str(pod["spec"]["nodeName"]), container_of(pod)
        pid, *_ = processes_of(self.site, node, container)
        for number in range(_CLAIMS):
            self.site.stack.make(_claim(number))
        wait_until("the first claim to be bound", self._bound, timeout=30, interval=0.02)
        self.site.on_node(node, "kill", "-KILL", str(pid))
        self.bound = len(self._bound())

    def prove_effect(self) -> str:
        """Its container was restarted when only some of the claims were bound."""
        prove(
            "the provisioner's container to have been restarted",
            lambda: container_of(self._pod())[1],
            until=lambda restarts: restarts > self.restarts,
            timeout=30 if self.bound >= 0 else 5,
        )
        return f"the provisioner was killed when {self.bound} of {_CLAIMS} claims were bound"

    def heal(self) -> None:
        """Do nothing yet: `prove_healed` looks at what the provisioner makes of the claims."""

    def prove_healed(self) -> str:
        """Every claim is bound to one folder; then they go."""
        self.site.stack.wait_for_provisioner()
        claims = self._claims()
        folders: list[str] = []
        try:
            if claims:
                wait_until(
                    f"{len(claims)} claims to be bound",
                    self._bound,
                    until=lambda bound: len(bound) == len(claims),
                    timeout=_BACK_SECONDS,
                    describe=lambda bound: f"{len(bound)} are",
                )
                listed = self.site.server.inspector.list(self.site.stack.folder("."), depth=1)
                folders = [path for path in listed if "-killed-" in path]
                if len(folders) != len(claims):
                    raise WaitTimeout(f"{len(claims)} claims have {len(folders)} folders")
        finally:
            self._remove(claims)
        return f"{len(claims)} claims were bound, with {len(folders)} folders, and are gone"

    def _remove(self, claims: list[Object]) -> None:
        kube, stack = self.site.kube, self.site.stack
        for claim in claims:
            kube.delete("PersistentVolumeClaim", claim["metadata"]["name"], stack.namespace)
        wait_until("the claims to be gone", lambda: not self._claims(), timeout=60)
        wait_until(
            "their volumes to be gone",
            lambda: [
                pv
                for pv in kube.list("PersistentVolume")
                if "-killed-" in (pv["spec"].get("nfs") or {}).get("path", "")
            ],
            until=lambda left: not left,
            timeout=60,
            describe=lambda left: f"{len(left)} are left",
        )
        for path in self.site.server.inspector.list(stack.folder("."), depth=1):
            if "-killed-" in path:  # archived by the class
                self.site.server.inspector.remove(path)

    def _pod(self) -> Object:
        pods = self.site.kube.list(
            "Pod", self.site.stack.system_namespace, labels="app=nfs-client-provisioner"
        )
        return next(pod for pod in pods if "deletionTimestamp" not in pod["metadata"])

    def _claims(self) -> list[Object]:
        namespace = self.site.stack.namespace
        return self.site.kube.list("PersistentVolumeClaim", namespace, labels=_LABEL)

    def _bound(self) -> list[Object]:
        return [claim for claim in self._claims() if claim["status"].get("phase") == "Bound"]


def _claim(number: int) -> Object:
    (obj,) = load("pvc")
    obj["metadata"] = {"name": f"killed-{number}", "labels": {_LABEL: "true"}}
    del obj["spec"]["selector"]
    return obj
