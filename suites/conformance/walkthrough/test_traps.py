"""Two traps that the reference's own manifests set, shown where nothing is lost."""

from pathlib import PurePosixPath

import pytest

from landfast import timeouts
from landfast.manifests import MANIFESTS, load
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.walkthrough.volumes import TEXT
from suites.objects import files, prepare


def volumes_below_a_recycled_one() -> list[str]:
    """Return the reference's PVs whose folder lies inside that of a Recycle PV."""
    paths: dict[str, PurePosixPath] = {}
    recycled: list[str] = []
    for obj in (obj for manifest in MANIFESTS for obj in load(manifest)):
        if obj["kind"] == "PersistentVolume":
            name, spec = obj["metadata"]["name"], obj["spec"]
            paths[name] = PurePosixPath(spec["nfs"]["path"])
            recycled += [name] if spec["persistentVolumeReclaimPolicy"] == "Recycle" else []
    return [
        f"{inner} ({path}) lies in {outer} ({paths[outer]})"
        for outer in recycled
        for inner, path in paths.items()
        if paths[outer] in path.parents
    ]


@pytest.mark.claim("walkthrough.recycling-the-root-scrubs-everything")
def test_recycling_the_root_of_the_export_destroys_every_volume(stack: Stack, test: Steps) -> None:
    stack.env.cluster.require("cluster.recycler")
    test.observe(f"in the reference's manifests: {volumes_below_a_recycled_one()}")
    for neighbour in ("mysql", "another-team"):
        stack.export.make_folder(neighbour)
        stack.export.write(f"{neighbour}/data.txt", TEXT)
    test.observe(f"before, a throw-away export has {sorted(files(stack))}")
    with test.step("bind nfs-pvc to nfs-pv, the root of that export, and delete nfs-pvc"):
        name = prepare(stack, *load("pv"))
        stack.create("pvc")
        stack.wait_for_pvc("nfs-pvc")
        stack.kube.delete("PersistentVolumeClaim", "nfs-pvc", stack.namespace)
    with test.verify("nfs-pv is recycled"):
        stack.wait_for_pv(name, "Available", timeout=timeouts.RECYCLE)
    left = stack.export.list()
    test.observe(f"afterwards it has {sorted(left) or 'nothing'}")
    assert left == {}, "the neighbours' data was spared"


@pytest.mark.claim("walkthrough.mysql-claim-can-take-the-root")
def test_mysql_pvc_binds_nfs_pv_while_it_is_available(stack: Stack, test: Steps) -> None:
    (statefulset,) = (o for o in load("mysql") if o["kind"] == "StatefulSet")
    (template,) = statefulset["spec"]["volumeClaimTemplates"]
    with test.step("create nfs-pv, then the PVC that StatefulSet mysql makes"):
        name = prepare(stack, *load("pv"))
        stack.make({"apiVersion": "v1", "kind": "PersistentVolumeClaim", **template})
    with test.verify("the PVC becomes Bound"):
        bound = stack.wait_for_pvc("mysql-data", timeout=timeouts.REFUSAL)
    volume = stack.kube.get("PersistentVolume", bound["spec"]["volumeName"])["spec"]
    test.observe(
        f"MySQL's PVC is bound to {bound['spec']['volumeName']}: path {volume['nfs']['path']} "
        f"(the root), policy {volume['persistentVolumeReclaimPolicy']}"
    )
    assert bound["spec"]["volumeName"] == name, "MySQL's PVC is bound to another PV"
    assert volume["nfs"]["path"] == stack.overlay.root, f"{name} is not the export's root"
    assert volume["persistentVolumeReclaimPolicy"] == "Recycle", f"{name} is not under Recycle"
