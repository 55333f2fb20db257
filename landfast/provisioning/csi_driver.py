"""The stand-in for csi-driver-nfs on a cluster that the run made: images, deployment, removal."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from landfast import paths, registry, timeouts
from landfast.environment import Environment
from landfast.errors import BadInput
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.images import ImageBuilder
from landfast.kube.client import Kube, Object
from landfast.kube.pods import StartWatch, obstacle
from landfast.kube.removal import delete, wait_gone
from landfast.progress import Progress
from landfast.provisioning.csi import AS_RELEASED, DRIVER, Options
from landfast.run import RUN_LABEL
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until

NAMESPACE = "csi-nfs"
_ON_EVERY_NODE = ("nfs-csi",)
_ON_CONTROL_PLANE = ("csi-provisioner", "csi-resizer")
_WORKLOADS = (("Deployment", "csi-nfs-controller"), ("DaemonSet", "csi-nfs-node"))


@dataclass(frozen=True)
class CsiDriver:
    """The driver's objects, as they are on one run's cluster.

    Args:
        images: the engine's names of the kit's images, by their names in `manifests/csi`.
        run_id: the value of every object's run label.
        options: the driver's own.
        defect: the mistake to plant in the driver (`kit/csi/cmd/nfs-csi/defects.go`); "" for none.
    """

    images: Mapping[str, str]
    run_id: str
    options: Options = AS_RELEASED
    defect: str = ""

    def objects(self) -> list[Object]:
        """Return the objects, in the order of their creation."""
        files = sorted((paths.MANIFESTS / "csi").glob("*.yaml"))
        return [self._fit(obj) for file in files for obj in yaml.safe_load_all(file.read_text())]

    def _fit(self, obj: Object) -> Object:
        template = obj.get("spec", {}).get("template", {})
        for labelled in (obj, template):
            if meta := labelled.get("metadata"):
                meta["labels"] = {**meta.get("labels", {}), RUN_LABEL: self.run_id}
        for container in template.get("spec", {}).get("containers", ()):
            if container["image"] == "nfs-csi":
                container["args"] = [*container["args"], *self.options.arguments]
            container["image"] = self.images[container["image"]]
            for variable in container.get("env", ()):
                if variable["name"] == "DEFECT":
                    variable["value"] = self.defect
        return obj


@contextlib.contextmanager
def csi_driver(
    env: Environment, progress: Progress, *, options: Options = AS_RELEASED, defect: str = ""
) -> Iterator[CsiDriver]:
    """Have the driver on the run's own cluster while the body runs; build its images if need be.

    The body leaves no volume of the driver behind: without it, none can be unmounted or removed.

    Raises:
        MissingCapability: the cluster is not the run's own, or its images are not the kit's.
        BadInput: the cluster has a driver of this name already.
        PodCannotStart: the cluster does not start one of the driver's pods.
        WaitTimeout: the driver does not become available on every node.
    """
    env.cluster.require("cluster.owned")
    kube = env.cluster.kube
    if env.images.source != "kit":
        raise MissingCapability(
            "csi.driver", "the CSI driver's stand-in comes with the kit's images"
        )
    found = kube.find("CSIDriver", DRIVER)
    if found and RUN_LABEL not in found["metadata"].get("labels", {}):
        raise BadInput(f"{env.cluster.name} has a CSI driver {DRIVER} already: remove it")
    driver = CsiDriver(bring_images(env, progress), env.run_id, options, defect)
    if found:  # a killed run left it on a kept cluster
        _remove(kube, driver)
    try:
        with progress.phase(f"CSI driver {DRIVER}"):
            for obj in driver.objects():
                kube.create(obj)
            wait_until_registered(kube, env.cluster.nodes)
        yield driver
    finally:
        _remove(kube, driver)


def _remove(kube: Kube, driver: CsiDriver) -> None:
    wait_gone(kube, delete(kube, reversed(driver.objects())))


def bring_images(env: Environment, progress: Progress) -> dict[str, str]:
    """Build the driver's images if the engine lacks them, load them into nodes, return them.

    Raises:
        BadInput: the run has no engine of its own.
        ProcessError: one cannot be built, or a node has no room.
    """
    if env.engine is None:
        raise BadInput(f"the CSI driver's images can be brought to no node of {env.cluster.name}")
    with kit_lock(progress):
        builder = ImageBuilder(env.engine, Cache(paths.cache()), progress)
        images = {name: builder.image(name) for name in (*_ON_EVERY_NODE, *_ON_CONTROL_PLANE)}
    with progress.phase("load the CSI driver's images into the nodes"):
        nodes = list(env.cluster.nodes)
        first = [node for node in nodes if node.endswith("-control-plane")]
        registry.load_into_nodes(env.engine, [images[name] for name in _ON_EVERY_NODE], nodes)
        registry.load_into_nodes(env.engine, [images[name] for name in _ON_CONTROL_PLANE], first)
    return images


def wait_until_registered(kube: Kube, nodes: tuple[str, ...]) -> None:
    """Wait until the driver's pods are available and the kubelet of every node knows the driver.

    Raises:
        PodCannotStart: the cluster does not start one of its pods.
        WaitTimeout: the message says what is missing.
    """
    watch = StartWatch()

    def look() -> list[str]:
        missing = [*_unavailable(kube), *_unregistered(kube, nodes)]
        if missing:
            pods = kube.list("Pod", NAMESPACE)
            watch.check(lambda: next(filter(None, map(obstacle, pods)), None))
        return missing

    wait_until(
        f"the CSI driver {DRIVER} to be registered on every node",
        look,
        until=lambda missing: not missing,
        timeout=timeouts.POD_RUNNING,
        describe="; ".join,
    )


def _unavailable(kube: Kube) -> Iterator[str]:
    for kind, name in _WORKLOADS:
        status = kube.get(kind, name, NAMESPACE).get("status") or {}
        available = status.get("availableReplicas", status.get("numberAvailable", 0))
        if available == 0 or available != status.get("desiredNumberScheduled", available):
            yield f"{kind} {name} is not available: {status}"


def _unregistered(kube: Kube, nodes: tuple[str, ...]) -> Iterator[str]:
    known = {node["metadata"]["name"]: _drivers(node) for node in kube.list("CSINode")}
    for name in nodes:
        if DRIVER not in known.get(name, ()):
            yield f"the kubelet of {name} does not know it"


def _drivers(csi_node: Object) -> list[str]:
    return [driver["name"] for driver in csi_node["spec"].get("drivers") or ()]
