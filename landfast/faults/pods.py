"""Faults of MySQL's pod and of its StatefulSet."""

from typing import Any

from landfast import timeouts
from landfast.errors import LandfastError
from landfast.faults.base import Lasting, Momentary, Site, main_status, prove, register
from landfast.kube.client import Object
from landfast.waiting import wait_until


def _set_of(site: Site) -> Object | None:
    return site.kube.find("StatefulSet", "mysql", site.stack.namespace)


def _pod_uid(site: Site) -> str:
    pod = site.find_pod()
    return str(pod["metadata"]["uid"]) if pod else "none"


def _is_observed(wanted: Object) -> bool:
    """Whether the controller has acted on the newest change of an object."""
    seen = wanted.get("status", {}).get("observedGeneration")
    return bool(seen == wanted["metadata"]["generation"])


def _what_is_missing(site: Site) -> str:
    """Return why MySQL's pod is not the one that its set wants, or does not run; else "".

    A pod in a restart loop is Running as well, so its container's state counts.
    """
    wanted, pod = _set_of(site), site.find_pod()
    if wanted is None or pod is None:
        return f"no {'pod mysql-0' if wanted else 'StatefulSet mysql'}"
    if not _is_observed(wanted) or wanted["spec"]["replicas"] != 1:
        return f"StatefulSet mysql wants {wanted['spec']['replicas']}: {wanted.get('status')}"
    if "deletionTimestamp" in pod["metadata"]:
        return "pod mysql-0 is being deleted"
    revision = pod["metadata"]["labels"].get("controller-revision-hash")
    if revision != wanted["status"].get("updateRevision"):
        return f"pod mysql-0 has the revision {revision}"
    state = main_status(pod).get("state") or {"waiting": {}}
    return "" if "running" in state else f"its container is {state}"


def _pod_runs(site: Site) -> str:
    """Wait until MySQL's pod is the one that its set wants, and runs; return that as a sentence."""
    wait_until(
        "pod mysql-0 to run as its StatefulSet wants it",
        lambda: _what_is_missing(site),
        until=lambda missing: not missing,
        timeout=timeouts.POD_RUNNING,
        ignoring=(LandfastError,),
        describe=str,
    )
    pod = site.pod()
    since = pod["status"]["startTime"]
    return (
        f"pod mysql-0 ({pod['metadata']['uid']}) runs on {pod['spec']['nodeName']}, since {since}"
    )


class _PodGoes(Momentary):
    """The pod is removed in one way or another; its StatefulSet makes the next one."""

    reach = "namespace"
    uid = ""

    def note(self) -> None:
        self.uid = self.site.pod()["metadata"]["uid"]

    def prove_effect(self) -> str:
        now = prove(
            f"pod mysql-0 ({self.uid}) to be gone",
            lambda: _pod_uid(self.site),
            until=lambda uid: uid != self.uid,
            timeout=timeouts.GONE if self._is_going() else timeouts.EFFECT,
        )
        return f"pod mysql-0 ({self.uid}) is gone; its successor: {now}"

    def _is_going(self) -> bool:
        """Whether the pod is being deleted: then it may take its grace period."""
        pod = self.site.find_pod()
        return pod is None or "deletionTimestamp" in pod["metadata"]

    def heal(self) -> None:
        """Do nothing: the StatefulSet does."""

    def prove_healed(self) -> str:
        return _pod_runs(self.site)


@register
class PodDelete(_PodGoes):
    """`kubectl delete pod mysql-0`."""

    name = "pod-delete"
    text = "MySQL's pod is deleted"

    def inject(self) -> None:
        self.site.delete_pod()


@register
class PodForceDelete(_PodGoes):
    """`kubectl delete pod mysql-0 --force --grace-period=0`."""

    name = "pod-force-delete"
    text = "MySQL's pod is force-deleted"

    def inject(self) -> None:
        """Delete the object at once; the kubelet kills its processes once it notices."""
        self.site.delete_pod(grace_seconds=0)


@register
class PodEvict(_PodGoes):
    """What `kubectl drain` does to a pod."""

    name = "pod-evict"
    text = "MySQL's pod is evicted"

    def inject(self) -> None:
        self.site.kube.evict("mysql-0", self.site.stack.namespace)


class _SetFault(Lasting):
    """A change to the StatefulSet."""

    reach = "namespace"

    def _spec(self) -> Object:
        """Return the spec of the set, empty if there is no set."""
        return dict((_set_of(self.site) or {}).get("spec", {}))

    def _patch(self, spec: Object) -> None:
        body = {"spec": spec}
        self.site.kube.patch("StatefulSet", "mysql", body, self.site.stack.namespace)

    def _prove_no_pod(self) -> None:
        prove(
            "pod mysql-0 to be gone",
            lambda: _pod_uid(self.site),
            until="none".__eq__,
            timeout=timeouts.GONE,
        )

    def prove_healed(self) -> str:
        return _pod_runs(self.site)


