"""A PVC is bound: what does its PV carry, and what does its directory look like?"""

import pytest

from fixtures.provisioner import Bench
from landfast.provisioning.contract import ClassSettings
from landfast.steps import Steps
from suites.carried import Carried, lacking_options, with_mount_options
from suites.conformance.provisioning.carried import CARRIED, SETTINGS
from suites.objects import of_pvc, patched, pod, run_to_its_end, shell
from suites.tables import each

_MODE = 0o777
_LABEL = "landfast/tier"


@each("carried", CARRIED)
def test_provisioned_pv_carries_what_it_must(carried: Carried, bench: Bench, test: Steps) -> None:
    bench.stack.changes.insert(0, with_mount_options)  # before what a sabotage makes of it
    with bench.volume(carried.slug, SETTINGS) as volume:
        pv = bench.stack.kube.get("PersistentVolume", volume.name)
        seen, expected = carried.seen(pv), carried.expected(volume)
        test.observe(f"PV {volume.name}: {seen}")
        assert seen == expected, f"{seen}, not {expected}"


@pytest.mark.claim("provisioning.mount-options-take-effect")
def test_mount_of_a_pod_has_the_options_of_the_class(bench: Bench, test: Steps) -> None:
    bench.stack.changes.insert(0, with_mount_options)  # before what a sabotage makes of it
    look = shell("grep ' /nfs ' /proc/self/mountinfo")
    with bench.volume("mounted", SETTINGS):
        with test.step("run a pod that prints its mounts"):
            mount = run_to_its_end(bench.stack, pod("mounted", look, volume=of_pvc("mounted")))
        test.observe(f"the pod has mounted it so: {mount}")
        lacking = lacking_options(mount)
        assert not lacking, f"the mount lacks {', '.join(lacking)} of the class"


@pytest.mark.claim("provisioning.directory-is-open-to-all")
def test_new_directory_belongs_to_root_and_has_mode_0777(bench: Bench, test: Steps) -> None:
    with bench.volume("open", SETTINGS, write=False) as volume:
        entry = bench.stack.export.stat(volume.directory)
        assert entry is not None, "the server does not have the directory"
        test.observe(f"the server has {entry}")
        assert (entry.type, entry.uid, entry.gid) == ("directory", 0, 0)
        assert entry.mode == _MODE, f"its mode is {entry.mode:04o}: not every user can write"


@pytest.mark.claim("provisioning.labels-name-the-directory")
def test_directory_is_named_after_a_label(bench: Bench, test: Steps) -> None:
    settings = ClassSettings(path_pattern=f"${{.PVC.labels.{_LABEL}}}-${{.PVC.name}}")
    bench.stack.changes.insert(
        0, patched("PersistentVolumeClaim", {"metadata": {"labels": {_LABEL: "gold"}}})
    )
    with bench.volume("labelled", settings) as volume:
        test.observe(f"the volume's directory is {volume.directory}")
        assert volume.directory == "gold-labelled"
