"""Steps 17 and 18: volumes made on demand, and what deleting their claims leaves on the export."""

from collections.abc import Callable

import pytest

from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.waiting import stays_true, wait_until
from suites.conformance.walkthrough.objects import archive_on_delete, pvc
from suites.conformance.walkthrough.volumes import (
    TEXT,
    delete_claim,
    folder_name,
    provision,
)

_EVENT_SECONDS = 40
_STAYS_SECONDS = 3


@pytest.mark.claim("walkthrough.class-makes-a-volume")
def test_claim_of_a_class_with_a_provisioner_gets_a_new_volume(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("deploy the provisioner and create a claim, no volume"):
        pv = provision(stack, "data")
    name, path = folder_name(stack, "data", pv), pv["spec"]["nfs"]["path"]
    folder = stack.env.inspector.stat(stack.folder(name))
    observe(f"{pv['metadata']['name']} was made with path {path}, {pv['status']['phase']}")
    observe(f"the server has: {folder}")
    assert path == f"{stack.overlay.root}/{name}", f"the volume's path is {path}"
    assert folder is not None, f"there is no folder {name} on the export"
    assert folder.type == "directory", f"{name} on the export is a {folder.type}"


@pytest.mark.claim("walkthrough.selector-is-refused")
def test_claim_with_a_selector_is_refused_by_the_provisioner(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with step("deploy the provisioner, create a claim without a selector and one with"):
        pv = provision(stack, "plain")
        stack.make(pvc("choosy", selector={"matchLabels": {"app": "nfs-pv-test"}}))
    observe(f"the claim without a selector got {pv['metadata']['name']}")
    with step("wait for the provisioner's refusal"):
        refusal = wait_until(
            "an event that says that selectors are not supported",
            lambda: [e["message"] for e in stack.kube.events(stack.namespace, name="choosy")],
            until=lambda said: any("selector is not supported" in text.lower() for text in said),
            timeout=_EVENT_SECONDS,
        )
    observe(f"events of the claim with a selector: {refusal}")
    stays_true(
        "that the claim with a selector is Pending",
        lambda: stack.kube.get("PersistentVolumeClaim", "choosy", stack.namespace)["status"],
        holds=lambda status: status["phase"] == "Pending",
        seconds=_STAYS_SECONDS,
    )
    observe(f"the claim with a selector stays Pending for {_STAYS_SECONDS} s")


def files_left_after_deletion(stack: Stack, step: StepFunction) -> tuple[str, dict[str, str]]:
    """Have a volume made, put a file on it, delete its claim; give its folder and what is left."""
    with step("have a volume made, write a file into its folder"):
        pv = provision(stack, "data")
        folder = folder_name(stack, "data", pv)
        stack.env.inspector.write(stack.folder(f"{folder}/data.txt"), TEXT)
    with step("delete the claim, wait until the volume is gone"):
        return folder, delete_claim(stack, "data", pv)


@pytest.mark.claim("walkthrough.deletion-archives")
def test_deleted_claim_is_archived_with_archive_on_delete_true(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    folder, left = files_left_after_deletion(stack, step)
    observe(f'archiveOnDelete "true": the volume is gone, the server has {left}')
    assert left == {f"archived-{folder}/data.txt": TEXT}, "the data was not archived"


@pytest.mark.claim("walkthrough.deletion-archives-by-default")
def test_deleted_claim_is_archived_without_archive_on_delete(
    stack: Stack, step: StepFunction, observe: ObserveFunction, note: Callable[[str], None]
) -> None:
    stack.changes.append(archive_on_delete(None))
    folder, left = files_left_after_deletion(stack, step)
    observe(f"archiveOnDelete left out: the volume is gone, the server has {left}")
    note(
        "Step 18 of the reference says that data is deleted where archiveOnDelete is left out. "
        f"Observed: after the claim was deleted, the server had {sorted(left) or 'nothing'}."
    )
    assert left == {f"archived-{folder}/data.txt": TEXT}, "the data was not archived"


@pytest.mark.claim("walkthrough.deletion-removes")
def test_deleted_claim_is_removed_with_archive_on_delete_false(
    stack: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    stack.changes.append(archive_on_delete("false"))
    folder, left = files_left_after_deletion(stack, step)
    folders = sorted(stack.env.inspector.list(stack.folder("")))
    observe(f'archiveOnDelete "false": the volume is gone, of {folder} the server has {folders}')
    assert left == {}, "data is left on the server"
    assert folders == [], "a folder is left on the server"
