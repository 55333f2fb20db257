"""Faults of MySQL's pod and of its StatefulSet."""

from typing import ClassVar

from landfast.faults.base import Fault, prove, register
from landfast.kube.client import Object
from landfast.waiting import wait_until

_GONE_SECONDS = 60
_LOOP_SECONDS = 60


class _PodGoes(Fault):
    """The pod is removed in one way or another; its StatefulSet makes the next one."""

    stays: ClassVar[bool] = False
    uid = ""

    def note(self) -> None:
        """Remember which pod it is."""
        self.uid = self.site.pod()["metadata"]["uid"]

    def prove_effect(self) -> str:
        """Another pod has its name, or none."""
        pod = prove(
            "another pod mysql-0",
            lambda: self.site.find_pod() or {"metadata": {"uid": "none"}},
            until=lambda pod: pod["metadata"]["uid"] != self.uid,
            timeout=_GONE_SECONDS if self.is_going() else 5,
        )
        return f"pod mysql-0 is {pod['metadata']['uid']}, it was {self.uid}"

    def is_going(self) -> bool:
        """Whether the pod is on its way out: then it may take its grace period."""
        pod = self.site.find_pod()
        return pod is None or "deletionTimestamp" in pod["metadata"]

    def heal(self) -> None:
        """Do nothing: the StatefulSet does."""

    def prove_healed(self) -> str:
        """Its successor runs."""
        return _pod_runs(self)


def _pod_runs(fault: Fault) -> str:
    pod: Object | None = wait_until(
        "pod mysql-0 to run",
        fault.site.find_pod,
        until=lambda pod: (
            pod is not None
            and pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ),
        timeout=_GONE_SECONDS,
        describe=lambda pod: str(pod["status"].get("phase")) if pod else "no such pod",
    )
    assert pod is not None  # noqa: S101 - that was waited for
    return f"pod mysql-0 ({pod['metadata']['uid']}) runs on {pod['spec']['nodeName']}"


@register
class PodDelete(_PodGoes):
    """`kubectl delete pod mysql-0`."""

    name = "pod-delete"
    text = "MySQL's pod is deleted"

    def inject(self) -> None:
        """Delete it, with its grace period."""
        self.site.kube.delete("Pod", "mysql-0", self.site.stack.namespace)


@register
class PodForceDelete(_PodGoes):
    """`kubectl delete pod mysql-0 --force --grace-period=0`."""

    name = "pod-force-delete"
    text = "MySQL's pod is force-deleted"

    def inject(self) -> None:
        """Delete the object at once; the kubelet kills what runs when it notices."""
        self.site.kube.delete("Pod", "mysql-0", self.site.stack.namespace, grace_seconds=0)


@register
class PodEvict(_PodGoes):
    """What `kubectl drain` does to a pod."""

    name = "pod-evict"
    text = "MySQL's pod is evicted"

    def inject(self) -> None:
        """Evict it through the API, as drain and the cluster autoscaler do."""
        self.site.kube.evict("mysql-0", self.site.stack.namespace)


class _SetFault(Fault):
    """Something is done to the StatefulSet."""

    def _set(self) -> Object | None:
        return self.site.kube.find("StatefulSet", "mysql", self.site.stack.namespace)

    def prove_healed(self) -> str:
        """The set's pod runs."""
        return _pod_runs(self)


@register
class StatefulSetRecreate(_SetFault):
    """The StatefulSet goes with its pod, and is made again."""

    name = "statefulset-recreate"
    text = "MySQL's StatefulSet is deleted and created again"

    def inject(self) -> None:
        """Delete it; the garbage collector removes the pod."""
        self.site.kube.delete("StatefulSet", "mysql", self.site.stack.namespace)

    def prove_effect(self) -> str:
        """Neither set nor pod are there."""
        prove("the StatefulSet to be gone", lambda: self._set() is None)
        prove("its pod to be gone", lambda: self.site.find_pod() is None, timeout=_GONE_SECONDS)
        return "there is neither a StatefulSet mysql nor a pod mysql-0"

    def heal(self) -> None:
        """Create it from the manifest, once what is left of it is gone."""
        if self._set() is None:
            for obj in self.site.stack.objects("mysql"):
                if obj["kind"] == "StatefulSet":
                    self.site.kube.create(obj)


@register
class StatefulSetScaleToZero(_SetFault):
    """`kubectl scale statefulset mysql --replicas=0`."""

    name = "statefulset-scale-to-zero"
    text = "MySQL's StatefulSet is scaled to zero and back"

    def take_aim(self) -> dict[str, str]:
        """Note how many replicas there have to be again."""
        found = self.site.kube.get("StatefulSet", "mysql", self.site.stack.namespace)
        return {"replicas": str(found["spec"]["replicas"])}

    def inject(self) -> None:
        """Scale it to zero."""
        self._scale(0)

    def prove_effect(self) -> str:
        """No pod is there, although the set is."""
        prove("no replica to be wanted", lambda: (self._set() or {})["spec"]["replicas"] == 0)
        prove("its pod to be gone", lambda: self.site.find_pod() is None, timeout=_GONE_SECONDS)
        return "StatefulSet mysql wants 0 replicas and has no pod"

    def heal(self) -> None:
        """Scale it back."""
        self._scale(int(self.aim["replicas"]))

    def _scale(self, replicas: int) -> None:
        body = {"spec": {"replicas": replicas}}
        self.site.kube.patch("StatefulSet", "mysql", body, self.site.stack.namespace)


@register
class ImageRestartLoop(_SetFault):
    """A bad release: the new revision's program ends at once, again and again."""

    name = "image-restart-loop"
    text = "MySQL's image is replaced by one that ends at once"

    def inject(self) -> None:
        """Give the set a template whose program fails; it replaces the pod."""
        self._run(self.site.env.images.busybox, ["false"])

    def prove_effect(self) -> str:
        """The pod's container fails and is started again."""

        def look() -> str:
            pod = self.site.find_pod() or {"status": {}}
            (status,) = pod["status"].get("containerStatuses") or [{}]
            waiting = status.get("state", {}).get("waiting") or {}
            return str(waiting.get("reason", ""))

        prove("the new revision", self._is_broken)
        prove("a restart loop", look, until="CrashLoopBackOff".__eq__, timeout=_LOOP_SECONDS)
        return "pod mysql-0 of the new revision is in CrashLoopBackOff"

    def _is_broken(self) -> bool:
        found = self._set() or {}
        (container,) = found["spec"]["template"]["spec"]["containers"]
        return bool(container["image"] == self.site.env.images.busybox)

    def heal(self) -> None:
        """Take the revision back; the set does not replace a pod that was never Ready by itself."""
        was_broken = self._is_broken()
        self._run(self.site.env.images.mysql, None)
        if was_broken:
            self.site.kube.delete("Pod", "mysql-0", self.site.stack.namespace, grace_seconds=0)

    def _run(self, image: str, command: list[str] | None) -> None:
        found = self.site.kube.get("StatefulSet", "mysql", self.site.stack.namespace)
        (container,) = found["spec"]["template"]["spec"]["containers"]
        changed = {**container, "image": image, "command": command}
        body = {"spec": {"template": {"spec": {"containers": [changed]}}}}
        self.site.kube.patch("StatefulSet", "mysql", body, self.site.stack.namespace)
