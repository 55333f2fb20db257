"""What the provisioner refuses, what it does not enforce, and what the server forbids it."""

import pytest

from landfast.kube.client import Object
from landfast.provisioning.contract import ClassSettings
from landfast.provisioning.volumes import provisioned
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.hazards.objects import folders
from suites.objects import of_pvc, pod, run_to_its_end, shell
from suites.refusals import refused

_MYSQL = 999  # the user of MySQL's image
_NOBODY = 65534
_MIB = 1 << 20
_FULL_MIB = 50


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param(
            {"selector": {}},
            "selector is not supported",
            id="empty selector",
            marks=pytest.mark.claim("hazards.empty-selector-is-refused"),
        ),
        pytest.param(
            {"volumeMode": "Block"},
            "does not support block volume provisioning",
            id="block volume",
            marks=pytest.mark.claim("hazards.block-is-refused"),
        ),
    ],
)
def test_pvc_that_the_provisioner_cannot_serve_is_refused(
    spec: Object, reason: str, provisioner: Stack, test: Steps
) -> None:
    # a name of its own: events are found by name, and another case's outlive its PVC
    name = f"refused-{'-'.join(spec).lower()}"
    messages = refused(provisioner, name, ClassSettings(on_delete="delete"), test, **spec)
    made = folders(provisioner)
    test.observe(f"the server has {made or 'no directory'}")
    assert reason in messages[-1].lower()
    assert made == [], "a directory was made for a PVC that was refused"


@pytest.mark.claim("hazards.size-is-not-enforced")
def test_pvc_for_1_mi_takes_50_mib(provisioner: Stack, test: Steps) -> None:
    write = shell(f"dd if=/dev/zero of=/nfs/big bs=1M count={_FULL_MIB} 2>&1; echo exit code $?")
    with provisioned(provisioner, "greedy", ClassSettings()) as volume:
        with test.step(f"a pod writes {_FULL_MIB} MiB into a PVC for 1Mi"):
            output = run_to_its_end(provisioner, pod("greedy", write, volume=of_pvc("greedy")))
        capacity = provisioner.kube.get("PersistentVolume", volume.name)["spec"]["capacity"]
        big = provisioner.export.stat(f"{volume.directory}/big")
        test.observe(f"the volume's capacity is {capacity['storage']}; the pod says: {output}")
        test.observe(f"the server has {big or 'no such file'}")
        assert capacity["storage"] == "1Mi"
        assert big is not None, "the server does not have the file"
        assert big.size == _FULL_MIB * _MIB


@pytest.mark.claim("hazards.root-squash-forbids-chown")
def test_root_cannot_give_files_to_mysql_on_a_squashed_export(
    squashed_stack: Stack, test: Steps
) -> None:
    inline = {"nfs": {"server": "192.168.3.133", "path": "/data/share"}}
    give = shell(f"cd /nfs && touch of-root && chown {_MYSQL} of-root 2>&1; echo exit code $?")
    write = shell("touch /nfs/of-mysql 2>&1; echo exit code $?")
    with test.step("root writes a file and gives it to MySQL's user; that user writes one itself"):
        by_root = run_to_its_end(squashed_stack, pod("root", give, volume=inline, uid=0))
        mysql = pod("mysql", write, volume=inline, uid=_MYSQL)
        by_mysql = run_to_its_end(squashed_stack, mysql)
    test.observe(f"root in a pod: {by_root}; user {_MYSQL} in a pod: {by_mysql}")
    owners = {path: entry.uid for path, entry in squashed_stack.export.list().items()}
    test.observe(f"on the server the files belong to {owners}")
    assert owners == {"of-mysql": _MYSQL, "of-root": _NOBODY}


@pytest.mark.claim("hazards.root-squash-blocks-deletion")
def test_provisioner_cannot_remove_what_mysql_made_on_a_squashed_export(
    squashed_stack: Stack, test: Steps
) -> None:
    make = shell("mkdir -m 700 /nfs/mysql && echo rows > /nfs/mysql/ibdata1")
    mysql = pod("mysql", make, volume=of_pvc("squashed"), uid=_MYSQL)
    with test.step("deploy the provisioner on an export with root_squash"):
        squashed_stack.deploy_provisioner()
    with provisioned(squashed_stack, "squashed", ClassSettings(on_delete="delete")) as volume:
        with test.step(f"a pod of user {_MYSQL} makes a directory with mode 700; delete the PVC"):
            run_to_its_end(squashed_stack, mysql)
            volume.delete_pvc()
        with test.verify("the volume stays Released although onDelete is delete"):
            volume.wait_for("Released")
        events = volume.events()
        data = f"{volume.directory}/mysql/ibdata1"
        left = squashed_stack.export.stat(data)
        test.observe(f"events: {events}; the server has {left or 'no such file'}")
        assert left is not None, "the data was removed"
        assert squashed_stack.export.read(data) == "rows\n"
        assert any("permission denied" in text for text in events), "no event says why"
