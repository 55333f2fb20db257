"""A PVC is bound: what does its PV carry, and what does its directory look like?"""

from dataclasses import replace

import pytest

from fixtures.csi import CsiBench
from landfast.provisioning.csi import ClassSettings, mode, share_mode
from landfast.steps import Steps
from suites.carried import Carried, lacking_options, with_mount_options
from suites.conformance.csi.carried import CARRIED, SETTINGS
from suites.objects import of_pvc, pod, run_to_its_end, shell
from suites.refusals import refused
from suites.tables import each

pytestmark = pytest.mark.xdist_group("csi")
_PLAIN = ClassSettings("", "", on_delete="delete")
_SHARED = replace(_PLAIN, mount_permissions="0775")


@each("carried", CARRIED)
def test_provisioned_pv_carries_what_it_must(carried: Carried, csi: CsiBench, test: Steps) -> None:
    csi.stack.changes.insert(0, with_mount_options)  # before what a sabotage makes of it
    with csi.volume(carried.slug, csi.placed(SETTINGS)) as volume:
        pv = csi.stack.kube.get("PersistentVolume", volume.name)
        seen, expected = carried.seen(pv), carried.expected(volume)
        test.observe(f"PV {volume.name}: {seen}")
        assert seen == expected, f"{seen}, not {expected}"


@pytest.mark.claim("csi.mount-options-take-effect")
def test_mount_of_a_pod_has_the_options_of_the_class(csi: CsiBench, test: Steps) -> None:
    csi.stack.changes.insert(0, with_mount_options)  # before what a sabotage makes of it
    look = shell("grep ' /nfs ' /proc/self/mountinfo")
    with csi.volume("mounted", csi.placed(_PLAIN)):
        with test.step("run a pod that prints its mounts"):
            mount = run_to_its_end(csi.stack, pod("mounted", look, volume=of_pvc("mounted")))
        test.observe(f"the pod has mounted it so: {mount}")
        lacking = lacking_options(mount)
        assert not lacking, f"the mount lacks {', '.join(lacking)} of the class"


@pytest.mark.claim("csi.directory-has-mode-0755")
def test_new_directory_belongs_to_root_and_has_mode_0755(csi: CsiBench, test: Steps) -> None:
    with csi.volume("closed", csi.placed(_PLAIN), write=False) as volume:
        entry = csi.stack.export.stat(volume.directory)
        assert entry is not None, "the server does not have the directory"
        test.observe(f"the server has {entry}")
        assert (entry.type, entry.uid, entry.gid) == ("directory", 0, 0)
        assert entry.mode == mode(_PLAIN), f"its mode is {entry.mode:04o}, not {mode(_PLAIN):04o}"


@pytest.mark.claim("csi.permissions-reach-the-share")
def test_mount_permissions_change_the_directory_and_the_share(csi: CsiBench, test: Steps) -> None:
    with csi.volume("opened", csi.placed(_SHARED), write=False) as volume:
        env = csi.stack.env
        share = env.inspector.stat(csi.stack.overlay.subtree)
        own = csi.stack.export.stat(volume.directory)
        assert own is not None, "the server does not have the directory"
        assert share is not None, "the server does not have the share"
        seen = f"the directory has mode {own.mode:04o}, the share {share.mode:04o}"
        test.observe(seen)
        assert (own.mode, share.mode) == (mode(_SHARED), share_mode(_SHARED)), seen


@pytest.mark.claim("csi.two-pvcs-two-directories")
def test_two_pvcs_of_one_class_get_two_directories(csi: CsiBench, test: Steps) -> None:
    with csi.volume("one", csi.placed(_PLAIN)) as one, csi.volume("two", csi.placed(_PLAIN)) as two:
        test.observe(f"the directories are {one.directory} and {two.directory}")
        assert one.directory != two.directory, "both PVCs have one directory"


@pytest.mark.claim("csi.selector-is-refused")
def test_pvc_with_a_selector_is_refused(csi: CsiBench, test: Steps) -> None:
    messages = refused(csi.stack, "selecting", csi.placed(_PLAIN), test, selector={})
    assert "claim Selector is not supported" in messages[-1]


@pytest.mark.claim("csi.block-is-refused")
def test_pvc_for_a_block_volume_is_refused(csi: CsiBench, test: Steps) -> None:
    messages = refused(csi.stack, "block", csi.placed(_PLAIN), test, volumeMode="Block")
    assert "block volume capability not supported" in messages[-1]
