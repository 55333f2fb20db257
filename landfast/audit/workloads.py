"""What runs pods: one model for every kind that carries a pod template."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landfast.audit.objects import Model, PvcObject, Resource, Status
from landfast.audit.place import Path
from landfast.audit.pods import Container, PodSpec, PodTemplate, PvcTemplate

_MOST = 1_000  # ordinals that are told apart: the rules find nothing new in those after them


@dataclass(frozen=True)
class Shape:
    """Where a kind has what: the pod template, and what says how many pods there are."""

    template: Path
    spec: Path = ("spec",)


_IN_SPEC = Shape(("spec", "template"))
SHAPES: Mapping[tuple[str, str], Shape] = {
    ("", "Pod"): Shape(()),
    ("", "PodTemplate"): Shape(("template",)),
    ("", "ReplicationController"): _IN_SPEC,
    **{
        (group, kind): _IN_SPEC
        for group in ("apps", "extensions")
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    },
    ("batch", "Job"): _IN_SPEC,
    ("batch", "CronJob"): Shape(
        ("spec", "jobTemplate", "spec", "template"), ("spec", "jobTemplate", "spec")
    ),
    ("", "DeploymentConfig"): _IN_SPEC,  # of OpenShift, before it had groups
    ("apps.openshift.io", "DeploymentConfig"): _IN_SPEC,
    ("argoproj.io", "Rollout"): _IN_SPEC,
    ("serving.knative.dev", "Service"): _IN_SPEC,
    ("apps.kruise.io", "CloneSet"): _IN_SPEC,
    ("apps.kruise.io", "StatefulSet"): _IN_SPEC,
    ("apps.kruise.io", "DaemonSet"): _IN_SPEC,
}
"""Every kind that carries a pod template, by group and kind, in all its versions."""


class Ordinals(Model):
    start: int = 0


class Retention(Model):
    """What becomes of a StatefulSet's PVCs."""

    when_deleted: str = "Retain"
    when_scaled: str = "Retain"


class ControllerSpec(Model):
    """How many pods there are; of each field, the kinds that have it read it."""

    replicas: int = 1
    parallelism: int = 1
    strategy: Mapping[str, Any] = {}
    update_strategy: Mapping[str, Any] = {}
    ordinals: Ordinals = Ordinals()
    selector: Mapping[str, Any] = {}
    pod_management_policy: str = "OrderedReady"
    volume_claim_templates: tuple[PvcTemplate, ...] = ()
    persistent_volume_claim_retention_policy: Retention = Retention()


