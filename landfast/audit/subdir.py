"""What the contract of nfs-subdir-external-provisioner says of a class; any PVC will do."""

import posixpath

from landfast.audit.objects import StorageClass
from landfast.provisioning.contract import ClassSettings, Fate, Line, PvcMeta, expand, fate

SAMPLES = (PvcMeta("one", "a"), PvcMeta("one", "b"), PvcMeta("two", "a"))
"""PVCs without labels and annotations that differ in name or namespace."""


def settings(storage_class: StorageClass) -> ClassSettings:
    """Return what a class says, as the contract takes it."""
    given = {key: str(value) for key, value in storage_class.parameters.items()}
    return ClassSettings(
        storage_class.reclaim_policy,
        given.get("archiveOnDelete"),
        given.get("onDelete"),
        given.get("pathPattern"),
    )


def fate_under(given: ClassSettings) -> Fate:
    """Return what v4.0.2 does with a volume once its PVC is deleted."""
    return fate(Line.V402, given, SAMPLES[0], "pvc-uid", "/export")


def directory(pattern: str, pvc: PvcMeta = SAMPLES[0]) -> str:
    """Return a volume's directory relative to the export; "." is the export itself."""
    return posixpath.normpath(expand(pattern, pvc).strip("/") or ".")
