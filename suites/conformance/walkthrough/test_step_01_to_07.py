"""Steps 1 to 7: export, provisioner, class, PV, PVC, pod. One stack, in order."""

import pytest

from landfast import timeouts
from landfast.kube.default_classes import MARK
from landfast.stack import Stack
from landfast.steps import Steps
from suites.objects import pod, shell

pytestmark = pytest.mark.xdist_group("walkthrough")

_WHOLE_EXPORT = {"nfs": {"server": "192.168.3.133", "path": "/data/share"}}


@pytest.mark.claim("walkthrough.export-is-writable-from-another-machine")
def test_file_created_on_another_machine_is_on_the_server(reference: Stack, test: Steps) -> None:
    with test.step("create a pod that mounts the export and creates hello.txt"):
        reference.make(pod("second-machine", shell("touch /nfs/hello.txt"), volume=_WHOLE_EXPORT))
    with test.verify("the pod mounts the export and creates the file"):
        machine = reference.wait_for_pod(
            "second-machine", "Succeeded", timeout=timeouts.POD_UNDER_TEST
        )
    file = reference.export.stat("hello.txt")
    test.observe(f"created on {machine['spec']['nodeName']}; the server has: {file}")
    assert file is not None, "there is no hello.txt on the server"
    assert file.type == "file", f"hello.txt on the server is a {file.type}"


@pytest.mark.claim("walkthrough.provisioner-is-ready")
def test_provisioner_becomes_ready(reference: Stack, test: Steps) -> None:
    with test.step("create the provisioner and its rights"):
        reference.create("provisioner-rbac", "provisioner")
    with test.verify("the Deployment becomes available"):
        deployment = reference.wait_for_provisioner(timeout=timeouts.POD_UNDER_TEST)
    ready = deployment["status"]["readyReplicas"], deployment["status"]["replicas"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    test.observe(f"Ready {ready[0]}/{ready[1]}, image {container['image']}")
    assert ready == (1, 1), f"Ready {ready[0]}/{ready[1]}, not 1/1"


@pytest.mark.claim("walkthrough.storageclass-reads-back")
def test_storageclass_reads_back_with_its_defaults(reference: Stack, test: Steps) -> None:
    with test.step("create the class"):
        reference.create("storageclass")
    made = reference.kube.get("StorageClass", reference.storage_class)
    seen = {
        "reclaimPolicy": made.get("reclaimPolicy"),
        "volumeBindingMode": made.get("volumeBindingMode"),
        "allowVolumeExpansion": made.get("allowVolumeExpansion", False),
        "default": made["metadata"]["annotations"][MARK],
    }
    test.observe(f"{reference.storage_class} of {made['provisioner']}: {seen}")
    expected = {
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": False,
        "default": "false",
    }
    assert seen == expected, f"the class reads back as {seen}"


@pytest.mark.claim("walkthrough.pv-is-available")
def test_new_pv_is_available(reference: Stack, test: Steps) -> None:
    name = reference.overlay.name("PersistentVolume", "nfs-pv")
    with test.step(f"create {name}"):
        reference.create("pv")
    with test.verify("it becomes Available"):
        pv = reference.wait_for_pv(name, "Available")
    seen = (
        pv["spec"]["capacity"]["storage"],
        pv["spec"]["accessModes"],
        pv["spec"]["persistentVolumeReclaimPolicy"],
        pv["spec"]["storageClassName"],
    )
    test.observe(f"{name} is {pv['status']['phase']}: {seen}")
    expected = ("1Gi", ["ReadWriteOnce"], "Recycle", reference.storage_class)
    assert seen == expected, f"the PV reads back as {seen}"


@pytest.mark.claim("walkthrough.pvc-binds-by-selector")
def test_pvc_binds_the_pv_that_its_selector_names(reference: Stack, test: Steps) -> None:
    name = reference.overlay.name("PersistentVolume", "nfs-pv")
    with test.step("create nfs-pvc"):
        reference.create("pvc")
    with test.verify(f"nfs-pvc and {name} become Bound"):
        pvc = reference.wait_for_pvc("nfs-pvc", timeout=timeouts.REFUSAL)
        pv = reference.wait_for_pv(name, "Bound")
    owner = f"{pv['spec']['claimRef']['namespace']}/{pv['spec']['claimRef']['name']}"
    volume, capacity = pvc["spec"]["volumeName"], pvc["status"]["capacity"]["storage"]
    test.observe(
        f"nfs-pvc asked for 3Mi, is bound to {volume} and shows {capacity}; {name} names {owner}"
    )
    assert volume == name, f"nfs-pvc is bound to {volume}"
    assert capacity == "1Gi", "nfs-pvc does not show the PV's capacity"
    assert owner == f"{reference.namespace}/nfs-pvc", f"{name} names {owner}"


@pytest.mark.claim("walkthrough.pod-writes-to-the-server")
def test_file_created_by_a_pod_on_its_volume_is_on_the_server(
    reference: Stack, test: Steps
) -> None:
    with test.step("remove the hello.txt of step 1 on the server, run nfs-test-all"):
        reference.export.remove("hello.txt")
        reference.create("pod")
    with test.verify("the pod completes"):
        done = reference.wait_for_pod("nfs-test-all", "Succeeded", timeout=timeouts.POD_UNDER_TEST)
    file = reference.export.stat("hello.txt")
    test.observe(
        f"it {done['status']['phase']} on {done['spec']['nodeName']}; the server has: {file}"
    )
    assert file is not None, "the pod completed, but there is no hello.txt on the server"
    assert (file.type, file.size) == ("file", 0), f"that is not what touch makes: {file}"
