"""What the driver's pods do for volumes in use, and sizes that nobody keeps."""

import pytest

from fixtures.csi import CsiBench
from landfast import timeouts
from landfast.kube.removal import delete_kinds, wait_gone
from landfast.provisioning.contract import PvcMeta
from landfast.provisioning.csi import ClassSettings, mount_refusal
from landfast.provisioning.csi_driver import NAMESPACE, wait_until_registered
from landfast.provisioning.objects import pvc_object
from landfast.provisioning.volumes import removed
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.conformance.csi.objects import prepared_volume
from suites.objects import of_pvc, patched, pod, run_to_its_end, shell, with_spec

pytestmark = pytest.mark.xdist_group("csi")
_PLAIN = ClassSettings("", "", on_delete="delete")
_MIB = 1 << 20
_GROWS = patched("StorageClass", {"allowVolumeExpansion": True})


@pytest.mark.claim("csi.expansion-is-done")
def test_expansion_is_carried_out(csi: CsiBench, test: Steps) -> None:
    stack = csi.stack
    stack.changes.insert(0, _GROWS)  # before what a sabotage makes of it
    with csi.volume("growing", csi.placed(_PLAIN)) as volume:
        with test.step("ask for 2Mi in place of 1Mi"):
            more = {"spec": {"resources": {"requests": {"storage": "2Mi"}}}}
            stack.kube.patch("PersistentVolumeClaim", "growing", more, stack.namespace)
        with test.verify("the PV and the PVC's status say 2Mi"):
            wait_until(
                "PV and PVC to have 2Mi",
                lambda: _sizes(csi, volume.name),
                until=lambda sizes: sizes == ("2Mi", "2Mi"),
                timeout=timeouts.REFUSAL,
                describe=lambda sizes: f"the PV has {sizes[0]}, the PVC {sizes[1]}",
            )
        test.observe("PV and PVC have 2Mi")


def _sizes(csi: CsiBench, volume: str) -> tuple[str, str]:
    kube, namespace = csi.stack.kube, csi.stack.namespace
    pv = kube.get("PersistentVolume", volume)["spec"]
    pvc = kube.get("PersistentVolumeClaim", "growing", namespace)["status"]
    return pv["capacity"]["storage"], pvc["capacity"]["storage"]


@pytest.mark.claim("csi.size-is-not-enforced")
def test_pvc_for_1_mi_takes_2_mib(csi: CsiBench, test: Steps) -> None:
    write = shell("dd if=/dev/zero of=/nfs/big bs=1M count=2 2>&1; echo exit code $?")
    with csi.volume("greedy", csi.placed(_PLAIN)) as volume:
        with test.step("a pod writes 2 MiB into a PVC for 1Mi"):
            output = run_to_its_end(csi.stack, pod("greedy", write, volume=of_pvc("greedy")))
        big = csi.stack.export.stat(f"{volume.directory}/big")
        test.observe(f"the pod says: {output}; the server has {big or 'no such file'}")
        assert big is not None, "the server does not have the file"
        assert big.size == 2 * _MIB


@pytest.mark.claim("csi.mounts-outlive-the-plugin")
def test_pod_keeps_its_volume_when_the_drivers_pods_are_replaced(
    csi: CsiBench, test: Steps
) -> None:
    stack = csi.stack
    with csi.volume("outliving", csi.placed(_PLAIN)) as volume:
        with test.step("run a pod with the volume; delete every pod of the driver"):
            stack.make(pod("outliving", volume=of_pvc("outliving")))
            stack.wait_for_pod("outliving", "Running")
            wait_gone(stack.kube, delete_kinds(stack.kube, ["Pod"], NAMESPACE))
            wait_until_registered(stack.kube, stack.env.cluster.nodes)
        try:
            script = shell("echo still there >/nfs/after 2>&1; cat /nfs/after 2>&1 || true")
            said = stack.kube.execute(stack.namespace, "outliving", script).strip()
            test.observe(f"the pod says: {said}")
            assert said == "still there", "the pod has lost its volume"
        finally:
            with test.step("delete the pod, which unmounts the volume"):
                stack.delete("Pod", "outliving")
        assert csi.stack.export.exists(f"{volume.directory}/after"), "it wrote elsewhere"


@pytest.mark.claim("csi.missing-share-cannot-be-mounted")
def test_volume_without_a_share_is_bound_and_no_pod_can_mount_it(
    csi: CsiBench, test: Steps
) -> None:
    stack = csi.stack
    nowhere = ClassSettings(csi.placed(_PLAIN).server, "", reclaim_policy="Retain")
    pvc = PvcMeta(stack.namespace, "nowhere")
    with removed(stack, pvc):
        with test.step("bind a PV without a share to a PVC, and run a pod with it"):
            name = prepared_volume(stack, pvc.name, nowhere)
            stack.make(with_spec(pvc_object(pvc, pvc.name), volumeName=name))
            stack.wait_for_pvc(pvc.name)
            stack.make(pod("nowhere", volume=of_pvc("nowhere")))
        try:
            with test.verify("an event FailedMount of its pod names the share"):
                messages = wait_until(
                    "an event FailedMount",
                    lambda: [
                        str(event["message"])
                        for event in stack.kube.events(stack.namespace, name="nowhere")
                        if event["reason"] == "FailedMount"
                    ],
                    give_up=lambda _said: _running(csi),
                    timeout=timeouts.EVENT,
                )
            test.observe(f"events: {messages}")
            assert str(mount_refusal(nowhere)) in messages[-1]
        finally:
            stack.delete("Pod", "nowhere")


def _running(csi: CsiBench) -> str | None:
    """Return that the pod runs after all, or None."""
    status = csi.stack.kube.get("Pod", "nowhere", csi.stack.namespace).get("status", {})
    running = status.get("phase") == "Running"
    return "the pod runs, so it has a volume" if running else None
