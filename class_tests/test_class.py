"""What a user with few rights gets to know about a class, and what is left of it."""

from pathlib import Path

import pytest

from class_tests.foreign import STORAGE_CLASS, Foreign, enforce_restricted
from class_tests.running import judge
from landfast.kube.client import Object
from landfast.verdict import Verdict


def test_smoke_finds_the_class_fit(foreign: Foreign, tmp_path: Path) -> None:
    """Three claims, in a minute."""
    verdicts = judge(foreign, "smoke", tmp_path)
    assert set(verdicts.values()) == {Verdict.PASS}, verdicts
    assert len(verdicts) == 3


def test_conformance_judges_every_claim(foreign: Foreign, tmp_path: Path) -> None:
    """All of them hold."""
    verdicts = judge(foreign, "conformance", tmp_path)
    assert set(verdicts.values()) == {Verdict.PASS}, _not_passed(verdicts)
    assert len(verdicts) >= 30


@pytest.mark.parametrize(
    ("defect", "claims"),
    [
        ({"mountOptions": ["soft"]}, {"mount-is-hard"}),
        ({"mountOptions": ["nolock"]}, {"locks-reach-the-server", "lock-excludes-another-node"}),
        ({"parameters": {"pathPattern": "all"}}, {"two-pvcs-two-directories"}),
        ({"allowVolumeExpansion": True}, {"expansion-is-done-or-refused"}),
    ],
    ids=["soft", "nolock", "one directory", "expansion that lies"],
)
def test_defect_of_a_class_is_found(
    foreign: Foreign, tmp_path: Path, defect: Object, claims: set[str]
) -> None:
    """What is wrong with the class is red, and nothing else."""
    (good,) = [
        found
        for found in foreign.kube.list("StorageClass")
        if found["metadata"]["name"] == STORAGE_CLASS
    ]
    wanted = {key: value for key, value in good.items() if key != "metadata"}
    meta = {"metadata": {"name": STORAGE_CLASS}}
    foreign.kube.delete("StorageClass", STORAGE_CLASS)
    foreign.kube.create({**wanted, **defect, **meta})
    try:
        names = " or ".join(_TESTS[claim] for claim in claims)
        verdicts = judge(foreign, "conformance", tmp_path, "-k", names)
    finally:
        foreign.kube.delete("StorageClass", STORAGE_CLASS)
        foreign.kube.create({**wanted, **meta})
    failed = {claim.partition(".")[2] for claim, v in verdicts.items() if v is Verdict.FAIL}
    assert failed == claims, verdicts


_TESTS = {
    "mount-is-hard": "test_volumes_are_not_mounted_soft",
    "locks-reach-the-server": "test_volumes_are_not_mounted_with_local_locks",
    "lock-excludes-another-node": "test_lock_of_one_node_is_refused_on_another",
    "two-pvcs-two-directories": "test_two_pvcs_share_nothing",
    "expansion-is-done-or-refused": "test_expansion_is_carried_out_refused_or_reported",
}


def test_mysql_survives_what_a_namespace_lets_break(foreign: Foreign, tmp_path: Path) -> None:
    """Nine faults, and one that needs a cluster of one's own."""
    verdicts = judge(foreign, "chaos", tmp_path, "--scenario", ",".join([*_NEAR, "nfs-kill"]))
    assert verdicts == {
        **{f"chaos.{name}": Verdict.PASS for name in _NEAR},
        "chaos.nfs-kill": Verdict.SKIPPED,
    }


_NEAR = (
    *("pod-delete", "pod-force-delete", "pod-evict"),
    *("statefulset-recreate", "statefulset-scale-to-zero", "image-restart-loop"),
    *("mysqld-sigkill", "mysqld-sigstop", "mysqld-oom"),
)


def test_strict_cluster_admits_everything_but_root(foreign: Foreign, tmp_path: Path) -> None:
    """PodSecurity `restricted` costs one claim."""
    enforce_restricted(foreign.env)
    verdicts = judge(foreign, "conformance", tmp_path)
    skipped = {claim for claim, verdict in verdicts.items() if verdict is Verdict.SKIPPED}
    assert skipped == {"storageclass.root-can-give-files-away"}, _not_passed(verdicts)
    assert set(verdicts.values()) == {Verdict.PASS, Verdict.SKIPPED}, _not_passed(verdicts)


def _not_passed(verdicts: dict[str, Verdict]) -> dict[str, Verdict]:
    return {claim: verdict for claim, verdict in verdicts.items() if verdict is not Verdict.PASS}
