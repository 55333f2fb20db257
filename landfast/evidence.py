"""The evidence that is kept when a test fails: the state of all that could explain it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import yaml

from landfast.cluster.fence import FencedKube
from landfast.environment import Environment
from landfast.kube.client import Kube, Object
from landfast.kube.status import event_time
from landfast.stack import Stack

_LISTED = ("Pod", "PersistentVolumeClaim", "StatefulSet", "Deployment")
_MOUNT_WORDS = ("nfs", "kubernetes.io~")


def collect(env: Environment, stacks: Sequence[Stack]) -> Iterator[tuple[str, str]]:
    """Yield title and text of each piece of evidence; if one cannot be had, its text says why.

    On an existing cluster it holds the run's own objects, the class that is judged, and the run's
    part of the export.
    """
    kube = env.cluster.kube
    for stack in stacks:
        for namespace in sorted({stack.namespace, stack.system_namespace}):
            yield _piece(f"events in {namespace}", partial(_events, kube, namespace))
            yield _piece(f"objects in {namespace}", partial(_yaml, kube, _LISTED, namespace))
            yield _piece(f"pod logs in {namespace}", partial(_logs, kube, namespace))
    yield _piece("PVs and StorageClasses", partial(_cluster_wide, env, stacks))
    if env.export.seen:
        yield _piece("export, from the server", partial(_export, env))
    if env.engine is not None:
        for node in env.cluster.nodes:
            yield _piece(f"mounts of {node}", partial(_mounts, env, node))


def _piece(title: str, get: Callable[[], str]) -> tuple[str, str]:
    try:
        return title, get() or "(nothing)"
    except Exception as error:  # noqa: BLE001 - broken evidence must not cost the verdict
        return title, f"could not be collected: {error}"


def _events(kube: Kube, namespace: str) -> str:
    return "\n".join(
        f"{event_time(e)} {e['type']:7} {e['reason']:24} "
        f"{e['involvedObject']['kind']}/{e['involvedObject'].get('name')}: {e.get('message')}"
        for e in kube.events(namespace)
    )


def _yaml(kube: Kube, kinds: Iterable[str], namespace: str) -> str:
    return _dump([obj for kind in kinds for obj in kube.list(kind, namespace)])


def _cluster_wide(env: Environment, stacks: Sequence[Stack]) -> str:
    kube, judged = env.cluster.kube, {stack.storage_class for stack in stacks}
    objects = [obj for kind in ("PersistentVolume", "StorageClass") for obj in kube.list(kind)]
    if isinstance(kube, FencedKube):
        objects = [o for o in objects if kube.owns(o) or _class_name(o) in judged]
    return _dump(objects)


def _class_name(obj: Object) -> str | None:
    return str(obj["metadata"]["name"]) if obj["kind"] == "StorageClass" else None


def _dump(objects: Iterable[Object]) -> str:
    objects = list(objects)
    for obj in objects:
        obj["metadata"].pop("managedFields", None)  # noise
    return yaml.safe_dump_all(objects, sort_keys=False)


def _logs(kube: Kube, namespace: str) -> str:
    texts = []
    for pod in kube.list("Pod", namespace):
        name = pod["metadata"]["name"]
        _, text = _piece("", partial(kube.logs, namespace, name))
        texts.append(f"--- {name}\n{text}")
    return "\n".join(texts)


def _export(env: Environment) -> str:
    return "\n".join(map(str, env.inspector.list(env.subtree or ".", depth=3).values()))


def _mounts(env: Environment, node: str) -> str:
    assert env.engine is not None  # noqa: S101 - checked by the caller
    mounts = env.engine.execute(node, "cat", "/proc/self/mounts").stdout
    return "\n".join(
        line for line in mounts.splitlines() if any(word in line for word in _MOUNT_WORDS)
    )
