"""Small inputs that went wrong once, each with what a storage engineer sees in it."""

from pathlib import Path

import pytest

from landfast.audit.findings import Finding
from landfast.audit.inventory import Inventory
from landfast.audit.manifests import read
from landfast.audit.rules import audit

CASES = Path(__file__).parent / "cases"

EXPECTED: dict[str, set[tuple[str, str]]] = {
    # what kubectl reads is read, and nothing is wrong in it
    "alias-bomb.yaml": set(),
    "bad-date.yaml": set(),
    "crd-value-tag.yaml": set(),
    "generate-name.yaml": {("database-without-volume", "error")},
    "list-without-apiversion.yaml": {("delete-on-static-volume", "warning")},
    "openshift-template.yaml": {("recycle-deprecated", "warning")},
    "tab-indented.json": {("delete-on-static-volume", "warning")},
    # binding
    "claim-of-pod-missing.yaml": {("pvc-of-pod-missing", "error")},
    "claimref-does-not-fit.yaml": {("reserved-volume-does-not-fit", "error")},
    "nil-class.yaml": {("class-left-out", "warning")},
    "static-too-small.yaml": {("no-volume-fits", "error")},
    "two-claims-one-volumename.yaml": {("volume-named-twice", "error")},
    "two-volumes-one-claimref.yaml": {("pvc-reserved-twice", "error")},
    "volumename-class-differs.yaml": {("named-volume-does-not-fit", "error")},
    "volumename-without-claimref.yaml": {("named-volume-not-reserved", "warning")},
    # classes and provisioners
    "class-expansion.yaml": {("expansion-not-done", "warning")},
    "class-provisioner-name.yaml": {("archive-on-delete-absent", "warning")},
    "class-retain-ignores-parameters.yaml": {("retain-ignores-parameters", "warning")},
    "class-unsafe-options.yaml": {("unsafe-mount-options", "warning")},
    "csi-class-foreign-parameter.yaml": {("csi-class-refused", "error")},
    "default-class-misspelt.yaml": {
        ("default-class-misspelt", "warning"),
        ("field-misspelt", "warning"),
        ("refused-mount-option", "error"),
    },
    "provisioner-mismatch.yaml": {
        ("provisioner-mismatch", "error"),
        ("provisioner-root-differs", "error"),
    },
    "provisioner-own-root-volume.yaml": set(),
    # databases
    "cronjob-job-init.yaml": {("database-twice-on-one-pvc", "error"), ("class-missing", "note")},
    "csi-inline.yaml": {
        ("unsafe-mount-options", "error"),
        ("database-without-volume", "error"),  # the PVC of an ephemeral volume goes with its pod
        ("class-missing", "note"),
    },
    "csi-volumes.yaml": {
        ("shared-directory", "error"),
        ("unsafe-mount-options", "error"),
        ("unsafe-mount-options", "warning"),  # nfsvers=3
        ("database-volume-not-retained", "warning"),  # nothing deletes it, and nothing keeps it
        ("delete-on-static-volume", "warning"),
    },
    "data-directory-not-mounted.yaml": {("data-directory-not-mounted", "error")},
    "database-without-volume.yaml": {("database-without-volume", "error")},
    "engines-not-known.yaml": {
        ("database-twice-on-one-pvc", "error"),
        ("database-volume-not-retained", "error"),
        ("unsafe-mount-options", "error"),
        ("unsafe-mount-options", "warning"),  # nfsvers=3
        ("data-directory-not-mounted", "error"),  # all is lost with the pod
        ("data-directory-not-mounted", "warning"),  # of what can be collected anew, or configured
        ("data-partly-mounted", "error"),  # ZooKeeper's image has its log in /datalog
        ("engine-not-for-nfs", "warning"),
        ("engine-not-for-nfs", "note"),
    },
    "grace-and-probes.yaml": {
        ("data-wiped-at-start", "error"),
        ("grace-period-short", "warning"),
        ("durability-off", "warning"),
        ("unsafe-mount-options", "warning"),  # ro and nocto; noac is only slow
        ("fs-group-on-nfs", "note"),
    },
    "nested-databases.yaml": {("nested-directory", "warning")},
    "nfs-server-on-emptydir.yaml": {
        ("nfs-server-without-volume", "error"),
        ("server-by-cluster-name", "warning"),
    },
    "not-servers.yaml": {("class-missing", "note")},
    "operator-cr.yaml": {
        ("cluster-without-backup", "note"),
        ("unsafe-mount-options", "error"),
        ("database-volume-not-retained", "error"),
    },
    "several-findings-first-only.yaml": {
        ("database-twice-on-one-pvc", "error"),
        ("volume-of-pvc-missing", "note"),
    },
    "shared-directory-rwx-databases.yaml": {("shared-directory", "error")},
    "sts-shared-claim.yaml": {("database-twice-on-one-pvc", "error"), ("class-missing", "note")},
}
"""Rule and severity of everything that is to be found in a file."""

NAMED: dict[str, tuple[str, set[str]]] = {
    "class-unsafe-options.yaml": ("unsafe-mount-options", {"soft", "nolock", "proto=udp"}),
    "csi-class-foreign-parameter.yaml": ("csi-class-refused", {"archiveOnDelete"}),
    "database-without-volume.yaml": (
        "database-without-volume",
        {"Deployment default/none", "Deployment default/empty"},
    ),
    "engines-not-known.yaml": (
        "database-twice-on-one-pvc",
        {f"Deployment default/w{number}" for number in range(1, 23)},
    ),
    "provisioner-mismatch.yaml": ("provisioner-mismatch", {"fuseim.pri/ifs"}),
    "several-findings-first-only.yaml": (
        "database-twice-on-one-pvc",
        {"Deployment default/one", "Deployment default/two", "a rolling update"},
    ),
    "shared-directory-rwx-databases.yaml": (
        "shared-directory",
        {"PersistentVolume a", "PersistentVolume b", "default/db-a", "default/db-b"},
    ),
    "static-too-small.yaml": ("no-volume-fits", {"1Gi", "5Gi"}),
    "two-claims-one-volumename.yaml": ("volume-named-twice", {"default/a", "default/b"}),
    "two-volumes-one-claimref.yaml": ("pvc-reserved-twice", {"PersistentVolume a", "default/web"}),
    "volumename-class-differs.yaml": ("named-volume-does-not-fit", {"nfs", '""'}),
    "volumename-without-claimref.yaml": ("named-volume-not-reserved", {"default/a", "default/b"}),
}
"""What the findings of one rule must name in a file: every object, option or value at fault."""


def found_in(name: str) -> list[Finding]:
    given = read([str(CASES / name)])
    assert given.problems == ()
    return audit(Inventory(given.resources, complete=False))


def test_every_case_is_judged() -> None:
    assert {path.name for path in CASES.iterdir()} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_case_has_what_a_storage_engineer_sees_in_it(name: str) -> None:
    found = {(f.rule.id.removeprefix("audit."), str(f.severity)) for f in found_in(name)}
    assert found == EXPECTED[name]


@pytest.mark.parametrize("name", NAMED)
def test_what_is_at_fault_is_named(name: str) -> None:
    rule, named = NAMED[name]
    of_rule = [f for f in found_in(name) if f.rule.id == f"audit.{rule}"]
    said = "\n".join(f"{f.title}: {f.message}" for f in of_rule)
    assert [word for word in named if word not in said] == []
