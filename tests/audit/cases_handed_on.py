"""Directories that the next PVC of a name gets with the old data."""

from typing import Any

from cases_csi import OWN, made
from objects_to_audit import RETAIN, Case, parameters, statefulset, storage_class

from landfast.kube.client import Object

PER_PVC = "${.PVC.namespace}-${.PVC.name}"
NESTED = "${.PVC.namespace}/${.PVC.name}"
KEPT = {"onDelete": "retain"}


def subdir(pattern: str, **fields: Any) -> list[Object]:
    return [storage_class("nfs", parameters={"pathPattern": pattern}, **fields)]


def retention(**given: str) -> Object:
    return statefulset(persistentVolumeClaimRetentionPolicy=given)


HANDED_ON: list[Case] = [
    Case(
        "directory-handed-on",
        subdir(NESTED, **RETAIN),
        [storage_class("nfs", parameters={}, **RETAIN)],  # a new directory for each volume
        f"'{NESTED}' is the same for the next PVC of a name, and it keeps what the last one wrote",
        "note",
    ),
    Case(
        "directory-handed-on",
        [parameters(pathPattern=PER_PVC, **KEPT)],
        [parameters(pathPattern=PER_PVC, onDelete="delete")],
        "it keeps what the last one wrote",
        "note",
    ),
    Case(
        "directory-handed-on",
        [parameters(pathPattern=NESTED, onDelete="delete")],
        [parameters(pathPattern=PER_PVC, archiveOnDelete="true")],
        "what the last one wrote is left behind",
        "note",
    ),
    Case(
        "directory-handed-on",
        [made({"subDir": OWN, "onDelete": "retain"})],
        [made({"subDir": f"{OWN}-${{pv.metadata.name}}", "onDelete": "retain"})],
        "it keeps what the last one wrote",
        "note",
    ),
    Case(
        "directory-handed-on",
        [made({"subDir": OWN}, **RETAIN)],
        [made({"subDir": OWN})],
        "it keeps",
        "note",
    ),
    Case(
        "directory-handed-on",
        [made({"subDir": OWN}, **RETAIN)],
        [made({"subDir": "all"}, **RETAIN)],  # which another rule reports
        "it keeps",
        "note",
    ),
    Case(
        "directory-handed-on",
        subdir(PER_PVC, **RETAIN),
        subdir("${.PVC.name}", **RETAIN),
        "it keeps",
        "note",
    ),
    Case(
        "directory-handed-on",
        [made({"subDir": OWN}, **RETAIN), retention(whenScaled="Delete")],
        [storage_class("other", parameters={}), retention(whenScaled="Delete")],
        "StatefulSet shop/db (mysql:8.0) deletes its PVCs and creates them again",
        "warning",
    ),
    Case(
        "directory-handed-on",
        [*subdir(PER_PVC, **RETAIN), retention(whenDeleted="Delete")],
        [made({}), retention(whenDeleted="Delete")],
        "deletes its PVCs and creates them again",
        "warning",
    ),
    Case(
        "directory-handed-on",
        [*subdir(PER_PVC, **RETAIN), retention(whenDeleted="Retain")],
        [made({}), retention(whenDeleted="Delete")],
        "it keeps what the last one wrote",
        "note",
    ),
    Case(
        "directory-handed-on",
        [
            *subdir(PER_PVC, **RETAIN),
            statefulset(
                image="nginx", persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}
            ),
        ],
        [made({})],
        "it keeps what the last one wrote",
        "note",
    ),
]