@register
class StatefulSetRecreate(_SetFault):
    name = "statefulset-recreate"
    text = "MySQL's StatefulSet is deleted and created again"

    def inject(self) -> None:
        """Delete it; the garbage collector removes the pod."""
        self.site.kube.delete("StatefulSet", "mysql", self.site.stack.namespace)

    def prove_effect(self) -> str:
        prove("StatefulSet mysql to be gone", self.still_there)
        self._prove_no_pod()
        return "there is neither a StatefulSet mysql nor a pod mysql-0"

    def still_there(self) -> bool:
        return _set_of(self.site) is None

    def heal(self) -> None:
        found = _set_of(self.site)
        if found and "deletionTimestamp" not in found["metadata"]:
            return
        self.site.stack.wait_gone("StatefulSet", "mysql", self.site.stack.namespace)
        self.site.kube.create(_manifest(self.site))


@register
class StatefulSetScaleToZero(_SetFault):
    name = "statefulset-scale-to-zero"
    text = "MySQL's StatefulSet is scaled to zero and back"

    def take_aim(self) -> dict[str, str]:
        return {"replicas": str(self._spec()["replicas"])}

    def inject(self) -> None:
        self._patch({"replicas": 0})

    def prove_effect(self) -> str:
        prove("no replica to be wanted", self.still_there)
        self._prove_no_pod()
        return f"StatefulSet mysql wants 0 replicas (before: {self.aim['replicas']}), has no pod"

    def still_there(self) -> bool:
        return self._spec().get("replicas") == 0

    def heal(self) -> None:
        self._patch({"replicas": int(self.aim["replicas"])})


@register
class ImageRestartLoop(_SetFault):
    """A bad release: the new revision's program ends at once, again and again."""

    name = "image-restart-loop"
    text = "MySQL's image is replaced by one that ends at once"

    def take_aim(self) -> dict[str, str]:
        return {"image": self._container()["image"]}

    def inject(self) -> None:
        """Change the set's template to a program that fails; the set replaces the pod."""
        self._run(self.site.env.images.busybox, ["false"])

    def prove_effect(self) -> str:
        prove("another image in StatefulSet mysql", self.still_there)
        status = prove(
            "pod mysql-0 of the new revision in a restart loop",
            self._loop,
            until=lambda status: status.get("waiting") == "CrashLoopBackOff",
            timeout=timeouts.TAKEOVER,
        )
        return (
            f"pod mysql-0 of the new revision is in {status['waiting']}: "
            f"ended with exit code {status['exit code']}, restarted {status['restarts']} times"
        )

    def still_there(self) -> bool:
        return self._is_broken(self._spec_of_pods())

    def heal(self) -> None:
        """Roll the release back.

        Not every StatefulSet controller replaces a pod that was never Ready (1.37's does). So the
        pod is deleted once the controller has observed the old revision and makes no new one.
        """
        container, *_ = _manifest(self.site)["spec"]["template"]["spec"]["containers"]
        self._run(self.aim["image"], container.get("command"))
        wait_until(
            "StatefulSet mysql to be observed",
            lambda: _is_observed(_set_of(self.site) or {"metadata": {"generation": 0}}),
            timeout=timeouts.CONTROLLER_OBSERVES,
        )
        pod = self.site.find_pod()
        if pod and self._is_broken(pod["spec"]):
            self.site.delete_pod(grace_seconds=0)

    def _spec_of_pods(self) -> Object:
        return dict(self._spec()["template"]["spec"])

    def _container(self) -> Object:
        container, *_ = self._spec_of_pods()["containers"]
        return dict(container)

    def _run(self, image: str, command: list[str] | None) -> None:
        changed = {**self._container(), "image": image, "command": command}
        _, *others = self._spec_of_pods()["containers"]
        self._patch({"template": {"spec": {"containers": [changed, *others]}}})

    def _is_broken(self, spec: Object) -> bool:
        container, *_ = spec["containers"]
        return bool(container["image"] != self.aim["image"])

    def _loop(self) -> dict[str, Any]:
        """Return what a pod of the new revision does, empty if there is none."""
        pod = self.site.find_pod()
        if pod is None or not self._is_broken(pod["spec"]):
            return {}
        status = main_status(pod)
        return {
            "waiting": (status.get("state", {}).get("waiting") or {}).get("reason"),
            "exit code": (status.get("lastState", {}).get("terminated") or {}).get("exitCode"),
            "restarts": status.get("restartCount"),
        }


def _manifest(site: Site) -> Object:
    return next(obj for obj in site.stack.objects("mysql") if obj["kind"] == "StatefulSet")
