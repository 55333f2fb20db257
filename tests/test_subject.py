"""The class that is judged: found by name, with its contract and the place of its volumes."""

from typing import Any

import pytest
from fakes import FakeKube, refusal

from landfast.errors import BadInput
from landfast.facts import describe_class
from landfast.kube import Object
from landfast.nfs.export import UNSEEN, Export
from landfast.subject import Contract, on_export, place, resolve

EXPORT = Export(server="10.0.0.1", path="/srv/nfs", kind="external")
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def storage_class(name: str, provisioner: str = "nfs-client", **fields: Any) -> Object:
    meta = {
        "name": name,
        "annotations": fields.pop("annotations", {}),
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"kind": "StorageClass", "metadata": meta, "provisioner": provisioner, **fields}


def deployment(image: str, provisioner: str = "nfs-client") -> Object:
    env = [{"name": "NFS_PATH", "value": "/x"}, {"name": "PROVISIONER_NAME", "value": provisioner}]
    pods = {"spec": {"containers": [{"image": "sidecar:1"}, {"image": image, "env": env}]}}
    meta = {"name": "p", "namespace": "storage"}
    return {"kind": "Deployment", "metadata": meta, "spec": {"template": pods}}


def cluster(*objects: Object) -> FakeKube:
    kube = FakeKube()
    for obj in objects:
        kube.put(obj)
    return kube


def test_class_is_read_as_the_cluster_has_it() -> None:
    found = resolve(
        cluster(
            storage_class(
                "fast",
                reclaimPolicy="Retain",
                volumeBindingMode="WaitForFirstConsumer",
                allowVolumeExpansion=True,
                mountOptions=["hard"],
                parameters={"onDelete": "retain"},
            )
        ),
        "fast",
    )
    assert (found.reclaim_policy, found.waits, found.expands) == ("Retain", True, True)
    assert found.mount_options == ("hard",)
    assert str(found).startswith("StorageClass fast, provisioner nfs-client, policy Retain;")


def test_report_shows_the_class() -> None:
    found = resolve(cluster(storage_class("fast", parameters={"server": "nas"})), "fast")
    assert [(name, value) for _, name, value in describe_class(found)] == [
        ("name", "fast"),
        ("provisioner", "nfs-client"),
        ("contract", "generic (no Deployment says PROVISIONER_NAME nfs-client)"),
        ("reclaim policy", "Delete"),
        ("binding mode", "Immediate"),
        ("expansion", "not allowed"),
        ("mount options", "none"),
        ("server", "nas"),
    ]


def test_what_a_class_does_not_say_is_what_kubernetes_assumes() -> None:
    found = resolve(cluster(storage_class("fast")), "fast")
    assert (found.reclaim_policy, found.waits, found.expands) == ("Delete", False, False)


def test_default_is_the_class_that_pvcs_get() -> None:
    kube = cluster(storage_class("slow"), storage_class("fast", annotations=DEFAULT))
    assert resolve(kube, "default").storage_class == "fast"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fats", "--storage-class fats: there is no such StorageClass; the cluster has fast, slow"),
        ("default", "--storage-class default: no StorageClass is marked as default"),
    ],
)
def test_class_that_is_not_there_is_bad_input(name: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        resolve(cluster(storage_class("slow"), storage_class("fast")), name)


@pytest.mark.parametrize(
    ("provisioner", "image", "contract"),
    [
        ("nfs.csi.k8s.io", "", Contract.CSI_DRIVER_NFS),
        ("nfs-client", "r.example/x/nfs-subdir-external-provisioner:v4.0.2", Contract.SUBDIR_V402),
        ("nfs-client", "r.example/x/nfs-subdir-external-provisioner:v4.0.18", Contract.GENERIC),
        ("nfs-client", "acme/filer:v4.0.2", Contract.GENERIC),
        ("other", "r.example/x/nfs-subdir-external-provisioner:v4.0.2", Contract.GENERIC),
    ],
)
def test_contract_follows_from_driver_or_image(
    provisioner: str, image: str, contract: Contract
) -> None:
    kube = cluster(storage_class("fast", provisioner), deployment(image))
    assert resolve(kube, "fast").contract is contract


def test_contract_that_is_named_counts() -> None:
    kube = cluster(storage_class("fast"))
    assert resolve(kube, "fast", contract="v4.0.2").contract is Contract.SUBDIR_V402
    assert resolve(kube, "fast", contract="leases").contract is Contract.SUBDIR_MASTER


def test_who_may_not_list_deployments_judges_by_kubernetes_contract() -> None:
    kube = cluster(storage_class("fast"))

    def refuse(kind: str, _name: str) -> None:
        if kind == "Deployment":
            raise refusal(403, "forbidden")

    kube.before["list"] = refuse
    found = resolve(kube, "fast")
    assert (found.contract, found.because) == (
        Contract.GENERIC,
        "the user may not list Deployments",
    )


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"nfs": {"server": "10.0.0.1", "path": "/srv/nfs/a"}}, ("10.0.0.1", "/srv/nfs/a")),
        (
            {
                "csi": {
                    "driver": "nfs.csi.k8s.io",
                    "volumeAttributes": {"Server": "10.0.0.1", "share": "/srv/nfs/", "subDir": "b"},
                }
            },
            ("10.0.0.1", "/srv/nfs/b"),
        ),
        ({"csi": {"driver": "nfs.csi.k8s.io", "volumeAttributes": {"share": "/s"}}}, None),
        ({"csi": {"driver": "efs.csi.aws.com", "volumeHandle": "fs-1"}}, None),
        ({"hostPath": {"path": "/srv/nfs/a"}}, None),
    ],
)
def test_place_of_a_volume_is_what_its_pv_says(spec: Object, where: tuple[str, str] | None) -> None:
    assert place({"spec": spec}) == where


@pytest.mark.parametrize(
    ("server", "path", "seen"),
    [
        ("10.0.0.1", "/srv/nfs/a/b", "a/b"),
        ("10.0.0.1", "/srv/nfs", "."),
        ("10.0.0.1", "/srv/other", None),
        ("10.0.0.2", "/srv/nfs/a", None),
    ],
)
def test_volume_is_seen_on_the_export_that_the_run_knows(
    server: str, path: str, seen: str | None
) -> None:
    pv = {"spec": {"nfs": {"server": server, "path": path}}}
    assert on_export(pv, EXPORT) == seen
    assert on_export(pv, UNSEEN) is None
