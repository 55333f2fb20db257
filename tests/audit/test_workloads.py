"""One model of whatever runs pods: how many at once, and which directory each container has."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import bound, inventory, pod_spec, pv, pvc, storage_class

from landfast.audit.parsing import is_read, parse
from landfast.audit.place import Place
from landfast.audit.workloads import SHAPES, Workload
from landfast.kube.client import Object

VERSIONS = {
    "": ["v1"],
    "apps": ["v1", "v1beta1", "v1beta2"],
    "extensions": ["v1beta1"],
    "batch": ["v1", "v1beta1", "v2alpha1"],
}


def of_kind(group: str, kind: str, version: str = "v1", **spec: Any) -> Object:
    """An object of a kind that runs MySQL on the PVC `a`."""
    template = {"metadata": {"labels": {"app": "db"}}, "spec": pod_spec("a")}
    obj: Object = {
        "apiVersion": f"{group}/{version}".lstrip("/"),
        "kind": kind,
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"template": template, **spec},
    }
    match kind:
        case "Pod":
            obj["metadata"]["labels"] = {"app": "db"}
            obj["spec"] = {**pod_spec("a"), **spec}
        case "PodTemplate":
            del obj["spec"]
            obj["template"] = template
        case "CronJob":
            job = {"template": template, **spec.pop("job", {})}
            obj["spec"] = {"schedule": "* * * * *", "jobTemplate": {"spec": job}, **spec}
    return obj


def workload(obj: Object) -> Workload:
    [found] = parse(obj, Place())
    assert isinstance(found, Workload)
    return found


@pytest.mark.parametrize(("group", "kind"), SHAPES)
def test_every_kind_that_carries_a_pod_template_is_read_alike(group: str, kind: str) -> None:
    for version in VERSIONS.get(group, ["v1", "v1alpha1"]):
        assert is_read(f"{group}/{version}".lstrip("/"), kind)
        found = workload(of_kind(group, kind, version))
        assert found.title == f"{kind} shop/db"
        assert [c.image for c in found.pod.containers] == ["mysql:8.0"]
        assert found.labels == {"app": "db"}
        assert not found.partial
        [use] = [use for use in inventory(of_kind(group, kind, version)).uses if use.directory]
        assert (use.claim, use.source) == (("shop", "a"), "persistentVolumeClaim")
        assert str(use.directory) == "PersistentVolumeClaim shop/a"


@pytest.mark.parametrize(
    ("obj", "replicas", "at_once", "why"),
    [
        (of_kind("", "Pod"), 1, 1, ""),
        ({**of_kind("", "Pod"), "status": {"phase": "Succeeded"}}, 0, 0, ""),
        (of_kind("apps", "Deployment"), 1, 2, "a rolling update starts the new pod before"),
        (of_kind("apps", "Deployment", strategy={"type": "Recreate"}), 1, 1, ""),
        (of_kind("apps", "Deployment", replicas=0), 0, 0, ""),
        (of_kind("apps", "Deployment", replicas=3), 3, 4, "replicas is 3, and a rolling update"),
        (
            of_kind("apps", "Deployment", replicas=8, strategy={"type": "RollingUpdate"}),
            8,
            10,
            "replicas is 8, and",
        ),
        (
            of_kind("apps", "Deployment", replicas=4, strategy={"rollingUpdate": {"maxSurge": 0}}),
            4,
            5,
            "replicas is 4, and",
        ),
        (
            of_kind(
                "apps", "Deployment", replicas=4, strategy={"rollingUpdate": {"maxSurge": "100%"}}
            ),
            4,
            8,
            "replicas is 4, and",
        ),
        (of_kind("apps", "ReplicaSet"), 1, 1, ""),
        (of_kind("", "ReplicationController", replicas=2), 2, 2, "replicas is 2"),
        (of_kind("apps", "StatefulSet"), 1, 1, ""),
        (of_kind("apps", "StatefulSet", replicas=3), 3, 3, "replicas is 3"),
        (of_kind("apps", "DaemonSet"), 2, 2, "it runs one on each node"),
        (of_kind("batch", "Job"), 1, 1, ""),
        (of_kind("batch", "Job", parallelism=4), 4, 4, "parallelism is 4"),
        (of_kind("batch", "CronJob"), 1, 2, "a run starts while the last one still runs"),
        (of_kind("batch", "CronJob", concurrencyPolicy="Forbid"), 1, 1, ""),
        (of_kind("batch", "CronJob", concurrencyPolicy="Replace"), 1, 1, ""),
        (
            of_kind("batch", "CronJob", concurrencyPolicy="Forbid", job={"parallelism": 2}),
            2,
            2,
            "parallelism is 2",
        ),
        (of_kind("apps.openshift.io", "DeploymentConfig"), 1, 2, "a rolling update"),
        (
            of_kind("apps.openshift.io", "DeploymentConfig", strategy={"type": "Recreate"}),
            1,
            1,
            "",
        ),
        (of_kind("argoproj.io", "Rollout", strategy={"canary": {}}), 1, 2, "a rolling update"),
        (of_kind("serving.knative.dev", "Service"), 2, 2, "it is scaled with the requests"),
    ],
)
def test_how_many_pods_can_run_at_once_and_why(
    obj: Object, replicas: int, at_once: int, why: str
) -> None:
    found = workload(obj)
    assert (found.replicas, found.at_once) == (replicas, at_once)
    assert found.why_several.startswith(why)
    assert bool(found.why_several) == bool(why)
    [use] = [use for use in inventory(obj).uses if use.directory]
    assert use.pods == at_once


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 3},
        {"template": {"spec": {"containers": [{"name": "c", "resources": {}}]}}},
        {"template": {"metadata": {"annotations": {"a": "b"}}}},
        {"template": {"spec": {"volumes": [{"$patch": "replace"}]}}},
    ],
)
def test_a_patch_is_no_workload(spec: Object) -> None:
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "db"}}
    assert workload({**patch, "spec": spec}).partial


def test_each_definition_is_judged() -> None:
    good = of_kind("apps", "Deployment", strategy={"type": "Recreate"})
    bad = of_kind("apps", "Deployment", replicas=3)
    for objects in ([good, bad], [bad, good], [bad, good, bad]):
        found = inventory(*objects)
        assert sorted(w.at_once for w in found.workloads) == [1, 4]


def database(volume: Object, **mount: Any) -> Object:
    obj = of_kind("apps", "StatefulSet", replicas=3)
    spec = obj["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "data", **volume}]
    spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/d", **mount}]
    env = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    spec["containers"][0]["env"] = [env, {"name": "PLACE", "value": "here"}]
    return obj


NFS = {"nfs": {"server": "NAS.example.com.", "path": "//export/a/"}}
CSI = {"driver": "nfs.csi.k8s.io", "volumeAttributes": {"server": "nas", "share": "/e"}}
TEMPLATE = {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "x"}}


@pytest.mark.parametrize(
    ("volume", "mount", "expected"),
    [
        (NFS, {}, ("nas.example.com:/export/a", 3, True)),
        (NFS, {"subPath": "x/y"}, ("nas.example.com:/export/a/x/y", 3, True)),
        (NFS, {"subPathExpr": "$(POD)"}, ("nas.example.com:/export/a/$(POD)", 1, True)),
        (NFS, {"subPathExpr": "$(PLACE)/x"}, ("nas.example.com:/export/a/here/x", 3, True)),
        (NFS, {"subPathExpr": "$(WHAT)"}, ("nas.example.com:/export/a/$(WHAT)", 3, True)),
        (NFS, {"readOnly": True}, ("nas.example.com:/export/a", 3, False)),
        ({"nfs": {**NFS["nfs"], "readOnly": True}}, {}, ("nas.example.com:/export/a", 3, False)),
        ({"csi": CSI}, {}, ("nas:/e", 3, True)),
        ({"csi": {**CSI, "readOnly": True}}, {}, ("nas:/e", 3, False)),
        ({"csi": {"driver": "secrets-store.csi.k8s.io"}}, {}, (None, 3, False)),
        (
            {"ephemeral": {"volumeClaimTemplate": TEMPLATE}},
            {},
            ("PersistentVolumeClaim shop/db-*-data", 1, True),
        ),
        ({"emptyDir": {}}, {}, (None, 3, False)),
        ({"hostPath": {"path": "/srv"}}, {}, (None, 3, False)),
        ({}, {}, (None, 3, False)),
        (
            {"persistentVolumeClaim": {"claimName": "a", "readOnly": True}},
            {},
            ("PersistentVolumeClaim shop/a", 3, False),
        ),
    ],
)
def test_a_mount_leads_to_a_directory(
    volume: Object, mount: Object, expected: tuple[str | None, int, bool]
) -> None:
    [use] = inventory(database(volume, **mount)).uses
    there = str(use.directory) if use.directory else None
    assert (there, use.pods, use.writes) == expected
    assert use.source == next(iter(volume), "emptyDir")


def test_a_claim_leads_to_its_volume_its_class_or_itself() -> None:
    csi_class = storage_class(
        "csi",
        provisioner="nfs.csi.k8s.io",
        parameters={"server": "nas", "share": "/e", "subDir": "${pvc.metadata.name}"},
    )

    def there(*objects: Object) -> list[str]:
        return [str(u.directory) for u in inventory(of_kind("", "Pod"), *objects).uses if u.claim]

    assert there() == ["PersistentVolumeClaim shop/a"]
    assert there(*bound("a", "/exports/x")) == ["nfs:/exports/x"]
    assert there(pv("v", "/exports/v"), pvc("a")) == ["nfs:/exports/v"]
    assert there(pv("v"), pv("w"), pvc("a")) == ["PersistentVolumeClaim shop/a"]
    assert there(csi_class, pvc("a", storageClassName="csi")) == ["nas:/e/a"]
    block = pv(
        "v", claimRef={"namespace": "shop", "name": "a"}, csi={"driver": "d", "volumeHandle": "h"}
    )
    del block["spec"]["nfs"]
    assert there(block, pvc("a")) == ["volume h of d"]


@given(
    st.sampled_from(["/export/db", "/export/db/x", "/export", "/", "/export/db2", "/other"]),
    st.sampled_from(["", "sub"]),
)
def test_writers_are_found_in_a_directory_inside_it_and_around_it(path: str, sub: str) -> None:
    one = database({"nfs": {"server": "nas", "path": "/export/db"}})
    other = database({"nfs": {"server": "nas", "path": path}}, subPath=sub)
    other["metadata"]["name"] = "other"
    reader = database({"nfs": {"server": "nas", "path": path}}, readOnly=True)
    reader["metadata"]["name"] = "reader"
    found = inventory(one, other, reader)
    [here, there, _] = (use.directory for use in found.uses)
    assert here
    assert there
    nested = here.holds(there) or there.holds(here)
    names = {use.workload.name for use in found.writers(here)}
    assert names == ({"db", "other"} if nested else {"db"})


def test_init_containers_are_told_from_sidecars() -> None:
    obj = database(NFS)
    spec = obj["spec"]["template"]["spec"]
    mounts = spec["containers"][0]["volumeMounts"]
    spec["initContainers"] = [
        {"name": "chown", "image": "busybox", "volumeMounts": mounts},
        {"name": "log", "image": "busybox", "volumeMounts": mounts, "restartPolicy": "Always"},
    ]
    uses = inventory(obj).uses
    assert [(u.container.name, u.init) for u in uses] == [
        ("chown", True),
        ("log", False),
        ("", False),
    ]
    found = workload(obj)
    [chown, log] = found.pod.init_containers
    at = ("spec", "template", "spec")
    assert found.container_at(chown) == (*at, "initContainers", 0)
    assert found.container_at(log) == (*at, "initContainers", 1)
    assert found.container_at(found.pod.containers[0]) == (*at, "containers", 0)


def test_very_many_ordinals_are_not_all_told_apart() -> None:
    obj = of_kind("apps", "StatefulSet", replicas=10**9)
    obj["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "x"}, "spec": TEMPLATE["spec"]}]
    assert len(inventory(obj).pvcs) == 1_000
