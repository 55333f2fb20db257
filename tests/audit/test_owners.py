"""No live directory is an orphan, whichever way it is named; each is missed if it is missing."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from objects_to_audit import controller, pod, provisioner, pv, pvc, statefulset, storage_class

from landfast.audit.directories import Directory
from landfast.audit.export import ExportView, local_inspector, view
from landfast.audit.inventory import Inventory
from landfast.audit.owners import owners
from landfast.audit.parsing import parse
from landfast.audit.place import Place
from landfast.audit.rules import audit
from landfast.kube.client import Object

ROOT = Directory(server="nfs", path="/exports")
CSI = "nfs.csi.k8s.io"


def csi_pv(name: str, handle: str = "h", **attributes: str) -> Object:
    source = {"driver": CSI, "volumeHandle": handle, "volumeAttributes": attributes}
    volume = pv(name, csi=source)
    del volume["spec"]["nfs"]
    return volume


def inline(volume: Object, **mount: Any) -> Object:
    """A Deployment that defines its volume itself."""
    web = controller("Deployment", "unused", "nginx")
    spec = web["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "data", **volume}]
    spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/srv", **mount}]
    return web


def csi_class(sub_dir: str) -> Object:
    parameters = {"server": "nfs", "share": "/exports", "subDir": sub_dir}
    return storage_class("csi", provisioner=CSI, parameters=parameters)


def known(*objects: Object) -> Inventory:
    return Inventory(tuple(r for o in objects for r in parse(o, Place())), complete=True)


def look(folder: Path, found: Inventory) -> ExportView:
    directories = [owner.directory for owner in owners(found)]
    return view(local_inspector(PurePosixPath(folder)), ROOT, directories, 0)


SHARE = {"server": "nfs", "share": "/exports"}
OWNED: list[tuple[str, list[Object]]] = [
    ("a", [pv("a")]),
    ("db", [csi_pv("v", **SHARE, subDir="db")]),
    ("db", [csi_pv("v", Server="NFS", SHARE="/exports/", subdir="/db/")]),
    ("db", [csi_pv("v", server="nfs", share="/exports/db")]),
    ("db", [csi_pv("v", "nfs#exports#db#uuid#")]),
    ("db", [csi_pv("v", "nfs/exports/db")]),
    (
        "shop-c",
        [
            csi_pv(
                "v",
                **SHARE,
                **{
                    "subDir": "${pvc.metadata.namespace}-${pvc.metadata.name}",
                    "csi.storage.k8s.io/pvc/name": "c",
                    "csi.storage.k8s.io/pvc/namespace": "shop",
                },
            )
        ],
    ),
    ("web", [inline({"nfs": {"server": "nfs", "path": "/exports/web"}})]),
    (
        "web",
        [inline({"csi": {"driver": CSI, "volumeAttributes": {**SHARE, "subDir": "web"}}})],
    ),
    (
        "shop/c",
        [
            csi_class("${pvc.metadata.namespace}/${pvc.metadata.name}"),
            pvc("c", storageClassName="csi"),
        ],
    ),
    (
        "shop/data-db-0",
        [
            provisioner(),
            storage_class("nfs", parameters={"pathPattern": "${.PVC.namespace}/${.PVC.name}"}),
            statefulset(),
        ],
    ),
    ("all/one", [inline({"nfs": {"server": "nfs", "path": "/exports/all"}}, subPath="one")]),
]


@pytest.mark.parametrize(("directory", "objects"), OWNED)
def test_a_directory_that_something_names_is_no_orphan(
    directory: str, objects: list[Object], tmp_path: Path
) -> None:
    (tmp_path / directory / "in it").mkdir(parents=True)
    (tmp_path / "leaked").mkdir()
    found = look(tmp_path, known(*objects))
    assert [orphan.path for orphan in found.orphans] == ["/exports/leaked"]


@pytest.mark.parametrize(
    ("objects", "where"),
    [
        ([csi_pv("v", **SHARE, subDir="db")], "PersistentVolume v"),
        ([inline({"nfs": {"server": "nfs", "path": "/exports/db"}})], "Deployment shop/db"),
    ],
)
def test_what_mounts_a_missing_directory_is_named(
    objects: list[Object], where: str, tmp_path: Path
) -> None:
    found = known(*objects)
    seen = Inventory(found.resources, complete=True, export=look(tmp_path, found))
    missing = [f for f in audit(seen) if f.rule.id == "audit.directory-missing"]
    assert [(f.title, f.message) for f in missing] == [
        (where, "there is no directory nfs:/exports/db")
    ]


@pytest.mark.parametrize(
    "objects",
    [
        [csi_class("${pvc.metadata.name}"), pvc("c", storageClassName="csi")],
        [inline({"nfs": {"server": "nfs", "path": "/exports"}}, subPath="one")],
    ],
)
def test_a_directory_that_will_be_made_is_not_missing(
    objects: list[Object], tmp_path: Path
) -> None:
    found = known(*objects)
    seen = Inventory(found.resources, complete=True, export=look(tmp_path, found))
    assert [f for f in audit(seen) if f.rule.id == "audit.directory-missing"] == []


def test_a_sub_path_of_each_pod_makes_its_parent_an_owned_directory(tmp_path: Path) -> None:
    env = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    web = inline({"nfs": {"server": "nfs", "path": "/exports"}}, subPathExpr="all/$(POD)")
    web["spec"]["template"]["spec"]["containers"][0]["env"] = [env]
    (tmp_path / "all/db-0").mkdir(parents=True)
    assert look(tmp_path, known(web)).orphans == ()


def test_what_has_the_whole_export_makes_an_orphan_a_note_but_not_its_provisioner(
    tmp_path: Path,
) -> None:
    (tmp_path / "old").mkdir()
    maker = provisioner()
    spec = maker["spec"]["template"]["spec"]
    spec["volumes"] = [{"name": "root", "persistentVolumeClaim": {"claimName": "root"}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "root", "mountPath": "/persistentvolumes"}]
    claim = pvc("root", volumeName="root", metadata={"namespace": "nfs-system"})
    of_provisioner = [maker, pv("root", "/exports"), claim]

    def severity(*objects: Object) -> list[str]:
        found = known(*objects)
        seen = Inventory(found.resources, complete=True, export=look(tmp_path, found))
        return [f.severity for f in audit(seen) if f.rule.id == "audit.orphan-directory"]

    assert severity(*of_provisioner) == ["warning"]
    reader = pod("reader", "root", "nginx")
    reader["metadata"]["namespace"] = "nfs-system"
    assert severity(*of_provisioner, reader) == ["note"]
    assert severity(inline({"nfs": {"server": "nfs", "path": "/"}})) == ["note"]
