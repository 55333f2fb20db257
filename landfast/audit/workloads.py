"""What runs containers, as the audit reads it: which image mounts which PVC."""

from collections.abc import Mapping
from typing import Any

from landfast.audit.objects import Metadata, Model, PvcSpec, Resource, Status


class EnvVar(Model):
    """An environment variable; its value is "" if it comes from elsewhere."""

    name: str
    value: str = ""


class VolumeMount(Model):
    name: str


class Container(Model):
    image: str = ""
    env: tuple[EnvVar, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()


class PvcVolume(Model):
    claim_name: str


class PodVolume(Model):
    name: str
    persistent_volume_claim: PvcVolume | None = None


class PodSpec(Model):
    containers: tuple[Container, ...] = ()
    volumes: tuple[PodVolume, ...] = ()


class Pod(Resource):
    spec: PodSpec = PodSpec()
    status: Status = Status()

    @property
    def pod(self) -> PodSpec:
        return self.spec

    @property
    def at_once(self) -> int:
        """How many of it can run at the same time: none once it has ended."""
        return int(self.status.phase not in ("Succeeded", "Failed"))


class PodTemplate(Model):
    spec: PodSpec = PodSpec()


class PvcTemplate(Model):
    metadata: Metadata
    spec: PvcSpec = PvcSpec()


class ControllerSpec(Model):
    replicas: int = 1
    strategy: Mapping[str, Any] = {}
    template: PodTemplate = PodTemplate()
    ordinals: Mapping[str, int] = {}
    volume_claim_templates: tuple[PvcTemplate, ...] = ()


class PodController(Resource):
    """A Deployment, StatefulSet or DaemonSet."""

    spec: ControllerSpec = ControllerSpec()

    @property
    def pod(self) -> PodSpec:
        return self.spec.template.spec

    @property
    def at_once(self) -> int:
        """How many of its pods can run at the same time, including a rolling update's new one."""
        if self.kind == "DaemonSet":
            return 2  # or more: one for each node
        rolling = self.kind == "Deployment" and self.spec.strategy.get("type") != "Recreate"
        return self.spec.replicas + int(rolling and self.spec.replicas > 0)


Workload = Pod | PodController
"""What runs containers."""
