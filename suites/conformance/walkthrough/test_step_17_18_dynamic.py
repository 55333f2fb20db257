"""Steps 17 and 18: PVs made on demand, and what deleting their PVCs leaves on the export."""

from pathlib import PurePosixPath

import pytest

from fixtures.session import Run
from landfast import timeouts
from landfast.journal import Note
from landfast.stack import Stack
from landfast.steps import Steps
from landfast.waiting import wait_until
from suites.conformance.walkthrough.volumes import TEXT, delete_pvc, folder_name, provision
from suites.objects import patched, pvc, stays_pending

_STAYS_SECONDS = 3


@pytest.mark.claim("walkthrough.class-makes-a-volume")
def test_pvc_of_a_class_with_a_provisioner_gets_a_new_pv(stack: Stack, test: Steps) -> None:
    with test.step("deploy the provisioner"):
        stack.deploy_provisioner()
    with test.verify("a PVC gets a PV though none was prepared"):
        pv = provision(stack, "data")
    name, path = folder_name(stack, "data", pv), pv["spec"]["nfs"]["path"]
    folder = stack.export.stat(name)
    test.observe(f"{pv['metadata']['name']} was made with path {path}, {pv['status']['phase']}")
    test.observe(f"the server has: {folder}")
    assert path == f"{stack.overlay.root}/{name}", f"the PV's path is {path}"
    assert folder is not None, f"there is no folder {name} on the export"
    assert folder.type == "directory", f"{name} on the export is a {folder.type}"


@pytest.mark.claim("walkthrough.selector-is-refused")
def test_pvc_with_a_selector_is_refused_by_the_provisioner(stack: Stack, test: Steps) -> None:
    with test.step("deploy the provisioner, create a PVC without a selector and one with"):
        stack.deploy_provisioner()
        pv = provision(stack, "plain")
        stack.make(pvc("choosy", selector={"matchLabels": {"app": "nfs-pv-test"}}))
    test.observe(f"the PVC without a selector got {pv['metadata']['name']}")
    with test.verify(
        f"an event refuses the selector, and the PVC is Pending for {_STAYS_SECONDS} s"
    ):
        refusal = wait_until(
            "an event that says that selectors are not supported",
            lambda: [e["message"] for e in stack.kube.events(stack.namespace, name="choosy")],
            until=lambda said: any("selector is not supported" in text.lower() for text in said),
            timeout=timeouts.EVENT,
        )
        stays_pending(stack, "choosy", seconds=_STAYS_SECONDS)
    test.observe(f"the PVC with a selector stays Pending; its events: {refusal}")


def files_left_after_deletion(stack: Stack, test: Steps) -> tuple[str, dict[str, str]]:
    """Let a PV be made, put a file on it, delete its PVC; return its folder and what is left."""
    with test.step("have a PV provisioned, write a file into its folder"):
        stack.deploy_provisioner()
        pv = provision(stack, "data")
        folder = str(PurePosixPath(pv["spec"]["nfs"]["path"]).relative_to(stack.overlay.root))
        stack.export.write(f"{folder}/data.txt", TEXT)
    with test.verify("the PV goes when its PVC is deleted"):
        return folder, delete_pvc(stack, "data", pv)


@pytest.mark.claim("walkthrough.deletion-archives")
def test_deleted_pvc_is_archived_with_archive_on_delete_true(stack: Stack, test: Steps) -> None:
    folder, left = files_left_after_deletion(stack, test)
    test.observe(f'archiveOnDelete "true": the PV is gone, the server has {left}')
    assert left == {f"archived-{folder}/data.txt": TEXT}, "the data was not archived"


@pytest.mark.claim("walkthrough.deletion-archives-by-default")
def test_deleted_pvc_is_archived_without_archive_on_delete(
    stack: Stack, test: Steps, run: Run
) -> None:
    stack.changes.append(patched("StorageClass", {"parameters": {"archiveOnDelete": None}}))
    folder, left = files_left_after_deletion(stack, test)
    test.observe(f"archiveOnDelete left out: the PV is gone, the server has {left}")
    said = "Step 18 of the reference says that leaving out archiveOnDelete deletes the data."
    seen = f"after the PVC was deleted, the server had {sorted(left) or 'nothing'}"
    run.journal.write(Note(text=f"{said} Observed: {seen}."))
    assert left == {f"archived-{folder}/data.txt": TEXT}, "the data was not archived"


@pytest.mark.claim("walkthrough.deletion-removes")
def test_deleted_pvc_is_removed_with_archive_on_delete_false(stack: Stack, test: Steps) -> None:
    stack.changes.append(patched("StorageClass", {"parameters": {"archiveOnDelete": "false"}}))
    folder, left = files_left_after_deletion(stack, test)
    folders = sorted(stack.export.list())
    test.observe(f'archiveOnDelete "false": the PV is gone; of {folder} the server has {folders}')
    assert left == {}, "data is left on the server"
    assert folders == [], "a folder is left on the server"