class Workload(Resource):
    """What runs pods from a template, of whatever kind; an operator's cluster, too.

    Attributes:
        spec: how many pods there are, and the PVCs that each pod has of its own.
        template: labels of the pods, containers and volumes.
        template_at: where the template is in the object.
        claims_at: where the templates of PVCs are in the object.
        part: which part of an operator's object it is, such as a set of nodes; else "".
        engine: what an operator runs, as the name of an image; else "".
        claim_names: how an operator names PVCs; else as a StatefulSet does.
        without_backup: the fields of an operator's object of which none asks for backups.
    """

    status: Status = Status()
    spec: ControllerSpec = ControllerSpec()
    template: PodTemplate = PodTemplate()
    template_at: Path = ()
    claims_at: Path = ("spec", "volumeClaimTemplates")
    concurrent: bool = False
    part: str = ""
    engine: str = ""
    claim_names: str = "{template}-{name}-{ordinal}"
    first_ordinal: int = 0
    without_backup: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        return self.pod.partial

    @property
    def pod(self) -> PodSpec:
        return self.template.spec

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its pods."""
        return self.template.metadata.labels

    def container_at(self, container: Container) -> Path:
        """Return where a container of it is in the object."""
        spec = (*self.template_at, "spec")
        for field, found in (
            ("containers", self.pod.containers),
            ("initContainers", self.pod.init_containers),
        ):
            for number, one in enumerate(found):
                if one is container:
                    return (*spec, field, number)
        return spec

    @property
    def replicas(self) -> int:
        """How many pods it has while nothing changes; 2, or more, for one on each node."""
        match self.kind:
            case "Pod":
                return int(self.status.phase not in ("Succeeded", "Failed"))
            case "DaemonSet" | "Service":  # Knative scales as it likes
                return 2
            case "Job" | "CronJob":
                return max(0, self.spec.parallelism)
            case "PodTemplate":
                return 1
        return max(0, self.spec.replicas)

    @property
    def surge(self) -> int:
        """How many pods of the next version run beside the old ones during an update.

        With `maxSurge: 0` it is one all the same: an old pod that is still shutting down does not
        count, so the new one starts beside it.
        """
        if self.kind == "CronJob":
            return self.replicas if self.concurrent else 0
        rolling = self._rolling
        if rolling is None or not self.replicas:
            return 0
        return _share(rolling.get("maxSurge", "25%"), self.replicas)

    @property
    def _rolling(self) -> Mapping[str, Any] | None:
        """The settings of its rolling updates; None if new pods wait for old ones to go."""
        field = {"Deployment": "rollingUpdate", "DeploymentConfig": "rollingParams"}.get(self.kind)
        if self.kind == "Rollout":
            field = "canary"
        if field is None or self.spec.strategy.get("type") == "Recreate":
            return None
        found = self.spec.strategy.get(field)
        return found if isinstance(found, dict) else {}

    @property
    def at_once(self) -> int:
        """How many of its pods can run at the same time; `why_several` says why."""
        return self.replicas + self.surge

    @property
    def why_several(self) -> str:
        """Why more than one of its pods can run at the same time, in words; "" if only one can."""
        if self.at_once < 2:
            return ""
        match self.kind:
            case "DaemonSet":
                return "it runs one on each node"
            case "Service":
                return "it is scaled with the requests"
            case "CronJob" if self.concurrent:
                return "a run starts while the last one still runs (concurrencyPolicy Allow)"
            case "Job" | "CronJob":
                return f"parallelism is {self.replicas}"
        said = f"replicas is {self.replicas}"
        if not self.surge:
            return said
        rolling = "a rolling update starts the new pod before the old one is gone"
        return rolling if self.replicas < 2 else f"{said}, and {rolling}"

    @property
    def ordinals(self) -> range:
        """The numbers of its pods, of very many only the first."""
        first = self.first_ordinal or self.spec.ordinals.start
        return range(first, first + min(self.replicas, _MOST))

    def pvc_names(self, template: str) -> list[str]:
        """Return the names of the PVCs that are made from a template."""
        return [
            self.claim_names.format(template=template, name=self.name, ordinal=ordinal)
            for ordinal in self.ordinals
        ]

    def made_pvcs(self) -> "list[tuple[str, PvcObject]]":
        """Return the PVCs that are made for its pods, each with the name of its template."""
        return [
            (
                template.metadata.name,
                PvcObject(
                    kind="PersistentVolumeClaim",
                    metadata=template.metadata.model_copy(
                        update={"name": name, "namespace": self.namespace}
                    ),
                    spec=template.spec,
                    place=self.place.at((*self.claims_at, number)),
                    made_by=f"{self.title} {template.metadata.name}",
                ),
            )
            for number, template in enumerate(self.spec.volume_claim_templates)
            for name in self.pvc_names(template.metadata.name)
        ]


def _share(asked: Any, replicas: int) -> int:
    """Return a number of pods that may be a share of the replicas, rounded up; at least 1."""
    text = str(asked).strip().removesuffix("%")
    if not text.isdecimal() or len(text) > 9:
        return 1
    share = int(text) if not str(asked).strip().endswith("%") else int(text) * replicas / 100
    return max(1, min(math.ceil(share), replicas))
