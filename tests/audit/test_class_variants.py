"""The rules for classes and mount options, whatever the names, the order and the objects are.

What csi-driver-nfs refuses and mixes up says its contract.
"""

from typing import Any

from cases_csi import OWN
from cases_csi import made as csi_class
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import audited, bound, controller, pv, statefulset, storage_class

from landfast.audit.csi_nfs import settings
from landfast.audit.findings import Finding, Severity
from landfast.audit.parsing import parse
from landfast.audit.place import Place
from landfast.kube.client import Object
from landfast.nfs.mount_options import family
from landfast.provisioning import csi
from landfast.provisioning.contract import PvcMeta, Reclaimed
from landfast.provisioning.csi_deletion import fate

HARMLESS = ["hard", "nfsvers=4.1", "noatime", "rsize=1048576", "timeo=600", "_netdev"]
HARMFUL = ["soft", "softerr"]
NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
ENGINES = st.sampled_from(["mysql:8.4", "docker.io/library/postgres:17", "registry:5000/x/mongo:7"])


def of(rule: str, found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.rule.id == f"audit.{rule}"]


def volume_with(options: list[str], name: str) -> list[Object]:
    return bound(name, mountOptions=options)


def class_with(options: list[str], name: str) -> list[Object]:
    return [storage_class(name, mountOptions=options)]


def csi_class_with(options: list[str], name: str) -> list[Object]:
    found = csi_class({}, mountOptions=options)
    found["metadata"]["name"] = name
    return [found]


KINDS = st.sampled_from([volume_with, class_with, csi_class_with])


@given(KINDS, NAMES, st.lists(st.sampled_from([*HARMLESS, *HARMFUL]), max_size=6), st.booleans())
def test_the_last_of_contrary_options_counts_wherever_it_is(
    on: Any, name: str, options: list[str], joined: bool
) -> None:
    given_ = [",".join(options)] if joined else options
    found = of("unsafe-mount-options", audited(*on(given_, name), complete=False))
    last = {family(option): option for option in options}.get("hard")
    assert bool(found) == (last in HARMFUL)
    assert {f.severity for f in found} <= {Severity.WARNING}


@given(st.sampled_from(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]), NAMES, ENGINES)
def test_under_a_database_it_is_an_error(kind: str, name: str, image: str) -> None:
    user = controller(kind, name, image, replicas=1)
    for options in (["soft"], ["hard", "nolock"], ["proto=udp", "nfsvers=3"]):
        found = audited(*volume_with(options, name), user, complete=False)
        assert Severity.ERROR in {f.severity for f in of("unsafe-mount-options", found)}


@given(NAMES, ENGINES, st.sampled_from([class_with, csi_class_with]))
def test_a_class_is_known_by_the_pvcs_of_a_statefulset(name: str, image: str, on: Any) -> None:
    database = statefulset(name, image)
    template = database["spec"]["volumeClaimTemplates"][0]["spec"]
    template["storageClassName"] = name
    found = audited(*on(["soft"], name), database, complete=False)
    assert [f.severity for f in of("unsafe-mount-options", found)] == [Severity.ERROR]


CASES = st.sampled_from([str.lower, str.upper, str.title, str])
VALUES = {
    "subDir": [
        "a",
        ".",
        "a/../b",
        "${pvc.metadata.name}",
        "${pv.metadata.name}",
        OWN,
        f"x/{OWN}",
        f"a#{OWN}",
    ],
    "onDelete": ["delete", "retain", "archive", "keep", ""],
    "mountPermissions": ["0777", "0", "rwx"],
    "archiveOnDelete": ["true"],
}


@given(
    st.dictionaries(st.sampled_from(list(VALUES)), st.integers(0, 9), max_size=4),
    CASES,
    st.sampled_from(["Delete", "Retain"]),
)
def test_csi_classes_are_judged_as_their_contract_says(
    chosen: dict[str, int], spell: Any, policy: str
) -> None:
    parameters = {spell(key): VALUES[key][n % len(VALUES[key])] for key, n in chosen.items()}
    obj = csi_class(parameters, reclaimPolicy=policy)
    found = audited(obj, complete=False)
    refused = csi.refusal({key: str(value) for key, value in obj["parameters"].items()})
    assert bool(of("csi-class-refused", found)) == (refused is not None)
    if refused:
        return
    [made] = parse(obj, Place())
    given_ = settings(made)  # type: ignore[arg-type]
    one, two = PvcMeta("n", "a"), PvcMeta("m", "a")
    first, second = (csi.directory(given_, pvc, f"pv-{pvc.namespace}") for pvc in (one, two))
    shares = of("csi-sub-dir-shared", found) + of("csi-sub-dir-is-the-share", found)
    assert bool(shares) == (first == second)
    again = fate(given_, one, "pv-1"), fate(given_, one, "pv-2")
    taken = again[0].reclaimed is Reclaimed.ARCHIVED and again[0].data == again[1].data
    assert bool(of("csi-archive-taken", found)) == taken


@given(NAMES, NAMES, st.sampled_from(["nfsvers=3.1", "nfservers=4.1", "Hard", "rsize=big"]))
def test_what_mount_refuses_is_found_on_volumes_and_classes(
    name: str, other: str, option: str
) -> None:
    for objects in (
        [pv(name, mountOptions=["hard", option])],
        class_with([option, "hard"], name),
        csi_class_with([f"hard,{option}"], other),
    ):
        found = of("refused-mount-option", audited(*objects, complete=False))
        assert [f.severity for f in found] == [Severity.ERROR]
        assert option in found[0].message
