"""A way onto one node of a cluster of others: a privileged pod, and a timer of the node's own."""

from dataclasses import dataclass

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.kube.client import Kube, KubeError, Object
from landfast.kube.pods import StartWatch, obstacle, summary, wait_for_service_account
from landfast.kube.status import is_ready
from landfast.manifests import namespace
from landfast.run import RUN_LABEL
from landfast.timeouts import patient
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

_POD = "node-hand"
_PRIVILEGED = "pod-security.kubernetes.io/enforce"
_ANSWER_SECONDS = 5
_FORBIDDEN = 403
# The pod brings no program but nsenter: all others are the node's own.
_ENTER = ("nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--")
_SHELL = "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C; "
_ROLES = tuple(f"node-role.kubernetes.io/{r}" for r in ("control-plane", "master", "etcd"))
_KEEPS_AWAY = ("NoSchedule", "NoExecute")
# systemd's own accuracy is a minute. What fails, the API server out of reach, is done again.
_ARM = """
systemd-run --quiet --collect --unit="$1" --on-active="$2" --timer-property=AccuracySec=100ms \
    --property=Restart=on-failure --property=RestartSec=5s /bin/sh -c "$3"
systemctl is-active --quiet "$1.timer"
"""
_DISARM = 'systemctl stop "$1.timer" "$1.service" 2>/dev/null; ! systemctl is-active -q "$1.timer"'


@dataclass(frozen=True)
class NodeHand:
    """Enters one node at a time through one privileged pod, in a namespace of its own.

    The pod is made when it is needed. It goes with the run's namespaces.
    """

    kube: Kube
    run_id: str
    image: str

    @property
    def namespace(self) -> str:
        """The namespace of the pod; PodSecurity lets it be privileged there, and nowhere else."""
        return f"landfast-{self.run_id}-node"

    def reach(self, node: str) -> None:
        """Have the pod on a node, and on no other.

        Raises:
            MissingCapability: the node must not be broken, or cannot be entered, or the cluster
                admits no privileged pod.
            WaitTimeout: the pod does not start.
        """
        require_spare(self.kube.list("Node"), node)
        self._make_namespace()
        if self._find() not in (None, node):
            self.kube.delete("Pod", _POD, self.namespace, grace_seconds=0)
            wait_until(
                "the pod on the node before to be gone",
                self._find,
                until=lambda found: found is None,
                timeout=timeouts.GONE,
            )
        if self._find() is None:
            self._create(node)
        watch = StartWatch()

        def look() -> Object:
            pod = self.kube.get("Pod", _POD, self.namespace)
            if not is_ready(pod):
                watch.check(lambda: obstacle(pod))
            return pod

        wait_until(
            f"the pod on {node}",
            look,
            until=is_ready,
            timeout=timeouts.POD_RUNNING,
            describe=summary,
        )
        try:
            self.run(node, "systemctl", "--version")
        except LandfastError as error:
            raise MissingCapability(
                "node.timer", f"{node} has no shell and systemd that a pod can enter: {error}"
            ) from error

    def run(self, node: str, *argv: str, check: bool = True) -> str:
        """Run a program as on a node, and return its output; without `check`, also if it fails.

        Raises:
            LandfastError: the pod is not on this node, the node's kubelet does not answer, or the
                program failed.
        """
        if (found := self._find()) != node:
            raise LandfastError(f"the pod that enters nodes is on {found}, not on {node}")
        script = f'{_SHELL}"$@"' if check else f'{_SHELL}"$@" || true'
        asked = [*_ENTER, "/bin/sh", "-c", script, "sh", *argv]
        return self.kube.execute(self.namespace, _POD, asked)

    def answers(self, node: str) -> bool:
        """Whether a node's kubelet lets a program run in the pod."""
        try:
            self.kube.execute(self.namespace, _POD, ["true"], timeout=_ANSWER_SECONDS)
        except LandfastError:
            return False
        return self._find() == node

    def arm(self, node: str, unit: str, seconds: float, undo: str) -> None:
        """Have the node's systemd run a shell line in some seconds, whatever becomes of us.

        The line is run again until it succeeds. It needs neither Landfast nor, to begin, a network.

        Raises:
            LandfastError: the timer does not run.
        """
        self.disarm(node, unit)
        late = f"{patient(seconds):.0f}s"
        self.run(node, "/bin/sh", "-ec", _ARM, "sh", unit, late, f"{_SHELL}{undo}")

    def disarm(self, node: str, unit: str) -> None:
        """Stop the timer, if there is one.

        Raises:
            LandfastError: it still runs.
        """
        self.run(node, "/bin/sh", "-c", _DISARM, "sh", unit)

    def _find(self) -> str | None:
        """Return the node that the pod is on, or None if there is no pod."""
        pod = self.kube.find("Pod", _POD, self.namespace)
        return str(pod["spec"].get("nodeName", "")) if pod else None

    def _make_namespace(self) -> None:
        if self.kube.find("Namespace", self.namespace) is None:
            labels = {RUN_LABEL: self.run_id, _PRIVILEGED: "privileged"}
            self.kube.create(namespace(self.namespace, labels))
            wait_for_service_account(self.kube, self.namespace)

    def _create(self, node: str) -> None:
        try:
            self.kube.create(self._pod(node))
        except KubeError as error:
            if error.code != _FORBIDDEN:
                raise
            raise MissingCapability("pods.privileged", error.message) from error

    def _pod(self, node: str) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": _POD,
                "namespace": self.namespace,
                "labels": {RUN_LABEL: self.run_id},
            },
            "spec": {
                "nodeName": node,
                "hostPID": True,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "tolerations": [{"operator": "Exists"}],  # it stays while the node is in trouble
                "containers": [
                    {
                        "name": "hand",
                        "image": self.image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["sleep", "2147483647"],
                        "securityContext": {"privileged": True, "runAsUser": 0},
                        "resources": {
                            "requests": {"cpu": "10m", "memory": "32Mi"},
                            "limits": {"cpu": "1", "memory": "128Mi"},
                        },
                    }
                ],
            },
        }


def require_spare(nodes: list[Object], name: str) -> None:
    """Check that a cluster can do without a node for a while.

    Raises:
        MissingCapability: the node holds the control plane, or no other node takes pods.
    """
    (node,) = (found for found in nodes if found["metadata"]["name"] == name)
    labels = node["metadata"].get("labels") or {}
    if any(role in labels for role in _ROLES):
        raise MissingCapability("node.spare", f"{name}, MySQL's node, holds the control plane")
    if not any(_takes_pods(found) for found in nodes if found is not node):
        raise MissingCapability("node.spare", f"{name}, MySQL's node, is the only one for pods")


def _takes_pods(node: Object) -> bool:
    taints = node["spec"].get("taints") or []
    labels = node["metadata"].get("labels") or {}
    return (
        is_ready(node)
        and not node["spec"].get("unschedulable")
        and not any(taint["effect"] in _KEEPS_AWAY for taint in taints)
        and labels.get("kubernetes.io/os", "linux") == "linux"
    )
