"""A pure model of what csi-driver-nfs v4.13 makes for a PVC, and of what a volume's handle says.

Source: docs/driver-parameters.md and pkg/nfs/controllerserver.go, nodeserver.go and utils.go of
v4.13.4, and observations of v4.13.4 on a live cluster. What becomes of a volume is in
`csi_deletion`.

Directories are relative to the share; "" is the share itself.
"""

import ipaddress
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from landfast.provisioning.contract import PvcMeta

DRIVER = "nfs.csi.k8s.io"
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
class Options:
    """The options of the driver itself that decide over data; these defaults are its own."""

    default_on_delete: str = ""
    """what a class without onDelete means"""
    replaces_archives: bool = False
    """whether archiving removes what has the archive's name"""

    @property
    def arguments(self) -> list[str]:
        """The driver's command line."""
        return [
            f"--default-ondelete-policy={self.default_on_delete}",
            f"--remove-archived-volume-path={str(self.replaces_archives).lower()}",
        ]


AS_RELEASED = Options()


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
        return clean(self.sub_dir)

    @property
    def archive(self) -> str:
        """The directory to which that one is archived."""
        return clean(f"archived-{self.sub_dir}")


def foreign(parameters: Iterable[str]) -> list[str]:
    """Return the parameters of a class that the driver does not know; case does not matter."""
    return [key for key in parameters if key.lower() not in _PARAMETERS]


def refusal(parameters: Mapping[str, str]) -> str | None:
    """Return why CreateVolume refuses a class's parameters, or None; the code is InvalidArgument.

    The case of a key does not matter, nor that of onDelete's value. A missing share is not refused
    (`mount_refusal`).
    """
    given = {key.lower(): value for key, value in parameters.items()}
    if unknown := foreign(parameters):
        return f'invalid parameter "{unknown[0]}" in storage class'
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
    return clean(sub_dir_of(settings, pvc, pv_name))


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


def handle(
    settings: ClassSettings, pvc: PvcMeta, pv_name: str, *, options: Options = AS_RELEASED
) -> str:
    """Return the handle of a new volume: `server#share#subDir#uuid#onDelete`.

    The first three lose slashes at both ends. The uuid is the PV's name, and is empty if the class
    has no subDir. onDelete is empty for delete.
    """
    places = (settings.server, settings.share, sub_dir_of(settings, pvc, pv_name))
    uuid = pv_name if settings.sub_dir else ""
    on_delete = settings.on_delete or options.default_on_delete
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


def clean(path: str) -> str:
    """Return where Go's filepath.Join of the share's mount point and a path leads."""
    return posixpath.normpath(f"/{path}").lstrip("/")
