"""Pods, sets and volumes of this suite, in the reference's own names, and what is seen of them."""

import shlex

from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.stack import Stack
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until
from suites.objects import prepare, pv, pvc

HOSTNAME = "kubernetes.io/hostname"
SET, TEMPLATE = "app", "nfs-pvc"
BIND_SECONDS = 20
POD_SECONDS = 60
_REFUSED_SECONDS = 20
# ends when it is told to: a process 1 without a trap has to be killed
_SLEEP = ["sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]


def with_spec(obj: Object, **fields: object) -> Object:
    """Give an object with fields of its spec replaced."""
    return {**obj, "spec": {**obj["spec"], **fields}}


def pod(name: str, *, argv: list[str] = _SLEEP, read_only: bool = False, **spec: object) -> Object:
    """Give the reference's test pod with a name and program, and pvc `data`.

    It is gone 1 s after its deletion. `spec` are further fields of its spec.
    """
    (obj,) = load("pod")
    obj["metadata"]["name"] = name
    (container,) = obj["spec"]["containers"]
    container["command"], container["args"] = argv[:1], argv[1:]
    (mounted,) = obj["spec"]["volumes"]
    mounted["persistentVolumeClaim"] = {"claimName": "data", "readOnly": read_only}
    return with_spec(obj, terminationGracePeriodSeconds=1, **spec)


def statefulset(replicas: int, name: str = SET, /, **spec: object) -> Object:
    """Give a StatefulSet whose pods are those of `pod`, each with a pvc of its own."""
    template = pod(name)["spec"]
    del template["volumes"]
    template["restartPolicy"] = "Always"  # the only one that a set's pods may have
    labels = {"app": name}
    obj: Object = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template},
            "volumeClaimTemplates": [
                {"metadata": {"name": TEMPLATE}, "spec": pvc(TEMPLATE)["spec"]}
            ],
        },
    }
    return with_spec(obj, **spec)


def volume(stack: Stack, name: str = "volume", /, **spec: object) -> str:
    """Create a Retain volume with a folder of its own, and give its name once it is Available."""
    stack.env.inspector.make_folder(stack.folder(name))
    return prepare(stack, with_spec(pv(name, f"/data/share/{name}"), **spec))


def bound_pvc(stack: Stack, mode: str = "ReadWriteOnce", /, **pv_spec: object) -> Object:
    """Create a volume and a pvc `data` of one access mode, and give the pvc once it is Bound.

    `pv_spec` are fields of the volume alone.
    """
    volume(stack, accessModes=[mode], **pv_spec)
    stack.make(with_spec(pvc("data"), accessModes=[mode]))
    return stack.wait_for_pvc("data", timeout=BIND_SECONDS)


def run_pod(stack: Stack, name: str, *, read_only: bool = False) -> Object:
    """Create a pod (see `pod`), and give it once it is Running."""
    stack.make(pod(name, read_only=read_only))
    return stack.wait_for_pod(name, "Running", timeout=POD_SECONDS)


def run_set(stack: Stack, **spec: object) -> Object:
    """Create volumes and a set of two pods, wait until both are Running, and give the set."""
    for ordinal in range(2):
        volume(stack, f"volume-{ordinal}")
    made = stack.make(statefulset(2, **spec))
    for ordinal in range(2):
        stack.wait_for_pod(f"{SET}-{ordinal}", "Running", timeout=POD_SECONDS)
    return made


def scale(stack: Stack, replicas: int) -> None:
    """Set how many pods the set has; pods that go are waited for."""
    stack.kube.patch("StatefulSet", SET, {"spec": {"replicas": replicas}}, stack.namespace)
    for ordinal in range(replicas, 2):
        stack.wait_gone("Pod", f"{SET}-{ordinal}", stack.namespace)


def pvcs(stack: Stack) -> dict[str, Object]:
    """Give the pvcs that are there and not being deleted, by name."""
    there = stack.kube.list("PersistentVolumeClaim", stack.namespace)
    return {obj["metadata"]["name"]: obj for obj in there if not is_terminating(obj)}


def is_terminating(obj: Object) -> bool:
    """Whether an object was asked to be deleted and is held by a finalizer."""
    return "deletionTimestamp" in obj["metadata"]


def finalizers(obj: Object) -> list[str]:
    """Give by whom an object is held; nobody holds one that is not there (`{}`)."""
    held: list[str] = obj.get("metadata", {}).get("finalizers", [])
    return held


def owners(obj: Object) -> list[str]:
    """Give the kinds and names of an object's owners."""
    return [f"{o['kind']} {o['name']}" for o in obj["metadata"].get("ownerReferences", [])]


def write(stack: Stack, pod_name: str, file: str) -> str:
    """Let a pod write a file on its volume; give what its shell complains of: "" if it could."""
    target = shlex.quote(f"/nfs/{file}")
    script = f"{{ echo {shlex.quote(pod_name)} > {target}; }} 2>&1 || true"
    return stack.kube.execute(stack.namespace, pod_name, ["sh", "-c", script]).strip()


def workers(stack: Stack) -> list[str]:
    """Give the host name labels of two nodes that pods are scheduled to.

    Raises:
        MissingCapability: there are not two of them.
    """
    names = [
        node["metadata"]["labels"][HOSTNAME]
        for node in stack.kube.list("Node")
        if not node["spec"].get("unschedulable")
        and all(taint["effect"] == "PreferNoSchedule" for taint in node["spec"].get("taints", []))
    ]
    if len(names) < 2:
        raise MissingCapability("cluster.two-workers", f"pods are scheduled to {names} only")
    return sorted(names)[:2]


def on_node(hostname: str) -> Object:
    """Give the field of a pod's spec that sends it to one node, through the scheduler."""
    return {"nodeSelector": {HOSTNAME: hostname}}


def node_affinity(hostname: str) -> Object:
    """Give the field of a volume's spec that says from which node alone it can be reached."""
    term = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": [hostname]}]}
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}


def wait_until_unschedulable(stack: Stack, name: str) -> str:
    """Wait until the scheduler has refused a pod, and give its reason.

    Raises:
        WaitTimeout: it has not, or the pod was scheduled.
    """

    def look() -> Object:
        seen = stack.kube.get("Pod", name, stack.namespace)
        conditions: list[Object] = seen["status"].get("conditions", [])
        return next((c for c in conditions if c["type"] == "PodScheduled"), {})

    return str(
        wait_until(
            f"pod {name} to be refused by the scheduler",
            look,
            until=lambda condition: condition.get("status") == "False",
            give_up=lambda c: "it was scheduled" if c.get("status") == "True" else None,
            timeout=_REFUSED_SECONDS,
        )["message"]
    )
