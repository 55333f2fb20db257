"""Whether the nodes get a run's images, asked before its first test: a pod on each node."""

from collections.abc import Sequence

from landfast import timeouts
from landfast.cluster.fence import FencedKube
from landfast.errors import BadInput
from landfast.kube import KubeError, Object
from landfast.kube.pods import Obstacle, StartWatch, obstacle, summary, wait_for_service_account
from landfast.kube.quota import QuotaExceeded
from landfast.kube.restricted import restricted
from landfast.parallel import side_by_side
from landfast.run import RUN_LABEL
from landfast.verdict import Unknown
from landfast.waiting import WaitTimeout, wait_until

_NAME = "images"
_USER = 65534
_LITTLE = {"cpu": "10m", "memory": "16Mi"}
_BEFORE_PULLED = ("ContainerCreating", "PodInitializing", "")
# beside ErrImagePull and its like (pkg/kubelet/images/types.go)
_NOT_PULLED = ("RegistryUnavailable", "SignatureValidationFailed")


def pull(kube: FencedKube, namespace: str, nodes: Sequence[str], images: Sequence[str]) -> None:
    """Let every node have the images: run a pod on each that names them all, and remove it.

    What the containers do does not matter: a container is started once its image is there, and not
    every image has the program that they name.

    Raises:
        BadInput: a node cannot pull an image, or the cluster refuses the pods.
    """
    wait_for_service_account(kube, namespace)
    pods = [_pod(kube.run_id, number, node, namespace, images) for number, node in enumerate(nodes)]
    try:
        for pod in pods:
            kube.create(pod)
        side_by_side(lambda pod: _wait(kube, pod), pods)
    except (KubeError, QuotaExceeded) as error:
        raise BadInput(f"a pod that pulls the images is refused: {error}") from error
    for pod in pods:
        kube.delete("Pod", pod["metadata"]["name"], namespace, grace_seconds=0)


def _pod(run_id: str, number: int, node: str, namespace: str, images: Sequence[str]) -> Object:
    containers = [
        {
            "name": f"image-{place}",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["true"],
            "resources": {"requests": _LITTLE, "limits": _LITTLE},
        }
        for place, image in enumerate(images)
    ]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{_NAME}-{number}",
            "namespace": namespace,
            "labels": {RUN_LABEL: run_id},
        },
        "spec": {
            "nodeName": node,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsUser": _USER, "runAsGroup": _USER},
            "containers": containers,
        },
    }
    return restricted(pod)


def _wait(kube: FencedKube, pod: Object) -> None:
    meta, node = pod["metadata"], pod["spec"]["nodeName"]
    watch = StartWatch()

    def look() -> Object:
        found = kube.get("Pod", meta["name"], meta["namespace"])
        watch.check(lambda: _obstacle(found))
        return found

    try:
        wait_until(
            f"node {node} to pull the images",
            look,
            until=_has_all,
            timeout=timeouts.IMAGE_PULL,
            describe=summary,
        )
    except (Unknown, WaitTimeout) as error:
        missing = _missing(kube.get("Pod", meta["name"], meta["namespace"]))
        if not missing:
            raise BadInput(f"node {node} does not start a pod: {error}") from error
        raise BadInput(
            f"node {node} cannot pull {missing}: {error}; name a Secret with --pull-secret, a "
            "mirror with --registry, or load the image into the node"
        ) from error


def _obstacle(pod: Object) -> Obstacle | None:
    found = obstacle(pod)
    return found if found and (found.final or _missing(pod)) else None


def _has_all(pod: Object) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return len(statuses) == len(pod["spec"]["containers"]) and all(map(_has_image, statuses))


def _has_image(status: Object) -> bool:
    """Whether a container's image is on its node: it was started, if only in vain."""
    waiting = status.get("state", {}).get("waiting")
    if waiting is None:
        return True
    reason = str(waiting.get("reason", ""))
    return reason not in (*_BEFORE_PULLED, *_NOT_PULLED) and "Image" not in reason


def _missing(pod: Object) -> str:
    """Return the images that a node has not got."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return ", ".join(status["image"] for status in statuses if not _has_image(status))
