"""What a user with few rights gets to know about a class, and what is left of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from class_tests.foreign import (
    CSI_CLASS,
    STORAGE_CLASS,
    TEAM,
    Foreign,
    csi_class,
    enforce_restricted,
    install_class,
    user,
)
from class_tests.roles import differences, granted
from class_tests.running import judge, run
from landfast import timeouts
from landfast.cluster.rights import CLUSTER_WIDE, IN_NAMESPACE, OF_CLASS
from landfast.kube.calls import recorded
from landfast.kube.client import Object
from landfast.kube.status import is_ready
from landfast.provisioning.contract import Line
from landfast.registry import load_into_nodes
from landfast.verdict import Verdict
from landfast.waiting import wait_until
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
    assert not differences(recorded(tmp_path / "calls"), granted(OF_CLASS))


def test_guest_finds_the_class_fit(guest: Foreign, tmp_path: Path) -> None:
    """Three claims, in one namespace of others."""
    verdicts = judge(guest, "smoke", tmp_path, "--namespace", TEAM)
    assert set(verdicts.values()) == {Verdict.PASS}, verdicts
    assert len(verdicts) == 3


def test_guest_judges_the_class_in_a_strict_namespace(guest: Foreign, tmp_path: Path) -> None:
    """One namespace with a quota and PodSecurity `restricted`; on two of four nodes."""
    verdicts = judge(guest, "conformance", tmp_path, "--namespace", TEAM)
    skipped = {claim for claim, verdict in verdicts.items() if verdict is Verdict.SKIPPED}
    assert skipped == {
        "storageclass.root-can-give-files-away",
        "storageclass.deleted-namespace-leaks-nothing",
    }, _not_passed(verdicts)
    assert set(verdicts.values()) == {Verdict.PASS, Verdict.SKIPPED}, _not_passed(verdicts)
    assert not differences(recorded(tmp_path / "calls"), granted(IN_NAMESPACE, CLUSTER_WIDE))
    hosts = {event.get("source", {}).get("host") for event in guest.kube.events(TEAM)}
    assert len(hosts & set(guest.env.cluster.nodes)) == 2
    assert not hosts & set(guest.closed), "pods of the run were on a node that is closed to them"
    closed = [guest.kube.get("Node", name) for name in guest.closed]
    assert all(map(is_ready, closed)), "what kept pods away was not the taint or the label"


def test_guests_mysql_survives_two_faults(guest: Foreign, tmp_path: Path) -> None:
    """Chaos in the namespace too."""
    options = ("--namespace", TEAM, "--scenario", "pod-delete,mysqld-sigkill")
    verdicts = judge(guest, "chaos", tmp_path, *options)
    assert verdicts == dict.fromkeys(("chaos.pod-delete", "chaos.mysqld-sigkill"), Verdict.PASS), (
        verdicts
    )


def test_plan_changes_nothing(guest: Foreign, tmp_path: Path) -> None:
    """The objects and the rights are printed, and that is all."""
    code, said = run(guest, "conformance", tmp_path, "--namespace", TEAM, "--plan")
    assert code == 0
    assert "NAME-RUN-TEST-XXXX" in said
    asked = {verb for _, resource, verb in recorded(tmp_path / "calls") if "review" not in resource}
    assert asked <= {"get", "list"}


def test_image_that_no_node_can_pull_is_bad_input(foreign: Foreign, tmp_path: Path) -> None:
    """One sentence, before the first test."""
    options = ("--images", "registry", "--registry", "landfast.invalid:5000")
    code, said = run(foreign, "smoke", tmp_path, *options)
    assert code == 4
    assert "cannot pull landfast.invalid:5000/" in said
    assert "--pull-secret" in said


def test_quota_without_room_is_bad_input(guest: Foreign, tmp_path: Path) -> None:
    """The quota is named, and what it lacks."""
    small = _quota_of(guest, "8Mi")
    try:
        code, said = run(guest, "smoke", tmp_path, "--namespace", TEAM)
    finally:
        guest.kube.patch("ResourceQuota", "theirs", {"spec": small}, TEAM)
    assert code == 4
    assert "the quota theirs lacks" in said
    assert "of limits.memory" in said


def _quota_of(guest: Foreign, memory: str) -> Object:
    """Change the limit on memory; return what the quota was."""
    before: Object = guest.kube.get("ResourceQuota", "theirs", TEAM)["spec"]
    hard = {"hard": {"limits.memory": memory}}
    guest.kube.patch("ResourceQuota", "theirs", {"spec": hard}, TEAM)
    wait_until(
        "the quota to be enforced",
        lambda: guest.kube.get("ResourceQuota", "theirs", TEAM)["status"]["hard"],
        until=lambda found: found["limits.memory"] == memory,
        timeout=timeouts.CONTROLLER_OBSERVES,
    )
    return before


@pytest.fixture(scope="class")
def csi(foreign: Foreign) -> Iterator[None]:
    """A CSI driver and its class, for the tests of one class alone."""
    with csi_class(foreign.env):
        yield


@pytest.mark.usefixtures("csi")
class TestClassOfCsiDriver:
    """The same, on a class of a CSI driver."""

    def test_conformance_judges_every_claim(self, foreign: Foreign, tmp_path: Path) -> None:
        """All of them hold, too."""
        verdicts = judge(foreign, "conformance", tmp_path, storage_class=CSI_CLASS)
        assert set(verdicts.values()) == {Verdict.PASS}, _not_passed(verdicts)
        assert len(verdicts) >= 30

    def test_mysql_survives_what_a_namespace_lets_break(
        self, foreign: Foreign, tmp_path: Path
    ) -> None:
        """Nine faults."""
        options = ("--scenario", ",".join(_NEAR))
        verdicts = judge(foreign, "chaos", tmp_path, *options, storage_class=CSI_CLASS)
        assert verdicts == {f"chaos.{name}": Verdict.PASS for name in _NEAR}


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
        full = replace(foreign, kubeconfig=user(env, "landfast-full", tmp_path / "kubeconfig"))
        options = (*_POLICY, "--nfs-server", f"{env.export.server}:{env.export.path}")
        stays = "export forgetful/"  # as the defect has it
        seen = judge(
            full, "conformance", tmp_path, *options, storage_class="forgetful", leaves=stays
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
