"""A pure model of what becomes of a volume of csi-driver-nfs v4.13 once its PVC is deleted.

Source: pkg/nfs/controllerserver.go of v4.13.4, DeleteVolume, and observations of v4.13.4 on a live
cluster. Directories are relative to the share; "" is the share itself.
"""

import posixpath
from collections.abc import Collection

from landfast.provisioning.contract import Fate, PvcMeta, Reclaimed
from landfast.provisioning.csi import (
    AS_RELEASED,
    ClassSettings,
    Options,
    directory,
    handle,
    parse,
)

PARENTS_MAX = 10  # of more emptied parents, one more is removed, and the deletion fails


def fate(
    settings: ClassSettings,
    pvc: PvcMeta,
    pv_name: str,
    *,
    others: Collection[str] = (),
    options: Options = AS_RELEASED,
) -> Fate:
    """Return what becomes of a volume that was made under `settings` once its PVC is deleted.

    The reclaim policy is the PV's; all else was fixed when the volume was made, with its handle.
    `others` are the other directories on the share; another volume of the same directory counts.
    """
    own = directory(settings, pvc, pv_name)
    if settings.reclaim_policy == "Retain":
        return Fate(Reclaimed.KEPT, own, "Released")
    made = handle(settings, pvc, pv_name, options=options)
    return deletion(made, own, others=others, options=options)


def deletion(
    handle: str,
    own: str,
    *,
    others: Collection[str] = (),
    gone: bool = False,
    options: Options = AS_RELEASED,
) -> Fate:
    """Return what DeleteVolume does to the volume of a handle, whose directory is `own`.

    `gone` says that the directory is no longer there: another volume shared it, and went first.
    """
    volume = parse(handle)
    if volume is None:  # "an invalid ID should be treated as doesn't exist"
        return Fate(Reclaimed.LEAKED, own)
    if volume.action == "retain":
        return Fate(Reclaimed.KEPT, own)
    if gone:
        fails = volume.action == "archive" or _is_lost(volume.directory, others)
        return Fate(Reclaimed.NOTHING_THERE, None, "Released" if fails else "gone")
    if volume.action == "archive":
        return _archived(own, volume.directory, volume.archive, others, options)
    return _removed(own, volume.directory, others)


def emptied_parents(directory: str, others: Collection[str] = ()) -> list[str]:
    """Return the parents that are removed with a directory, the nearest first.

    `others` are the directories on the share with something in them. Archiving removes no parent.
    """
    parents: list[str] = []
    above = posixpath.dirname(directory)
    while above and not _exists(above, others) and len(parents) <= PARENTS_MAX:
        parents.append(above)
        above = posixpath.dirname(above)
    return parents


def _removed(own: str, target: str, others: Collection[str]) -> Fate:
    if target == "":  # the whole content is removed, then the mount point itself is busy
        return Fate(Reclaimed.EMPTIED, None, "Released", victim=".")
    if _holds(target, own):
        too_deep = len(emptied_parents(target, others)) > PARENTS_MAX
        phase = "Released" if too_deep else "gone"
        return Fate(Reclaimed.REMOVED, None, phase, victim=_victim(own, target, others))
    if _is_lost(target, [own, *others]):
        return Fate(Reclaimed.FAILED, own, "Released")
    return Fate(Reclaimed.LEAKED, own, victim=target if _exists(target, others) else None)


def _archived(
    own: str, target: str, archive: str, others: Collection[str], options: Options
) -> Fate:
    there = _holds(target, own) or _exists(target, others)
    taken = _exists(archive, others)
    if target == "" or not there or (taken and not options.replaces_archives):
        return Fate(Reclaimed.FAILED, own, "Released")  # os.Rename refuses what is there
    if not _holds(target, own):
        return Fate(Reclaimed.LEAKED, own, victim=target)
    moved = archive + own.removeprefix(target)
    victim = archive if taken else _victim(own, target, others)
    return Fate(Reclaimed.ARCHIVED, moved, victim=victim)


def _victim(own: str, target: str, others: Collection[str]) -> str | None:
    """Return a directory that goes with `target` and is not only the volume's own."""
    inside = (name for name in others if _holds(own, name))
    return target if target != own else min(inside, default=None)


def _is_lost(directory: str, there: Collection[str]) -> bool:
    """Return whether a directory's parent is missing: listing it fails, and so does deletion."""
    parent = posixpath.dirname(directory)
    return parent != "" and not _exists(parent, there)


def _exists(directory: str, there: Collection[str]) -> bool:
    return any(_holds(directory, name) for name in there)


def _holds(directory: str, name: str) -> bool:
    """Return whether `name` is a directory or lies in it; everything lies in the share."""
    return directory == "" or f"{name}/".startswith(f"{directory}/")
