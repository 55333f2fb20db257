"""A pure model of what csi-driver-nfs v4.13 does with a volume.

Source: docs/driver-parameters.md and pkg/nfs/controllerserver.go, nodeserver.go and utils.go of
v4.13.4, and observations of v4.13.4 on a live cluster, with which they agree: an archive that is
there is not replaced, because `--remove-archived-volume-path` is off unless asked for.

Directories are relative to the share; "" is the share itself.
"""

import ipaddress
import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from landfast.provisioning.contract import Fate, PvcMeta, Reclaimed

DRIVER = "nfs.csi.k8s.io"
PARENTS_MAX = 10  # of more emptied parents, one more is removed, and the deletion fails
_NAMES = {  # csi-provisioner adds these with --extra-create-metadata, as the chart has it
    "csi.storage.k8s.io/pvc/name",
    "csi.storage.k8s.io/pvc/namespace",
    "csi.storage.k8s.io/pv/name",
}
_PARAMETERS = {"server", "share", "subdir", "ondelete", "mountpermissions", *_NAMES}
_ON_DELETE = ("", "delete", "retain", "archive")
_MADE_WITH = 0o755  # 0777 under the container's umask
_OLD_HANDLE = re.compile("([^/]+)/(.*)/([^/]+)")


@dataclass(frozen=True)
class ClassSettings:
    """The settings of a StorageClass; None means that the parameter is absent."""

    server: str
    share: str
    reclaim_policy: str = "Delete"
    sub_dir: str | None = None
    on_delete: str | None = None
    mount_permissions: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The `parameters` of the StorageClass."""
        given = {
            "server": self.server,
            "share": self.share,
            "subDir": self.sub_dir,
            "onDelete": self.on_delete,
            "mountPermissions": self.mount_permissions,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Handle:
    """What DeleteVolume reads from a volume handle; the class is not asked again."""

    server: str
    share: str
    sub_dir: str
    uuid: str
    on_delete: str

    @property
    def action(self) -> str:
        """What is done: `delete`, `retain` or `archive`. A word that means nothing is delete."""
        said = self.on_delete.lower()
        return said if said in ("retain", "archive") else "delete"

    @property
    def directory(self) -> str:
        """The directory that it is done to."""
        return _clean(self.sub_dir)

    @property
    def archive(self) -> str:
        """The directory to which that one is archived."""
        return _clean(f"archived-{self.sub_dir}")


def refusal(parameters: Mapping[str, str]) -> str | None:
    """Return why CreateVolume refuses a class's parameters, or None; the code is InvalidArgument.

    The case of a key does not matter, nor that of onDelete's value. A missing share is not refused
    (`mount_refusal`).
    """
    given = {key.lower(): value for key, value in parameters.items()}
    for key in parameters:
        if key.lower() not in _PARAMETERS:
            return f'invalid parameter "{key}" in storage class'
    permissions = given.get("mountpermissions", "")
    if permissions and not _is_octal(permissions):
        return f"invalid mountPermissions {permissions} in storage class"
    if not given.get("server"):
        return "server is a required parameter"
    for name, shown in (("share", "share"), ("subdir", "subDir")):
        if _climbs(given.get(name, "")):
            return f'invalid {shown} "{given[name]}": path contains directory traversal sequence'
    on_delete = given.get("ondelete", "")
    if on_delete.lower() not in _ON_DELETE:
        supported = " ".join(_ON_DELETE)
        return f"invalid value {on_delete} for OnDelete, supported values are [{supported}]"
    return None


def mount_refusal(settings: ClassSettings) -> str | None:
    """Return why no pod can mount a volume of this class, or None; its PVC is Bound all the same.

    Without a share CreateVolume makes the directory in the server's root.
    """
    return None if settings.share else "share is a required parameter"


def expand(sub_dir: str, pvc: PvcMeta, pv_name: str) -> str:
    """Return a subDir with its three placeholders expanded; what looks similar is text."""
    values = {
        "${pvc.metadata.name}": pvc.name,
        "${pvc.metadata.namespace}": pvc.namespace,
        "${pv.metadata.name}": pv_name,
    }
    for placeholder, value in values.items():
        sub_dir = sub_dir.replace(placeholder, value)
    return sub_dir


def sub_dir_of(settings: ClassSettings, pvc: PvcMeta, pv_name: str) -> str:
    """Return the subDir of a new volume as the class spells it; the PV's name if it says none."""
    return expand(settings.sub_dir, pvc, pv_name) if settings.sub_dir else pv_name


def directory(settings: ClassSettings, pvc: PvcMeta, pv_name: str) -> str:
    """Return the directory of a new volume. Nothing keeps two volumes from having the same one."""
    return _clean(sub_dir_of(settings, pvc, pv_name))


def mode(settings: ClassSettings) -> int:
    """Return the mode of a new directory. One that is there keeps its own without permissions."""
    return _permissions(settings) or _MADE_WITH


