"""What runs containers, as the audit reads it: which image mounts which claim."""

from landfast.audit.objects import Metadata, Model, PvcSpec, Resource, Status


class EnvVar(Model):
    """A variable; "" where its value comes from elsewhere."""

    name: str
    value: str = ""


class VolumeMount(Model):
    """Where a container mounts one of its pod's volumes."""

    name: str


class Container(Model):
    """A container."""

    image: str = ""
    env: tuple[EnvVar, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()


class PvcVolume(Model):
    """The PersistentVolumeClaim behind a pod's volume."""

    claim_name: str


class PodVolume(Model):
    """A pod's volume."""

    name: str
    persistent_volume_claim: PvcVolume | None = None


class PodSpec(Model):
    """A pod's `spec`."""

    containers: tuple[Container, ...] = ()
    volumes: tuple[PodVolume, ...] = ()


class Pod(Resource):
    """A Pod."""

    spec: PodSpec = PodSpec()
    status: Status = Status()

    @property
    def pod(self) -> PodSpec:
        """Its containers and volumes."""
        return self.spec

    @property
    def at_once(self) -> int:
        """How many of it may run at one time: none, once it has ended."""
        return int(self.status.phase not in ("Succeeded", "Failed"))


class PodTemplate(Model):
    """A controller's `template`."""

    spec: PodSpec = PodSpec()


class Strategy(Model):
    """How a Deployment replaces its pods."""

    type: str = "RollingUpdate"


class Ordinals(Model):
    """Where a StatefulSet begins to count."""

    start: int = 0


class PvcTemplate(Model):
    """One of a StatefulSet's `volumeClaimTemplates`."""

    metadata: Metadata
    spec: PvcSpec = PvcSpec()


class ControllerSpec(Model):
    """The `spec` of what makes pods."""

    replicas: int = 1
    strategy: Strategy = Strategy()
    template: PodTemplate = PodTemplate()
    ordinals: Ordinals = Ordinals()
    volume_claim_templates: tuple[PvcTemplate, ...] = ()


class Controller(Resource):
    """A Deployment, StatefulSet or DaemonSet."""

    spec: ControllerSpec = ControllerSpec()

    @property
    def pod(self) -> PodSpec:
        """Its pods' containers and volumes."""
        return self.spec.template.spec

    @property
    def at_once(self) -> int:
        """How many of its pods may run at one time, the new one of a rolling update included."""
        if self.kind == "DaemonSet":
            return 2  # as many as there are nodes
        rolling = self.kind == "Deployment" and self.spec.strategy.type != "Recreate"
        return self.spec.replicas + int(rolling and self.spec.replicas > 0)


Workload = Pod | Controller
"""What runs containers."""
