"""Every rule finds what it is for, as severe as it says, and not what only looks like it."""

import re
from pathlib import Path as File
from typing import Any

import pytest
from cases_archives import ARCHIVES
from cases_binding import BINDING
from cases_buckets import BUCKETS
from cases_classes import CLASSES
from cases_csi import CSI
from cases_databases import DATABASES
from cases_directories import DIRECTORIES
from cases_handed_on import HANDED_ON
from cases_ignores import IGNORES
from cases_mounts import MOUNTS
from cases_nfs_servers import NFS_SERVERS
from cases_nodes import NODES
from cases_one_node import ONE_NODE
from cases_options import OPTIONS
from cases_parts import PARTS
from cases_placeholders import PLACEHOLDERS
from cases_pods import PODS
from cases_provisioners import PROVISIONERS
from cases_servers import SERVERS
from cases_ties import TIES
from cases_unbound import UNBOUND
from cases_volumes import VOLUMES
from cases_workloads import WORKLOADS
from cases_writers import WRITERS
from kubernetes.client import (
    V1Container,
    V1DeploymentSpec,
    V1PersistentVolumeClaimSpec,
    V1PersistentVolumeSpec,
    V1PodSpec,
    V1StatefulSetSpec,
    V1StorageClass,
)
from objects_to_audit import (
    DEFAULT,
    RECYCLE,
    Case,
    audited,
    bound,
    inventory,
    pod,
    provisioner,
    pv,
    pvc,
    statefulset,
    storage_class,
)

from landfast.audit.export import ExportView
from landfast.audit.findings import Finding, Rule
from landfast.audit.place import Path
from landfast.audit.rules import RULES
from landfast.kube.client import Object
from suites import catalogue

ROOT = File(__file__).parents[2]
ALL = [
    *VOLUMES,
    *OPTIONS,
    *BINDING,
    *TIES,
    *UNBOUND,
    *CLASSES,
    *CSI,
    *HANDED_ON,
    *PROVISIONERS,
    *DATABASES,
    *SERVERS,
    *PARTS,
    *NFS_SERVERS,
    *ARCHIVES,
    *PODS,
    *WRITERS,
    *WORKLOADS,
    *MOUNTS,
    *BUCKETS,
    *PLACEHOLDERS,
    *NODES,
    *ONE_NODE,
    *DIRECTORIES,
    *IGNORES,
]
CASES = [pytest.param(case, id=f"{case.rule}-{number}") for number, case in enumerate(ALL)]


def of_rule(case: Case, objects: list[Object], export: ExportView | None) -> list[Finding]:
    found = audited(*objects, complete=case.complete, export=export)
    return [finding for finding in found if finding.rule.id == f"audit.{case.rule}"]


@pytest.mark.parametrize("case", CASES)
def test_the_rule_finds_it(case: Case) -> None:
    found = of_rule(case, case.bad, case.export)
    assert any(case.said in finding.message for finding in found), found
    assert {finding.severity for finding in found} == {case.severity}


@pytest.mark.parametrize("case", CASES)
def test_the_rule_leaves_a_near_miss_alone(case: Case) -> None:
    assert of_rule(case, case.near, case.near_export) == []


@pytest.mark.parametrize("case", CASES)
def test_a_finding_shows_an_object_and_a_field_of_it(case: Case) -> None:
    found = inventory(*case.bad, complete=case.complete, export=case.export)
    [rule] = [rule for rule in RULES if rule.id == f"audit.{case.rule}"]
    own = {id(resource) for resource in found.resources}
    for hit in rule.check(found):
        assert hit.on or hit.directory
        assert isinstance(hit.at, tuple)
        assert hit.at or hit.directory or case.rule in WHOLE, hit
        if hit.at and hit.on and id(hit.on) in own:  # not what a template makes
            kind_and_name = (hit.on.kind, hit.on.name)
            objects = [o for o in case.bad if (o["kind"], o["metadata"]["name"]) == kind_and_name]
            assert any(shown(hit.at, o) for o in objects), hit


WHOLE = {"released-volume", "defined-twice", "other-writer-on-database"}
"""Rules whose findings are about an object as a whole."""
FIELDS = {
    field
    for model in (
        V1DeploymentSpec,
        V1StatefulSetSpec,
        V1PodSpec,
        V1Container,
        V1StorageClass,
        V1PersistentVolumeSpec,
        V1PersistentVolumeClaimSpec,
    )
    for field in model.attribute_map.values()
}


def has(obj: Any, step: str | int) -> bool:
    return (isinstance(obj, dict) and step in obj) or (
        isinstance(obj, list) and step in range(len(obj))
    )


