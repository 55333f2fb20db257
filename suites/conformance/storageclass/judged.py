"""A namespace with volumes of the class that is judged, and pods that use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from landfast import timeouts
from landfast.kube.client import Object
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.subject import Subject, on_export, resolve
from suites.objects import SLEEP, of_pvc, on_node, pod, pvc, shell, workers

MYSQL = 999
"""The user and group of MySQL's image."""
_SIZE = "16Mi"


@dataclass(frozen=True)
class Judged:
    """The class under test, with a namespace for its volumes.

    `given` is the class of `--storage-class`; None is one of the stack's own, which the first
    volume creates: a sabotage may still change it.
    """

    stack: Stack
    steps: Steps
    given: Subject | None

    @cached_property
    def subject(self) -> Subject:
        """The class as the cluster has it."""
        if self.given is not None:
            return self.given
        self.stack.create("storageclass")
        return resolve(self.stack.kube, self.stack.storage_class)

    def volume(self, name: str = "data", *, size: str = _SIZE, mode: str = "ReadWriteMany") -> None:
        """Create a PVC of the class; wait until it is bound, unless it waits for a pod."""
        with self.steps.step(f"create PVC {name} of the class"):
            self.create_pvc(name, size=size, mode=mode)
            if not self.subject.waits:
                self.stack.wait_for_pvc(name)

    def create_pvc(self, name: str, *, size: str = _SIZE, mode: str = "ReadWriteMany") -> None:
        """Create a PVC of the class."""
        _ = self.subject  # its own class first
        wanted = pvc(name, accessModes=[mode], resources={"requests": {"storage": size}})
        self.stack.make(wanted)

    def run(
        self,
        name: str,
        argv: Sequence[str] = SLEEP,
        *,
        pvc_name: str = "data",
        uid: int = MYSQL,
        **spec: Any,
    ) -> Object:
        """Run a pod with a PVC mounted at /nfs, and return the pod once it runs."""
        self.make_pod(name, argv, pvc_name=pvc_name, uid=uid, **spec)
        return self.stack.wait_for_pod(name, "Running")

    def make_pod(
        self, name: str, argv: Sequence[str] = SLEEP, *, pvc_name: str, uid: int, **spec: Any
    ) -> None:
        """Create a pod with a PVC mounted at /nfs."""
        obj = pod(name, argv, volume=of_pvc(pvc_name), uid=uid, **spec)
        obj["spec"]["securityContext"]["fsGroup"] = uid
        self.stack.make(obj)

    def say(self, pod_name: str, script: str) -> str:
        """Run a script in a pod, in its volume, and return what it printed.

        That includes its errors and, if it failed, a last line with its exit code.
        """
        argv = shell(f"(cd /nfs; {script}) 2>&1 || echo exit code $?")
        return self.stack.kube.execute(self.stack.namespace, pod_name, argv).strip()

    def pv_of(self, name: str, *, timeout: float = timeouts.BIND) -> Object:
        """Wait until a PVC is Bound, and return its PV."""
        bound = self.stack.wait_for_pvc(name, timeout=timeout)
        return self.stack.kube.get("PersistentVolume", bound["spec"]["volumeName"])

    def phase(self, kind: str, name: str) -> str:
        """Return the phase of a PV, a PVC or a pod; "gone" if there is none."""
        namespace = None if kind == "PersistentVolume" else self.stack.namespace
        found = self.stack.kube.find(kind, name, namespace)
        return "gone" if found is None else str(found["status"]["phase"])

    @property
    def on_delete(self) -> str:
        """The class's parameter `onDelete`, in lower case; "" if it has none."""
        given = {key.lower(): value for key, value in self.subject.parameters.items()}
        return given.get("ondelete", "").lower()

    def directory(self, pv: Object) -> str | None:
        """Return a volume's directory on the export that the run sees, or None."""
        return on_export(pv, self.stack.env.export)

    def pods_on_two_nodes(self) -> tuple[str, str]:
        """Run a pod on each of two nodes, `here` and `there`, and return their names.

        Raises:
            MissingCapability: the cluster does not have two nodes for pods.
        """
        for name, node in zip(("here", "there"), workers(self.stack), strict=True):
            with self.steps.step(f"run pod {name} on {node}"):
                self.run(name, **on_node(node))
        return "here", "there"
