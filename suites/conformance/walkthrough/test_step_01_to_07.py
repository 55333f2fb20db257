"""Steps 1 to 7: export, provisioner, class, volume, claim, pod. One stack, in order."""

import pytest

from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from suites.conformance.walkthrough.objects import machine

pytestmark = pytest.mark.xdist_group("walkthrough")

_POD_SECONDS = 60
_BIND_SECONDS = 20


@pytest.mark.claim("walkthrough.export-is-writable-from-another-machine")
def test_file_created_on_another_machine_is_on_the_server(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("mount the export in a pod on a node, create hello.txt"):
        reference.make(machine("second-machine", "touch /nfs/hello.txt"))
        pod = reference.wait_for_pod("second-machine", "Succeeded", timeout=_POD_SECONDS)
    file = reference.env.inspector.stat(reference.folder("hello.txt"))
    observe(f"created on {pod['spec']['nodeName']}; the server has: {file}")
    assert file is not None, "there is no hello.txt on the server"
    assert file.type == "file", f"hello.txt on the server is a {file.type}"


@pytest.mark.claim("walkthrough.provisioner-is-ready")
def test_provisioner_becomes_ready(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    reference.validate("provisioner-rbac", "provisioner", "storageclass", "pv", "pvc", "mysql")
    with step("create rights and provisioner, wait for the Deployment"):
        reference.create("provisioner-rbac", "provisioner")
        deployment = reference.wait_for_provisioner(timeout=_POD_SECONDS)
    ready = deployment["status"]["readyReplicas"], deployment["status"]["replicas"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    observe(f"Ready {ready[0]}/{ready[1]}, image {container['image']}")
    assert ready == (1, 1), f"Ready {ready[0]}/{ready[1]}, not 1/1"


@pytest.mark.claim("walkthrough.storageclass-reads-back")
def test_storageclass_reads_back_with_its_defaults(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("create the class"):
        reference.create("storageclass")
    made = reference.kube.get("StorageClass", reference.storage_class)
    default = made["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"]
    seen = {
        "reclaimPolicy": made.get("reclaimPolicy"),
        "volumeBindingMode": made.get("volumeBindingMode"),
        "allowVolumeExpansion": made.get("allowVolumeExpansion", False),
        "default": default,
    }
    observe(f"{reference.storage_class} of {made['provisioner']}: {seen}")
    expected = {
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": False,
        "default": "false",
    }
    assert seen == expected, f"the class reads back as {seen}"


@pytest.mark.claim("walkthrough.pv-is-available")
def test_new_volume_is_available(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    name = reference.overlay.name("PersistentVolume", "nfs-pv")
    with step(f"create {name}"):
        reference.create("pv")
        pv = reference.wait_for_pv(name, "Available", timeout=_BIND_SECONDS)
    seen = (
        pv["spec"]["capacity"]["storage"],
        pv["spec"]["accessModes"],
        pv["spec"]["persistentVolumeReclaimPolicy"],
        pv["spec"]["storageClassName"],
    )
    observe(f"{name} is {pv['status']['phase']}: {seen}")
    expected = ("1Gi", ["ReadWriteOnce"], "Recycle", reference.storage_class)
    assert seen == expected, f"the volume reads back as {seen}"


@pytest.mark.claim("walkthrough.pvc-binds-by-selector")
def test_claim_binds_the_volume_that_its_selector_names(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    name = reference.overlay.name("PersistentVolume", "nfs-pv")
    with step("create nfs-pvc"):
        reference.create("pvc")
        pvc = reference.wait_for_pvc("nfs-pvc", timeout=_BIND_SECONDS)
        pv = reference.wait_for_pv(name, "Bound", timeout=_BIND_SECONDS)
    claim = f"{pv['spec']['claimRef']['namespace']}/{pv['spec']['claimRef']['name']}"
    volume, capacity = pvc["spec"]["volumeName"], pvc["status"]["capacity"]["storage"]
    observe(f"nfs-pvc asked for 3Mi, is bound to {volume}, shows {capacity}; its claim is {claim}")
    assert volume == name, f"nfs-pvc is bound to {volume}"
    assert capacity == "1Gi", "the claim does not show the volume's capacity"
    assert claim == f"{reference.namespace}/nfs-pvc", f"{name} names the claim {claim}"


@pytest.mark.claim("walkthrough.pod-writes-to-the-server")
def test_file_created_by_a_pod_on_its_volume_is_on_the_server(
    reference: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    hello = reference.folder("hello.txt")
    with step("remove the hello.txt of step 1 on the server"):
        reference.env.inspector.remove(hello)
    with step("run nfs-test-all: touch /nfs/hello.txt"):
        reference.create("pod")
        pod = reference.wait_for_pod("nfs-test-all", "Succeeded", timeout=_POD_SECONDS)
    file = reference.env.inspector.stat(hello)
    observe(
        f"the pod {pod['status']['phase']} on {pod['spec']['nodeName']}; the server has: {file}"
    )
    assert file is not None, "the pod has completed, and there is no hello.txt on the server"
    assert (file.type, file.size) == ("file", 0), f"that is not what touch makes: {file}"
