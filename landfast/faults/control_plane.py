"""Faults of the control plane: one of its programs is killed; the kubelet starts it again."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple

from landfast.errors import LandfastError
from landfast.faults.base import Fault, NotProven, Site, prove, register
from landfast.faults.processes import container_of, end_of, processes_of
from landfast.kube.client import Object
from landfast.manifests import load
from landfast.waiting import WaitTimeout, wait_until

_BY_ITSELF_SECONDS = 3
_BACK_SECONDS = 200  # the kubelet lets a program wait 10, 20, 40, 80 s if it ended before
_WORKS_SECONDS = 60
_CLAIMS = 10
_BOUND_SECONDS = 90  # the lock of the dead one runs out after 17 s
_GONE_SECONDS = 60
_LABEL = "landfast/provisioner-kill"
_PREFIX = "killed-"
# no zombie: that is listed until its parent has looked
_FIND = """
pid=$(pgrep --full --oldest --runstates D,I,R,S,T "^$1( |$)") || [ $? = 1 ]
[ -z "$pid" ] || ps -o pid=,lstart= -p "$pid" || true
"""


class _Running(NamedTuple):
    """A process of the control plane's node, and the time of day when it was started."""

    pid: str
    since: str

    def __repr__(self) -> str:
        return f"process {self.pid}, started at {self.since}"


class _ProgramKill(Fault):
    """A program of the control plane is killed."""

    program: ClassVar[str]
    before: _Running | None = None

    def take_aim(self) -> dict[str, str]:
        """Note which process it is."""
        found = self._find()
        return {"killed": found.pid if found else ""}

    def available(self) -> str | None:
        """It runs."""
        return None if self.aim["killed"] else f"{self.program} does not run"

    def _find(self) -> _Running | None:
        """Give the program's process, None if there is none.

        Raises:
            LandfastError: the node cannot be looked into.
        """
        found = self.site.on_node(self.site.control_plane, "sh", "-c", _FIND, "sh", self.program)
        if not found.strip():
            return None
        pid, _day, _month, _date, since, _year = found.split()
        return _Running(pid, since)

    def note(self) -> None:
        """Remember when it was started."""
        self.before = self._find()

    def inject(self) -> None:
        """Kill it."""
        self.site.on_node(self.site.control_plane, "kill", "-KILL", self.aim["killed"])

    def prove_effect(self) -> str:
        """The node has no such process any more; maybe its successor already."""
        now = prove(
            f"process {self.aim['killed']} of {self.program} to be gone",
            self._find,
            until=lambda found: found is None or found.pid != self.aim["killed"],
            timeout=5,
        )
        return f"{self.program} is {now or 'not running'} (before: {self.before})"

    def heal(self) -> None:
        """Let the kubelet not wait, should it do so: a new one starts everything at once."""
        with contextlib.suppress(WaitTimeout):
            wait_until(f"{self.program} to run", self._find, timeout=_BY_ITSELF_SECONDS)
            return
        self.site.on_node(self.site.control_plane, "systemctl", "restart", "kubelet")

    def prove_healed(self) -> str:
        """A process runs, the API server is ready, and what the program is for is done."""
        wait_until(f"{self.program} to run", self._find, timeout=_BACK_SECONDS)
        wait_until(
            f"the API server to be ready with {self.program}",
            self._is_ready,
            timeout=_BACK_SECONDS,
            ignoring=(LandfastError,),
        )
        return f"{self.program} is {self._find()}; the API server is ready{self.try_out()}"

    def try_out(self) -> str:
        """Let the program do what it is for, and say what it did."""
        return ""

    def _is_ready(self) -> bool:
        answer = self.site.on_node(
            *[self.site.control_plane, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"],
            *["get", "--raw", "/readyz", "--request-timeout=5s"],
        )
        return answer.strip() == "ok"


@contextlib.contextmanager
def _made(site: Site, obj: Object) -> Iterator[tuple[str, str, str]]:
    """Have an object on the cluster, and give its kind, name and namespace."""
    named = (obj["kind"], obj["metadata"]["name"], site.stack.namespace)
    site.kube.delete(*named, grace_seconds=0)  # a killed run may have left it
    site.stack.wait_gone(*named)
    try:
        site.stack.make(obj)
        yield named
    finally:
        site.kube.delete(*named, grace_seconds=0)
        site.stack.wait_gone(*named)


@register
class ControllerManagerKill(_ProgramKill):
    """Nothing binds, no node is given up, no pod replaced."""

    name = "controller-manager-kill"
    text = "kube-controller-manager is killed"
    program = "kube-controller-manager"

    def try_out(self) -> str:
        """It observes a ReplicaSet that wants no replica."""
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
                timeout=_WORKS_SECONDS,
            )
        return ", and a new ReplicaSet was observed"


