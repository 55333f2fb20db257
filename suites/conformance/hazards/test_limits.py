"""What the provisioner cannot do: it refuses, does nothing about it, or is kept from it."""

import pytest

from landfast.provisioning.contract import ClassSettings
from landfast.provisioning.volumes import provisioned
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from suites.conformance.hazards.exports import folders
from suites.conformance.hazards.objects import asked, of_claim, pod, refusal, run_pod

_MYSQL = 999  # the user of MySQL's image
_NOBODY = 65534
_MIB = 1 << 20
_FULL_MIB = 50
_KEPT_SECONDS = 10


@pytest.mark.claim("hazards.empty-selector-is-refused")
def test_claim_with_even_an_empty_selector_is_refused(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with asked(provisioner, "selective", selector={}):
        with step("create a claim with selector {}, wait for the refusal"):
            said = refusal(provisioner, "selective")
        made = folders(provisioner)
        observe(f"the claim stays Pending: {said}; the server has {made or 'nothing'}")
        assert "selector is not supported" in said.lower()
        assert made == [], "a directory was made for a claim that was refused"


@pytest.mark.claim("hazards.block-is-refused")
def test_claim_for_a_block_volume_is_refused(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with asked(provisioner, "blocky", volumeMode="Block"):
        with step("create a claim with volumeMode Block, wait for the refusal"):
            said = refusal(provisioner, "blocky")
        made = folders(provisioner)
        observe(f"the claim stays Pending: {said}; the server has {made or 'nothing'}")
        assert "does not support block volume provisioning" in said
        assert made == [], "a directory was made for a claim that was refused"


@pytest.mark.claim("hazards.size-is-not-enforced")
def test_claim_for_1_mi_takes_50_mib(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    write = f"dd if=/dev/zero of=/nfs/big bs=1M count={_FULL_MIB}"
    with provisioned(provisioner, "greedy", ClassSettings()) as volume:
        with step(f"a pod writes {_FULL_MIB} MiB into a claim for 1Mi"):
            run_pod(provisioner, pod("greedy", of_claim("greedy"), write))
        capacity = provisioner.kube.get("PersistentVolume", volume.name)["spec"]["capacity"]
        big = provisioner.env.inspector.stat(provisioner.folder(f"{volume.directory}/big"))
        observe(f"the volume's capacity is {capacity['storage']}; the server has: {big}")
        assert capacity["storage"] == "1Mi"
        assert big is not None, "the server has no such file"
        assert big.size == _FULL_MIB * _MIB


@pytest.mark.claim("hazards.root-squash-forbids-chown")
def test_root_cannot_give_files_to_mysql_on_a_squashed_export(
    squashed_stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    inline = {"nfs": {"server": "192.168.3.133", "path": "/data/share"}}
    give = f"touch /nfs/of-root && chown {_MYSQL} /nfs/of-root 2>&1; echo exit code $?"
    with step("root writes a file and gives it to MySQL's user; that user writes one itself"):
        said = run_pod(squashed_stack, pod("root", inline, give))
        run_pod(squashed_stack, pod("mysql", inline, "touch /nfs/of-mysql", uid=_MYSQL))
    observe(f"root in a pod: {said}")
    found = squashed_stack.env.inspector.list(squashed_stack.folder(""))
    owners = {path.rpartition("/")[2]: entry.uid for path, entry in found.items()}
    observe(f"on the server the files belong to {owners}")
    assert owners == {"of-mysql": _MYSQL, "of-root": _NOBODY}


@pytest.mark.claim("hazards.root-squash-blocks-deletion")
def test_provisioner_cannot_remove_what_mysql_made_on_a_squashed_export(
    squashed_stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    make = "mkdir -m 700 /nfs/mysql && echo rows > /nfs/mysql/ibdata1"
    with step("deploy the provisioner on an export with root_squash"):
        squashed_stack.deploy_provisioner()
    with provisioned(squashed_stack, "squashed", ClassSettings(on_delete="delete")) as volume:
        with step(f"a pod of user {_MYSQL} makes a directory of its own, mode 700"):
            run_pod(squashed_stack, pod("mysql", of_claim("squashed"), make, uid=_MYSQL))
        with step("delete the claim; onDelete is delete"):
            volume.delete_claim()
            volume.wait_for("Released", timeout=_KEPT_SECONDS)
        said = volume.events()
        data = squashed_stack.folder(f"{volume.directory}/mysql/ibdata1")
        left = squashed_stack.env.inspector.stat(data)
        observe(f"the volume stays Released; events: {said}; the server has: {left}")
        assert left is not None, "the data was removed"
        assert squashed_stack.env.inspector.read(data) == "rows\n"
        assert any("permission denied" in text for text in said), "no event says why"