def share_mode(settings: ClassSettings) -> int | None:
    """Return the mode that CreateVolume gives the share itself, None if the share keeps its own."""
    return _permissions(settings) or None  # it is mounted as if for a pod, which sets the mode


def attributes(settings: ClassSettings, pvc: PvcMeta, pv_name: str) -> dict[str, str]:
    """Return the PV's `volumeAttributes`, without those that csi-provisioner adds."""
    sub_dir = sub_dir_of(settings, pvc, pv_name)
    key = "subdir" if settings.sub_dir is None else "subDir"
    return {**settings.parameters, key: sub_dir}


def mount_source(settings: ClassSettings, pvc: PvcMeta, pv_name: str) -> str:
    """Return what a node mounts for a pod (`server:/share/directory`)."""
    server = f"[{settings.server}]" if _is_ipv6(settings.server) else settings.server
    share = f"{server}:{settings.share}".rstrip("/")
    return f"{share}/{sub_dir_of(settings, pvc, pv_name)}"


def handle(settings: ClassSettings, pvc: PvcMeta, pv_name: str) -> str:
    """Return the handle of a new volume: `server#share#subDir#uuid#onDelete`.

    The first three lose slashes at both ends. The uuid is the PV's name, and is empty if the class
    has no subDir. onDelete is empty for delete.
    """
    places = (settings.server, settings.share, sub_dir_of(settings, pvc, pv_name))
    uuid = pv_name if settings.sub_dir else ""
    on_delete = settings.on_delete or ""
    kept = on_delete if on_delete.lower() in ("retain", "archive") else ""
    return "#".join([*(place.strip("/") for place in places), uuid, kept])


def parse(handle: str) -> Handle | None:
    """Return what a handle says, None if it cannot be read: then DeleteVolume does nothing.

    A `#` in the share or the subDir moves all that follows. Old handles have slashes in its place.
    """
    parts = handle.split("#")
    if len(parts) < 3:
        old = _OLD_HANDLE.fullmatch(handle)
        if old is None:
            return None
        parts = list(old.groups())
    read = Handle(*[*parts, "", ""][:5])
    return None if any(map(_climbs, (read.share, read.sub_dir, read.uuid))) else read


def fate(
    settings: ClassSettings, pvc: PvcMeta, pv_name: str, *, others: Collection[str] = ()
) -> Fate:
    """Return what becomes of a volume that was made under `settings` once its PVC is deleted.

    The reclaim policy is the PV's; all else was fixed when the volume was made, with its handle.
    `others` are the other directories on the share; another volume of the same directory counts.
    """
    own = directory(settings, pvc, pv_name)
    if settings.reclaim_policy == "Retain":
        return Fate(Reclaimed.KEPT, own, "Released")
    return deletion(handle(settings, pvc, pv_name), own, others=others)


def deletion(handle: str, own: str, *, others: Collection[str] = (), gone: bool = False) -> Fate:
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
        return _archived(own, volume.directory, volume.archive, others)
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


def _archived(own: str, target: str, archive: str, others: Collection[str]) -> Fate:
    there = _holds(target, own) or _exists(target, others)
    if target == "" or not there or _exists(archive, others):
        return Fate(Reclaimed.FAILED, own, "Released")  # os.Rename refuses what is there
    if not _holds(target, own):
        return Fate(Reclaimed.LEAKED, own, victim=target)
    moved = archive + own.removeprefix(target)
    return Fate(Reclaimed.ARCHIVED, moved, victim=_victim(own, target, others))


def _victim(own: str, target: str, others: Collection[str]) -> str | None:
    """Return a directory that goes with `target` and is not only the volume's own."""
    inside = (name for name in others if _holds(own, name))
    return target if target != own else min(inside, default=None)


def _is_lost(directory: str, there: Collection[str]) -> bool:
    """Return whether a directory's parent is missing: listing it fails, and so does deletion."""
    parent = posixpath.dirname(directory)
    return parent != "" and not _exists(parent, there)


def _permissions(settings: ClassSettings) -> int:
    return int(settings.mount_permissions or "0", 8)


def _is_octal(text: str) -> bool:
    """Return whether Go's strconv.ParseUint(text, 8, 32) takes a text."""
    return re.fullmatch("[0-7]+", text) is not None and int(text, 8) < 2**32


def _is_ipv6(server: str) -> bool:
    try:
        address = ipaddress.IPv6Address(server)
    except ValueError:
        return False
    return address.ipv4_mapped is None and address.scope_id is None  # as Go's net.ParseIP sees it


def _climbs(path: str) -> bool:
    return ".." in path.split("/")


def _exists(directory: str, there: Collection[str]) -> bool:
    return any(_holds(directory, name) for name in there)


def _holds(directory: str, name: str) -> bool:
    """Return whether `name` is a directory or lies in it; everything lies in the share."""
    return directory == "" or f"{name}/".startswith(f"{directory}/")


def _clean(path: str) -> str:
    """Return where Go's filepath.Join of the share's mount point and a path leads."""
    return posixpath.normpath(f"/{path}").lstrip("/")