@register
class SchedulerKill(_ProgramKill):
    """No new pod gets a node."""

    name = "scheduler-kill"
    text = "kube-scheduler is killed"
    program = "kube-scheduler"

    def try_out(self) -> str:
        """It finds that no node is fit for a pod."""
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
                timeout=_WORKS_SECONDS,
            )
        return ", and a new pod was looked at"


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
        """Do nothing: the kubelet does.

        A new kubelet would ask an API server that hangs without etcd, for two minutes, before it
        started anything.
        """


@register
class ProvisionerKill(Fault):
    """The provisioner is killed between two volumes that it makes."""

    name = "provisioner-kill"
    text = "the provisioner is killed while it makes volumes"
    container = ""
    bound = 0
    """How many of the claims were bound when the kill was over."""
    begun = 0
    """How many folders had been made by then."""
    found: str | None = None
    """What `heal` found of the claims; None before."""
    wrong: tuple[str, ...] = ()

    def note(self) -> None:
        """Remember which container it runs in."""
        self.container, _ = container_of(self._pod())

    def inject(self) -> None:
        """Ask for volumes and kill the provisioner as soon as the first is there."""
        pod = self._pod()
        node = str(pod["spec"]["nodeName"])
        pid = processes_of(self.site, node, container_of(pod)[0])[0]
        for number in range(_CLAIMS):
            self.site.stack.make(_claim(number))
        wait_until("the first claim to be bound", self._bound, timeout=30, interval=0.02)
        self.site.on_node(node, "kill", "-KILL", str(pid))
        self.bound, self.begun = len(self._bound()), len(self._folders())

    def prove_effect(self) -> str:
        """Its container ended by SIGKILL when some of the claims were bound, and not all."""
        ended = prove(
            f"the provisioner's container {self.container[:12]} to have ended",
            lambda: end_of(self._pod(), self.container),
        )
        if ended["exitCode"] != 137:
            raise NotProven(f"the provisioner ended with exit code {ended['exitCode']}, not 137")
        if not 0 < self.bound < _CLAIMS:
            raise NotProven(f"the provisioner ended when {self.bound} of {_CLAIMS} were bound")
        return (
            f"the provisioner's container {self.container[:12]} ended with exit code 137 "
            f"at {ended['finishedAt']}, when {self.bound} of {_CLAIMS} claims were bound "
            f"and {self.begun} folders made"
        )

    def heal(self) -> None:
        """Wait what becomes of the claims, then remove them, their volumes and folders."""
        self._start_soon()
        self.site.stack.wait_for_provisioner()
        claims = self._claims()
        if claims:
            self.wrong = tuple(self._judge(claims))
            self.found = f"{len(claims)} claims were bound to one folder each, and are gone"
        for claim in claims:
            name = claim["metadata"]["name"]
            self.site.kube.delete("PersistentVolumeClaim", name, self.site.stack.namespace)
        self._wait_gone("claims", self._claims)
        self._wait_gone("volumes", self._volumes)
        for folder in self._folders():  # the class archives them
            self.site.server.inspector.remove(folder)

    def prove_healed(self) -> str:
        """Every claim was bound to one folder, and nothing of them is left.

        Raises:
            WaitTimeout: something is left, or a claim was not bound, or to other than one folder.
        """
        self.site.stack.wait_for_provisioner()
        for what, look in (
            ("claims", self._claims),
            ("volumes", self._volumes),
            ("folders", self._folders),
        ):
            self._wait_gone(what, look)
        if self.wrong:
            raise WaitTimeout("; ".join(self.wrong))
        return f"the provisioner is available; {self.found or 'no claim of the fault is there'}"

    def _start_soon(self) -> None:
        """Replace the pod if the kubelet lets its container wait: it ended before."""
        try:
            wait_until(
                "the provisioner to run",
                self._runs,
                timeout=_BY_ITSELF_SECONDS,
                ignoring=(LandfastError,),
            )
        except WaitTimeout:
            name, namespace = self._pod()["metadata"]["name"], self.site.stack.system_namespace
            self.site.kube.delete("Pod", name, namespace, grace_seconds=0)

    def _runs(self) -> bool:
        """Whether its container has processes: its status says so for a second too long."""
        pod = self._pod()
        node = str(pod["spec"].get("nodeName", ""))
        return bool(processes_of(self.site, node, container_of(pod)[0]))

    def _judge(self, claims: list[Object]) -> Iterator[str]:
        """Wait until all claims are bound, and say what is not as it should be."""
        with contextlib.suppress(WaitTimeout):
            wait_until(
                f"{len(claims)} claims to be bound",
                self._bound,
                until=lambda bound: len(bound) == len(claims),
                timeout=_BOUND_SECONDS,
            )
        folders = [PurePosixPath(path).name for path in self._folders()]
        volumes = {pv["spec"]["claimRef"]["name"]: pv for pv in self._volumes()}
        for claim in self._claims():
            meta = claim["metadata"]
            own = [name for name in folders if f"-{meta['name']}-" in name]
            path = (volumes.get(meta["name"]) or {}).get("spec", {}).get("nfs", {}).get("path", "")
            phase = claim["status"].get("phase")
            if phase != "Bound" or own != [PurePosixPath(path).name]:
                yield f"claim {meta['name']} is {phase}; its volume: {path}; its folders: {own}"

    def _wait_gone(self, what: str, look: Callable[[], list[Any]]) -> None:
        wait_until(
            f"the {what} of {self.name} to be gone",
            look,
            until=lambda left: not left,
            timeout=_GONE_SECONDS,
            describe=lambda left: f"{len(left)} are left",
        )

    def _pod(self) -> Object:
        pods = self.site.kube.list(
            "Pod", self.site.stack.system_namespace, labels="app=nfs-client-provisioner"
        )
        for pod in pods:
            if "deletionTimestamp" not in pod["metadata"]:
                return pod
        raise LandfastError("there is no pod of the provisioner")

    def _claims(self) -> list[Object]:
        namespace = self.site.stack.namespace
        return self.site.kube.list("PersistentVolumeClaim", namespace, labels=_LABEL)

    def _bound(self) -> list[Object]:
        return [claim for claim in self._claims() if claim["status"].get("phase") == "Bound"]

    def _volumes(self) -> list[Object]:
        def claim(volume: Object) -> tuple[str, str]:
            ref = volume["spec"].get("claimRef") or {}
            return ref.get("namespace", ""), ref.get("name", "")

        volumes = self.site.kube.list("PersistentVolume")
        own = self.site.stack.namespace
        return [v for v in volumes if claim(v)[0] == own and claim(v)[1].startswith(_PREFIX)]

    def _folders(self) -> list[str]:
        """Give the claims' folders on the export, archived ones too."""
        own = f"{self.site.stack.namespace}-{_PREFIX}"
        listed = self.site.server.inspector.list(self.site.stack.folder("."), depth=1)
        return [
            p for p in listed if PurePosixPath(p).name.removeprefix("archived-").startswith(own)
        ]


def _claim(number: int) -> Object:
    (obj,) = load("pvc")
    obj["metadata"] = {"name": f"{_PREFIX}{number}", "labels": {_LABEL: "true"}}
    del obj["spec"]["selector"]
    return obj
