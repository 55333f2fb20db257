"""`landfast job`: the objects with which a run takes place inside the cluster that it judges."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from landfast.cluster.existing_plan import placement_of
from landfast.cluster.rights import manifest
from landfast.errors import BadInput
from landfast.image_names import LANDFAST_IMAGE
from landfast.kube.kubeconfig import IN_CLUSTER
from landfast.kube.placement import Placement
from landfast.kube.request import Object
from landfast.settings import Settings, flag, is_repeated, load_settings, options_of

SONOBUOY_RESULTS = "/tmp/sonobuoy/results"  # noqa: S108 - Sonobuoy's own place in the plugin's pod
_NAME = "landfast"
_SUITES = ("conformance", "smoke", "chaos")
_PODS_OWN = {
    *("cluster", "context", "kubeconfig", "out", "namespace", "plan"),
    *("i_own_this_cluster", "server_stop", "server_start"),
    *("nfs_client", "workers", "nfs_server_kind", "node_image", "nfs_server_image"),
    *("mysql_port", "keep", "list"),
}
"""Settings that say where a run takes place, or need a cluster or a host of its own."""
OPTIONS = Settings.model_fields.keys() - _PODS_OWN
_PROCESSES = 4  # `auto` counts the node's processors, of which the pod has two
_USER = 999
_GRACE_SECONDS = 300  # a run that is stopped removes what it made
_RESOURCES = {
    "requests": {"cpu": "500m", "memory": "512Mi"},
    "limits": {"cpu": "2", "memory": "1536Mi"},
}


@dataclass(frozen=True)
class Job:
    """A run in the cluster: the suite, its options, the image and the namespace.

    Without a namespace of the user's, the objects include one, `landfast`.
    """

    suite: str
    options: tuple[str, ...]
    roles: tuple[str, ...]
    image: str = LANDFAST_IMAGE
    namespace: str | None = None
    placement: Placement = field(default_factory=Placement)
    labels: Mapping[str, str] = field(default_factory=lambda: {"app.kubernetes.io/name": _NAME})

    def objects(self) -> list[Object]:
        """Return the objects in the order of their creation, for `kubectl apply`."""
        space, group = self.namespace or _NAME, "rbac.authorization.k8s.io"
        role, *others = (yaml.safe_load(manifest(name)) for name in self.roles)
        role["metadata"] = {"name": f"{_NAME}-{space}", "labels": dict(self.labels)}  # its own
        role["rules"] += [rule for other in others for rule in other["rules"]]
        account = {"kind": "ServiceAccount", "name": _NAME, "namespace": space}
        found = [] if self.namespace else [self._object("v1", "Namespace", space)]
        return [
            *found,
            self._object("v1", "ServiceAccount", _NAME, space),
            role,
            {
                **self._object(f"{group}/v1", "ClusterRoleBinding", f"{_NAME}-{space}"),
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": f"{_NAME}-{space}"},
                "subjects": [account],
            },
            {
                **self._object("batch/v1", "Job", f"{_NAME}-{self.suite}", space),
                "spec": {"backoffLimit": 0, "template": self._pod()},
            },
        ]

    def _object(self, version: str, kind: str, name: str, space: str | None = None) -> Object:
        meta = {"name": name, "labels": dict(self.labels)}
        meta |= {"namespace": space} if space else {}
        return {"apiVersion": version, "kind": kind, "metadata": meta}

    def _pod(self) -> Object:
        spec: Object = {
            "restartPolicy": "Never",
            "serviceAccountName": _NAME,
            "enableServiceLinks": False,  # a Service `landfast` would look like options
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [self._container("configmaps")],
        }
        self.placement.fit(spec)
        return {"metadata": {"labels": dict(self.labels)}, "spec": spec}

    def _container(self, delivery: str) -> Object:
        return {
            "name": _NAME,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-m", "landfast.in_cluster", delivery, self.suite],
            "args": list(self.options),
            "resources": _RESOURCES,
            "securityContext": {
                "runAsUser": _USER,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        }

    def sonobuoy_plugin(self) -> Object:
        """Return the definition of a Sonobuoy plugin, for `sonobuoy run --plugin`.

        Sonobuoy makes the pod, adds the containers and gives it the rights; the pull secret must be
        in its namespace. Source: Sonobuoy docs, Plugins.
        """
        pod: Object = {
            "restartPolicy": "Never",
            "serviceAccountName": "sonobuoy-serviceaccount",
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "containers": [],
        }
        self.placement.fit(pod)
        results = {"name": "results", "mountPath": SONOBUOY_RESULTS}
        return {
            "sonobuoy-config": {
                "driver": "Job",
                "plugin-name": _NAME,
                "result-format": "junit",
                "result-files": ["junit.xml"],
                "description": "Judges a StorageClass: can it keep a database alive?",
            },
            "podSpec": pod,
            "spec": {
                **self._container("sonobuoy"),
                "name": "plugin",
                "volumeMounts": [results],
            },
        }


def job(
    flags: dict[str, Any],
    suite: str | None,
    namespace: str | None,
    image: str | None,
    sonobuoy: bool,
) -> None:
    """Print the objects that run a suite inside the cluster, for kubectl apply."""
    suite = suite or _SUITES[0]
    if suite not in _SUITES:
        raise BadInput(f"there is no suite {suite}: name one of {', '.join(_SUITES)}")
    if sonobuoy and namespace:
        raise BadInput("--namespace does not go with --sonobuoy, which has a namespace of its own")
    for foreign in sorted(flags.keys() - options_of(suite)):
        raise BadInput(f"{flag(foreign)} is no option of the suite {suite}")
    settings = load_settings({**flags, "cluster": "existing", "context": IN_CLUSTER})
    if settings.writers and image and settings.writer_image == LANDFAST_IMAGE:
        settings = settings.model_copy(update={"writer_image": image})
    roles = ["landfast-full" if settings.nfs_server else "landfast-class"]
    roles += ["landfast-writers"] if settings.writers else []
    options, placement = _options(settings, suite), placement_of(settings)
    made = Job(suite, options, tuple(roles), image or LANDFAST_IMAGE, namespace, placement)
    objects = [made.sonobuoy_plugin()] if sonobuoy else made.objects()
    sys.stdout.write(yaml.safe_dump_all(objects, sort_keys=False))


def _options(settings: Settings, suite: str) -> tuple[str, ...]:
    """Return the options that differ from their defaults, as the pod's command line has them."""
    if suite == "conformance" and settings.processes is None:
        settings = settings.model_copy(update={"processes": str(_PROCESSES)})
    given = {
        name: getattr(settings, name)
        for name, field in Settings.model_fields.items()
        if name in OPTIONS & options_of(suite) and getattr(settings, name) != field.default
    }
    flags = (
        (flag(n), v) for n, value in given.items() for v in (value if is_repeated(n) else [value])
    )
    return tuple(name if value is True else f"{name}={value}" for name, value in flags)
