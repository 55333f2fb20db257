"""What a user with few rights gets to know about a class, and what is left of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from class_tests.foreign import (
    CSI_CLASS,
    STORAGE_CLASS,
    Foreign,
    csi_class,
    enforce_restricted,
    install_class,
    user,
)
from class_tests.running import judge
from landfast.kube.client import Object
from landfast.provisioning.contract import Line
from landfast.registry import load_into_nodes
from landfast.verdict import Verdict
from suites.provisioner_builds import builds


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


def test_conformance_judges_a_class_of_a_csi_driver(foreign: Foreign, tmp_path: Path) -> None:
    """All of them hold, too."""
    with csi_class(foreign.env):
        verdicts = judge(foreign, "conformance", tmp_path, storage_class=CSI_CLASS)
    assert set(verdicts.values()) == {Verdict.PASS}, _not_passed(verdicts)
    assert len(verdicts) >= 30


@pytest.mark.parametrize(
    ("defect", "claims"),
    [
        ({"mountOptions": ["soft"]}, {"mount-is-hard"}),
        ({"mountOptions": ["nolock"]}, {"locks-reach-the-server", "lock-excludes-another-node"}),
        (
            {"parameters": {"archiveOnDelete": "false", "pathPattern": "all"}},
            {"two-pvcs-two-directories"},
        ),
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


def test_server_that_squashes_root_is_found(foreign: Foreign, tmp_path: Path) -> None:
    """MySQL's image cannot give its files to its user there."""
    install_class(foreign.env, "squashing", maker="squashing", squash=True)
    verdicts = judge(foreign, "conformance", tmp_path, *_WRITING, storage_class="squashing")
    assert verdicts == {
        "storageclass.mysqls-user-can-write": Verdict.PASS,
        "storageclass.root-can-give-files-away": Verdict.FAIL,
    }


def test_directory_that_outlives_its_volume_is_found(foreign: Foreign, tmp_path: Path) -> None:
    """From the server, which a user with more rights sees: the API tells of nothing."""
    defect = {"forgetful": {"DEFECT": "deletion-forgotten", "CONTRACT": Line.V402}}
    env = foreign.env
    assert env.engine is not None
    with builds(defect) as images:
        load_into_nodes(env.engine, [*images.values()], [*env.cluster.nodes])
        theirs = replace(env.images, provisioner=images["forgetful"])
        install_class(env.model_copy(update={"images": theirs}), "forgetful", maker="forgetful")
        full = Foreign(env, user(env, "landfast-full", tmp_path / "kubeconfig"))
        server = f"{env.export.server}:{env.export.path}"
        seen = judge(
            full,
            "conformance",
            tmp_path,
            *_POLICY,
            "--nfs-server",
            server,
            storage_class="forgetful",
        )
    assert seen == {"storageclass.policy-is-kept": Verdict.FAIL}


_WRITING = ("-k", "test_user_of_mysql or test_root_gives")
_POLICY = ("-k", "test_pv_ends_as_its_policy_says")
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