def shown(at: Path, obj: Any) -> bool:
    """Whether an object has what is at a path; what it leaves out is a field of the API.

    An index behind a text counts its parts.
    """
    for number, step in enumerate(at):
        if not has(obj, step):
            return {key for key in at[number:] if isinstance(key, str)} <= FIELDS
        obj = obj[step]
    return True


MEANT_ALONE = {
    "chown-on-nfs", "class-left-out", "class-missing", "class-of-no-provisioner",
    "class-of-volume-missing", "csi-driver-not-there", "database-in-a-bucket",
    "database-twice-on-one-node", "database-twice-on-one-pvc",
    "database-volume-not-retained", "foreign-volume", "kept-by-helm-only",
    "mount-without-volume", "named-volume-does-not-fit", "named-volume-not-reserved",
    "nested-directory", "no-default-class", "no-volume-fits", "nothing-provisions",
    "provisioner-mismatch", "provisioner-refuses-pvc", "provisioner-root-differs",
    "pvc-of-pod-missing", "pvc-of-several-pods", "recycle-shared-directory",
    "reserved-volume", "reserved-volume-does-not-fit", "shared-directory",
    "volume-named-twice", "volume-not-mounted",
}  # fmt: skip
"""Rules of which a case and its near miss have the same names, and would change each other."""


@pytest.mark.parametrize(
    "case", [case for case in ALL if case.rule not in MEANT_ALONE], ids=lambda case: case.rule
)
def test_the_rule_goes_on_after_a_near_miss(case: Case) -> None:
    found = of_rule(case, [*case.near, *case.bad], case.export)
    assert any(case.said in finding.message for finding in found), found


def test_every_rule_has_cases() -> None:
    assert {f"audit.{case.rule}" for case in ALL} == {rule.id for rule in RULES}


def test_rules_say_what_the_catalogue_needs() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 12
    for rule in RULES:
        assert rule.reason.endswith(".")
        assert rule.fix.endswith(".")
        assert len(rule.source) > 3


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_a_source_names_in_this_repository_is_there(rule: Rule) -> None:
    words = re.findall(r"[\w./-]*[\w-]", rule.source)
    ours = [word for word in words if word.startswith(("docs/", "landfast/", "suites/", "kit/"))]
    assert [path for path in ours if not (ROOT / path).exists()] == []
    suites = ("binding.", "hazards.", "protection.", "reclaim.", "walkthrough.")
    claims = (ROOT / "docs/claims.md").read_text()
    named = [word for word in words if word.startswith(suites)]
    assert [claim for claim in named if f"| {claim} |" not in claims] == []
    bare = [word for word in words if word.endswith(".md") and "/" not in word]
    assert bare == [], "a file of nobody knows where"


def test_the_page_has_the_rules() -> None:
    assert catalogue.RULES_FILE.read_text() == catalogue.rules_page(), "run `nox -s catalogue`"


def test_no_finding_is_worse_than_its_rule() -> None:
    found = [f for c in ALL for f in audited(*c.bad, complete=c.complete, export=c.export)]
    assert all(f.severity.rank >= f.rule.severity.rank for f in found)


def test_nothing_is_found_in_what_is_sound() -> None:
    sound = [
        storage_class("nfs", parameters={"onDelete": "retain"}, metadata=DEFAULT),
        statefulset(replicas=3),
        *bound("a", mountOptions=["hard", "nfsvers=4.1"]),
        pod("other", "a"),
        provisioner("/exports/dynamic"),
    ]
    assert audited(*sound, complete=True) == []


def test_the_newest_default_class_counts() -> None:
    old = {**DEFAULT, "creationTimestamp": "2026-01-01T00:00:00Z"}
    new = {**DEFAULT, "creationTimestamp": "2026-02-01T00:00:00Z"}
    found = inventory(storage_class("a", metadata=old), storage_class("b", metadata=new))
    assert [c.name for c in found.defaults] == ["b", "a"]


def test_a_rival_is_named_to_each_of_two() -> None:
    found = audited(pv("a"), pvc("one"), pvc("two"))
    assert {f.name: f.message.partition("also fits ")[2] for f in found} == {
        "one": "PersistentVolumeClaim shop/two",
        "two": "PersistentVolumeClaim shop/one",
    }


def test_a_volume_that_two_databases_could_take_is_named_once() -> None:
    pods = [pod("x", "one"), pod("y", "two")]
    found = audited(pv("a", **RECYCLE), pvc("one"), pvc("two"), *pods)
    assert [f.name for f in found if f.rule.id == "audit.database-volume-not-retained"] == ["a"]
