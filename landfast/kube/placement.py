"""Which nodes a run's pods may go to, and what every pod of it carries."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from pydantic import BaseModel, ConfigDict

from landfast.kube.request import Object, Request
from landfast.kube.status import is_ready

OS, LINUX = "kubernetes.io/os", "linux"
# for containers that say nothing: a quota may refuse them otherwise
_REQUESTS = {"cpu": "10m", "memory": "32Mi"}
_STORAGE = ("persistentVolumeClaim", "ephemeral", "nfs", "csi")  # what mounts on a node
_LIMITS = {"cpu": "1", "memory": "192Mi"}


class Toleration(BaseModel):
    """A toleration: `KEY[=VALUE][:EFFECT]`. Without a value any will do, without an effect each."""

    model_config = ConfigDict(frozen=True)

    key: str
    value: str | None = None
    effect: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a toleration as it is given on the command line."""
        rest, _, effect = text.partition(":")
        key, equals, value = rest.partition("=")
        return cls(key=key, value=value if equals else None, effect=effect or None)

    def tolerates(self, taint: Object) -> bool:
        """Whether pods with it run in spite of a taint. Source: docs, Taints and Tolerations."""
        return (
            self.key == taint["key"]
            and self.value in (None, taint.get("value", ""))
            and self.effect in (None, taint["effect"])
        )

    @property
    def spec(self) -> Object:
        """The toleration as a pod has it."""
        found: Object = {"key": self.key, "operator": "Exists"}
        if self.value is not None:
            found |= {"operator": "Equal", "value": self.value}
        return found | ({"effect": self.effect} if self.effect else {})


class Placement(BaseModel):
    """What a run's pods need on a cluster of others. It is a value: workers get it as JSON."""

    model_config = ConfigDict(frozen=True)

    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    pull_secret: str | None = None

    def takes(self, node: Object) -> bool:
        """Whether the scheduler sends pods of the run to a node: Ready, Linux, without a taint."""
        spec, labels = node["spec"], node["metadata"].get("labels") or {}
        wanted = {OS: LINUX, **self.node_selector}
        return (
            is_ready(node)
            and not spec.get("unschedulable")
            and all(labels.get(key) == value for key, value in wanted.items())
            and all(
                taint["effect"] == "PreferNoSchedule"
                or any(toleration.tolerates(taint) for toleration in self.tolerations)
                for taint in spec.get("taints") or ()
            )
        )

    def stamped(self, request: Request) -> Request | None:
        """Return a request that creates pods with what they need; a guard of `Kube`."""
        body = copy.deepcopy(request.body) if request.verb == "create" else None
        spec = pod_spec(body) if body else None
        if spec is None:
            return None
        self.fit(spec)
        return replace(request, body=body)

    def volumes_placed(self, request: Request) -> Request | None:
        """Return a request that creates pods with volumes with their nodes; a guard of `Kube`."""
        body = copy.deepcopy(request.body) if request.verb == "create" else None
        spec = pod_spec(body) if body else None
        if body is None or spec is None or "nodeName" in spec or not _has_volumes(body, spec):
            return None
        spec["nodeSelector"] = {**self.node_selector, **(spec.get("nodeSelector") or {})}
        return replace(request, body=body)

    def fit(self, spec: Object) -> None:
        """Give a pod's spec what it needs."""
        if "nodeName" not in spec:  # such a pod does not pass the scheduler
            own = spec.get("nodeSelector") or {}
            spec["nodeSelector"] = {OS: LINUX, **self.node_selector, **own}
        if self.tolerations:
            own = spec.get("tolerations") or []
            spec["tolerations"] = [*own, *(toleration.spec for toleration in self.tolerations)]
        if self.pull_secret:
            own = spec.get("imagePullSecrets") or []
            spec["imagePullSecrets"] = [*own, {"name": self.pull_secret}]
        for container in [*spec.get("initContainers", ()), *spec["containers"]]:
            given = container.get("resources") or {}
            limits = given.get("limits", {})
            # without a request of its own, a container requests its limit
            requests = {k: v for k, v in _REQUESTS.items() if k not in limits}
            container["resources"] = {
                **given,
                "requests": {**requests, **given.get("requests", {})},
                "limits": {**_LIMITS, **limits},
            }


def _has_volumes(obj: Object, spec: Object) -> bool:
    return bool(obj["spec"].get("volumeClaimTemplates")) or any(
        source in volume for volume in spec.get("volumes") or () for source in _STORAGE
    )


def pod_spec(obj: Object) -> Object | None:
    """Return the spec of the pod that an object is or makes, or None if it makes none."""
    match obj["kind"]:
        case "Pod":
            found: Object = obj["spec"]
        case "StatefulSet" | "Deployment" | "Job":
            found = obj["spec"]["template"]["spec"]
        case _:
            return None
    return found
