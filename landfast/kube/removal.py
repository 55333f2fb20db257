"""Deletes objects so that no data is lost: what holds data outlives what uses it."""

from collections.abc import Iterable

from landfast import timeouts
from landfast.kube.client import Kube, Object
from landfast.waiting import wait_until

Name = tuple[str, str, str | None]
"""kind, name, namespace"""
_RETAIN = {"spec": {"persistentVolumeReclaimPolicy": "Retain"}}


def retain(kube: Kube, pvs: Iterable[Object]) -> None:
    """Make PVs keep their data when their PVCs go.

    With Recycle the controller would scrub the PV's folder, which may be the whole export; with
    Delete a provisioner would remove or archive it.
    """
    for pv in pvs:
        if pv["spec"].get("persistentVolumeReclaimPolicy") != "Retain":
            kube.patch("PersistentVolume", pv["metadata"]["name"], _RETAIN)


def delete(
    kube: Kube, objects: Iterable[Object], *, grace_seconds: int | None = None
) -> list[Name]:
    """Ask for objects to be deleted, and return their names."""
    names: list[Name] = []
    for obj in objects:
        meta = obj["metadata"]
        names.append((obj["kind"], meta["name"], meta.get("namespace")))
        kube.delete(*names[-1], grace_seconds=grace_seconds)
    return names


def delete_kinds(
    kube: Kube,
    kinds: Iterable[str],
    namespace: str | None = None,
    *,
    labels: str = "",
    fields: str = "",
    grace_seconds: int | None = None,
) -> list[Name]:
    """Ask for all objects of some kinds that selectors match to be deleted; return their names.

    Name owners before what they own: each kind is listed once those before it are being deleted.
    """
    names: list[Name] = []
    for kind in kinds:
        found = kube.list(kind, namespace, labels=labels, fields=fields)
        names += delete(kube, found, grace_seconds=grace_seconds)
    return names


def wait_gone(kube: Kube, names: Iterable[Name], *, timeout: float = timeouts.GONE) -> None:
    """Wait until no object has one of the names.

    Raises:
        WaitTimeout: some are still there; the message names them.
    """
    wanted = list(names)
    wait_until(
        f"{_join(f'{kind} {name}' for kind, name, _ in wanted)} to be gone",
        lambda: [obj for name in wanted if (obj := kube.find(*name))],
        until=lambda there: not there,
        timeout=timeout,
        describe=lambda there: _join(map(_state, there)),
    )


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "nothing"


def _state(obj: Object) -> str:
    meta = obj["metadata"]
    deleted = "being deleted" if "deletionTimestamp" in meta else "not being deleted"
    held = ", ".join(meta.get("finalizers") or ())
    return f"{obj['kind']} {meta['name']} is {deleted}{f', held by {held}' if held else ''}"
