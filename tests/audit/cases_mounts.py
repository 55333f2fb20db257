"""Mounts without a volume, and volumes without a mount."""

from typing import Any

from cases_servers import CLAIM, CONFIG, EMPTY, run
from objects_to_audit import Case, bound, pod, statefulset

from landfast.kube.client import Object

SELECTOR: Object = {"selector": {"matchLabels": {"app": "db"}}}
DRIVERS: dict[str, Object] = {
    "nfs": {"csi": {"driver": "nfs.csi.k8s.io", "volumeAttributes": {"server": "a", "share": "/"}}},
    "secrets": {"csi": {"driver": "secrets-store.csi.k8s.io"}},
}


def mounting(
    names: list[str], volumes: dict[str, Object], kind: str = "Deployment", **container: Any
) -> list[Object]:
    """A workload whose container mounts volumes by name, beside those that it has."""
    made = run("nginx", {}, kind=kind, **container)[-1]
    made["spec"] |= SELECTOR
    spec = made["spec"]
    spec = (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["spec"]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in names]
    spec["containers"][0]["volumeMounts"] = mounts
    spec["volumes"] = [{"name": name, **volume} for name, volume in volumes.items()]
    return [made]


def templated(mount: str, template: str) -> list[Object]:
    """A StatefulSet that mounts one volume and makes another."""
    made = statefulset(**SELECTOR)
    container = made["spec"]["template"]["spec"]["containers"][0]
    container["volumeMounts"] = [{"name": mount, "mountPath": "/x"}]
    made["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] = template
    return [made]


def first(objects: list[Object], name: str) -> list[Object]:
    """Objects with an init container that mounts a volume."""
    mounts = [{"name": name, "mountPath": "/first"}]
    spec = objects[-1]["spec"]["template"]["spec"]
    spec["initContainers"] = [{"name": "first", "image": "busybox", "volumeMounts": mounts}]
    return objects


def without_selector(objects: list[Object]) -> list[Object]:
    del objects[-1]["spec"]["selector"]
    return objects


def lone_pod(mount: str) -> list[Object]:
    made = pod("db", "a", "nginx")
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": mount, "mountPath": "/x"}]
    return [*bound("a"), made]


MOUNTS: list[Case] = [
    Case(
        "mount-without-volume",
        mounting(["data"], {"dta": CLAIM}),
        mounting(["data"], {"data": CLAIM}),
        "container c mounts data, and the pod has dta",
    ),
    Case(
        "mount-without-volume",
        mounting(["data", "more"], {}),
        without_selector(mounting(["data"], {})),  # a patch
        "container c mounts data and more, and the pod has no volume at all",
    ),
    Case(
        "mount-without-volume",
        templated("data", "dta"),
        templated("data", "data"),
        "mounts data, and the pod has dta",
    ),
    Case(
        "mount-without-volume",
        first(mounting(["data"], {"data": EMPTY}), "config"),
        first(mounting(["data"], {"data": EMPTY, "config": CONFIG}), "config"),
        "container first mounts config, and the pod has data",
    ),
    Case(
        "mount-without-volume",
        mounting([], {"a": CLAIM}, volumeDevices=[{"name": "b", "devicePath": "/dev/b"}]),
        mounting([], {"a": CLAIM}, volumeDevices=[{"name": "a", "devicePath": "/dev/b"}]),
        "mounts b, and the pod has a",
    ),
    Case(
        "mount-without-volume",
        lone_pod("dta"),
        lone_pod("data"),
        "mounts dta, and the pod has config and data",
    ),
    Case(
        "mount-without-volume",
        mounting(["data"], {}, kind="CronJob"),
        [*mounting(["data"], {}), *mounting(["data"], {"data": CLAIM})],  # base and overlay
        "mounts data, and the pod has no volume",
    ),
    Case(
        "volume-not-mounted",
        mounting([], {"data": CLAIM}),
        mounting(["data"], {"data": CLAIM, "config": CONFIG, "scratch": EMPTY}),
        "no container mounts its volume data",
        "note",
    ),
    Case(
        "volume-not-mounted",
        mounting([], {"nas": {"nfs": {"server": "nas", "path": "/x"}}}),
        first(mounting([], {"nas": {"nfs": {"server": "nas", "path": "/x"}}}), "nas"),
        "no container mounts its volume nas",
        "note",
    ),
    Case(
        "volume-not-mounted",
        mounting([], {"data": DRIVERS["nfs"]}),
        mounting([], {"data": DRIVERS["secrets"]}),
        "no container mounts its volume data",
        "note",
    ),
    Case(
        "volume-not-mounted",
        mounting([], {"a": {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}}),
        mounting([], {"a": CLAIM}, volumeDevices=[{"name": "a", "devicePath": "/dev/a"}]),
        "no container mounts its volume a",
        "note",
    ),
    Case(
        "volume-not-mounted",
        templated("data", "dta"),
        templated("data", "data"),
        "no container mounts the PVC that it makes of its template dta",
        "note",
    ),
    Case(
        "volume-not-mounted",
        mounting([], {"data": CLAIM}),
        without_selector(mounting([], {"data": CLAIM})),
        "no container mounts its volume data",
        "note",
    ),
]
