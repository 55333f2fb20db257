"""What a pod template says, as the audit reads it: containers, mounts and volumes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import model_validator

from landfast.audit.objects import CsiSource, Metadata, Model, NfsSource, PvcSpec

_OF_MANY_NODES = re.compile(r"(beta\.)?kubernetes\.io/(os|arch)")
_PER_POD = ("metadata.name", "metadata.uid", "status.podIP", "status.podIPs")


class FieldRef(Model):
    field_path: str = ""


class ValueFrom(Model):
    field_ref: FieldRef = FieldRef()
    secret_key_ref: Mapping[str, Any] | None = None
    config_map_key_ref: Mapping[str, Any] | None = None


class EnvVar(Model):
    """An environment variable; its value is "" if it comes from elsewhere."""

    name: str
    value: str = ""
    value_from: ValueFrom = ValueFrom()

    @property
    def differs(self) -> bool:
        """Whether each pod has another value."""
        return self.value_from.field_ref.field_path in _PER_POD

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether its value is in a Secret or a ConfigMap."""
        source = self.value_from
        return source.secret_key_ref is not None or source.config_map_key_ref is not None


class VolumeMount(Model):
    name: str
    mount_path: str = ""
    sub_path: str = ""
    sub_path_expr: str = ""
    read_only: bool = False


class VolumeDevice(Model):
    """A volume that a container has as a block device."""

    name: str


class Port(Model):
    container_port: int = 0
    name: str = ""


class SecurityContext(Model):
    """Of a container or of a pod, whichever has the field."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    privileged: bool = False
    fs_group: int | None = None
    fs_group_change_policy: str = ""


class Container(Model):
    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    ports: tuple[Port, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    security_context: SecurityContext = SecurityContext()
    liveness_probe: Mapping[str, Any] | None = None
    readiness_probe: Mapping[str, Any] | None = None
    startup_probe: Mapping[str, Any] | None = None
    lifecycle: Mapping[str, Any] | None = None
    restart_policy: str = ""

    @property
    def volume_names(self) -> list[str]:
        """The names of the volumes that it mounts, or has as a device."""
        return [m.name for m in self.volume_mounts] + [d.name for d in self.volume_devices]

    def env_value(self, name: str) -> str:
        """Return the value of a variable; "" if there is none, or if it comes from elsewhere."""
        return next((v.value for v in self.env if v.name == name), "")


class PvcVolume(Model):
    claim_name: str
    read_only: bool = False


class PvcTemplate(Model):
    """A PVC that is made for each pod."""

    metadata: Metadata
    spec: PvcSpec = PvcSpec()


class AnonymousTemplate(Model):
    """A PVC that is made for each pod, and named after pod and volume."""

    spec: PvcSpec = PvcSpec()


class EphemeralVolume(Model):
    volume_claim_template: AnonymousTemplate | None = None


class HostPath(Model):
    path: str = ""


class PodVolume(Model):
    name: str
    persistent_volume_claim: PvcVolume | None = None
    nfs: NfsSource | None = None
    csi: CsiSource | None = None
    ephemeral: EphemeralVolume | None = None
    host_path: HostPath | None = None
    source: str = "emptyDir"
    """the name of the field that says what it is: `nfs`, `emptyDir`, `configMap` …"""

    @model_validator(mode="before")
    @classmethod
    def _with_source(cls, given: Any) -> Any:
        if isinstance(given, dict):
            found = next((key for key in given if key != "name"), "emptyDir")
            return {**given, "source": found}
        return given


class NodeAffinity(Model):
    required_during_scheduling_ignored_during_execution: Mapping[str, Any] = {}


class Affinity(Model):
    node_affinity: NodeAffinity = NodeAffinity()


class PodSpec(Model):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[PodVolume, ...] = ()
    termination_grace_period_seconds: int | None = None
    security_context: SecurityContext = SecurityContext()
    restart_policy: str = "Always"
    node_name: str = ""
    node_selector: Mapping[str, str] = {}
    affinity: Affinity = Affinity()

    @property
    def all_containers(self) -> Iterator[Container]:
        """Every container, those of initialization first."""
        yield from self.init_containers
        yield from self.containers

    @property
    def pinned(self) -> bool:
        """Whether it says on which nodes it may run, by more than their operating system."""
        selected = any(not _OF_MANY_NODES.fullmatch(key) for key in self.node_selector)
        wanted = self.affinity.node_affinity.required_during_scheduling_ignored_during_execution
        return bool(self.node_name or selected or wanted)

    @property
    def partial(self) -> bool:
        """Whether no container has an image, as in a patch."""
        return not any(container.image for container in self.containers)


class PodTemplateMetadata(Model):
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class PodTemplate(Model):
    metadata: PodTemplateMetadata = PodTemplateMetadata()
    spec: PodSpec = PodSpec()
