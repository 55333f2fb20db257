"""Plant defects in the kit's provisioner and CSI driver: `python -m suites.prove_defects`.

`[DEFECT…] [--count 10]`; those of the CSI driver begin with `csi-`.

Each is a mistake that a fork or a rewrite could make. The test that is meant to find it must FAIL
every time, with a reason that names the cause. The cluster of the CSI driver is kept.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from landfast.journal import TestFinished
from landfast.provisioning.contract import Line
from landfast.verdict import Verdict
from suites.provisioner_builds import builds
from suites.running import SIDE_BY_SIDE, exit_with, run

_CELL = "reclaim/test_matrix.py::test_volume_ends_as_its_policy_and_class_say"
_DELETED = "dynamic-delete-archive-absent-ondelete-delete"
_ARCHIVED = "dynamic-delete-archive-absent-ondelete-absent"
_PATHS = "hazards/test_path_patterns.py::"
_MADE = "provisioning/test_provisioning.py::"
_CSI = "csi-"
_CSI_CELL = "csi/test_matrix.py::test_volume_ends_as_its_policy_and_class_say"
_CSI_MADE = "csi/test_provisioning.py::"
_ALIKE = "directories of others are gone: .*bystander"


@dataclass(frozen=True)
class Found:
    """The test that finds a defect, in `suites/conformance`, and what its reason must say.

    `cell` is the test's parameter, if it has any.
    """

    test: str
    reason: str
    line: Line | None = Line.V402
    """the release line of the provisioner that has the defect; None: the CSI driver has it"""
    cell: str = ""

    def tests(self, count: int) -> list[str]:
        """Return the ids of the tests; pytest-repeat adds to those of parameters."""
        test = f"suites/conformance/{self.test}"
        if not self.cell:
            return [test]
        rounds = [f"-{number}-{count}" for number in range(1, count + 1)] if count > 1 else [""]
        return [f"{test}[{self.cell}{suffix}]" for suffix in rounds]


DEFECTS = {
    "archive-replaces-empty": Found(
        "hazards/test_deletion.py::test_archive_of_the_name_of_an_empty_directory_fails",
        "the data is in archived-again, not in again",
    ),
    "placeholder-any-case": Found(
        f"{_PATHS}test_placeholder_in_lower_case_gives_every_pvc_one_directory", "it is all-one"
    ),
    "value-not-expanded": Found(
        f"{_PATHS}test_placeholder_in_an_annotation_is_expanded_if_the_pattern_has_it_later",
        "the value's placeholder is not expanded",
    ),
    "outside-under-mount": Found(
        f"{_PATHS}test_deletion_of_a_path_outside_nfs_path_removes_its_namesake_or_nothing",
        "the namesake's data was hit",
        Line.MASTER,
    ),
    "deletion-forgotten": Found(_CELL, "the volume's directory still exists", cell=_DELETED),
    "deletion-takes-alike": Found(_CELL, _ALIKE, cell=_DELETED),
    "archiving-takes-alike": Found(_CELL, _ALIKE, cell=_ARCHIVED),
    "deletion-takes-pvcs": Found(
        _CELL, "directories of others are gone: .*-2-pvc-.*bystander", cell=_DELETED
    ),
    "no-mount-options": Found(
        f"{_MADE}test_mount_of_a_pod_has_the_options_of_the_class",
        "the mount lacks noatime, noexec of the class",
    ),
    "closed-directory": Found(
        f"{_MADE}test_new_directory_belongs_to_root_and_has_mode_0777", "its mode is 0700"
    ),
    "second-directory": Found(
        "hazards/test_provisioners.py::"
        "test_provisioner_killed_between_directory_and_pv_leaks_and_doubles_nothing",
        "after the restart: .*-again",
    ),
    "csi-ondelete-ignored": Found(
        _CSI_CELL,
        "the data is nowhere, not in pvc-",
        None,
        "delete-ondelete-retain-subdir-none",
    ),
    "csi-one-directory": Found(
        f"{_CSI_MADE}test_two_pvcs_of_one_class_get_two_directories",
        "both PVCs have one directory",
        None,
    ),
    "csi-expansion-lies": Found(
        "csi/test_driver.py::test_expansion_is_carried_out",
        "the PV has 1Mi",
        None,
    ),
    "csi-no-mount-options": Found(
        f"{_CSI_MADE}test_mount_of_a_pod_has_the_options_of_the_class",
        "the mount lacks noatime, noexec of the class",
        None,
    ),
    "csi-deletion-takes-alike": Found(
        _CSI_CELL,
        _ALIKE,
        None,
        "delete-ondelete-delete-subdir-none",
    ),
    "csi-archiving-takes-alike": Found(
        _CSI_CELL,
        _ALIKE,
        None,
        "delete-ondelete-archive-subdir-none",
    ),
    "csi-closed-directory": Found(
        f"{_CSI_MADE}test_new_directory_belongs_to_root_and_has_mode_0755",
        "its mode is 0700",
        None,
    ),
    "csi-second-directory": Found(
        "csi/test_restart.py::"
        "test_driver_killed_between_directory_and_pv_leaks_and_doubles_nothing",
        "after the restart: .*-again",
        None,
    ),
}

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Run the test of each defect `--count` times; return 1 if a defect was once not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("defects", nargs="*", default=[*DEFECTS], metavar="DEFECT")
    parser.add_argument("--count", type=int, default=1, help="how often to run each test")
    parser.add_argument("--out", type=Path, default=Path("out/defects"))
    options = parser.parse_args()
    if unknown := set(options.defects) - set(DEFECTS):
        parser.error(f"no defect {', '.join(unknown)}; there are {', '.join(DEFECTS)}")
    wanted = {name: DEFECTS[name] for name in options.defects}
    lines = []
    missed = 0
    variables = {
        name: {"DEFECT": name, "CONTRACT": of.line} for name, of in wanted.items() if of.line
    }
    with builds(variables) as images:
        for name, of in wanted.items():
            console.print(f"planting {name}")
            events = run(
                of.tests(options.count),
                options.out,
                *(SIDE_BY_SIDE if options.count > 1 else ()),
                *("--count", str(options.count)),
                *("--images", "kit", *_planted(name, of.line, images.get(name, ""))),
            )
            ended = [event for event in events if isinstance(event, TestFinished)]
            found = [
                e for e in ended if e.verdict is Verdict.FAIL and re.search(of.reason, e.reason)
            ]
            missed += len(found) < options.count
            reason = " ".join(ended[0].reason.split()) if ended else "no test ended"
            lines.append(f"{name}: found {len(found)} times of {options.count}: {reason[:160]}")
    for line in lines:
        console.print(line)
    console.print(f"{len(wanted) - missed} of {len(wanted)} defects were found every time")
    return 1 if missed else 0


def _planted(name: str, line: Line | None, image: str) -> list[str]:
    """Return the options of a run in which the provisioner, or the CSI driver, has a defect."""
    if line is None:
        return ["--keep", "--csi-defect", name.removeprefix(_CSI)]
    return ["--provisioner-image", image, "--provisioner-contract", line]


if __name__ == "__main__":
    exit_with(main)
