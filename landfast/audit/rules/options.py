"""Rules for mount options: what endangers data, and what mount refuses."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.objects import Resource
from landfast.audit.place import Path
from landfast.audit.rules.databases import classes, volumes
from landfast.audit.workloads import Workload
from landfast.nfs.mount_options import family, refused
from landfast.provisioning import csi

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_ONE_NODE = "locks hold on one node only, so a second server can open the files"
_READ_ONLY = {"ReadOnlyMany"}


class Danger(NamedTuple):
    """An option that endangers data; the severities are those with and without a database.

    `alone` is None where only a database is in danger.
    """

    option: str
    why: str
    under_database: Severity
    alone: Severity | None


def dangers(options: Sequence[str]) -> list[Danger]:
    """Return the mount options that endanger data, each with the reason.

    Of options that exclude each other the last counts (nfs(5)). Options for locks mean nothing to
    NFSv4, so they are ignored where that version is asked for.
    """
    last = {family(option): option for option in split(options)}
    version = last.get("vers", "").rpartition("=")[2].removeprefix("v")
    found = []
    if (hard := last.get("hard")) in ("soft", "softerr"):
        said = "a slow server becomes an I/O error in the middle of a write"
        found.append(Danger(hard, said, _ERROR, _WARNING))
    if not version.startswith("4"):
        if last.get("lock") == "nolock":
            found.append(Danger("nolock", _ONE_NODE, _ERROR, _WARNING))
        if (local := last.get("local_lock", "")) and local != "local_lock=none":
            found.append(Danger(local, _ONE_NODE, _ERROR, _WARNING))
        if (proto := last.get("proto", "")).rpartition("=")[2] in ("udp", "udp6"):
            said = "packets put together wrongly corrupt data without an error"
            found.append(Danger(proto, said, _ERROR, _WARNING))
    if version.startswith(("2", "3")):
        said = "locks need rpc.statd on every node, and outlive a node that is gone"
        found.append(Danger(last["vers"], said, _WARNING, None))
    if last.get("cto") == "nocto":
        said = "after a failover the new node may read what its cache kept from earlier"
        found.append(Danger("nocto", said, _WARNING, None))
    if last.get("ro") == "ro":
        found.append(Danger("ro", "the server cannot write, and does not start", _WARNING, None))
    return found


def split(options: Sequence[str]) -> list[str]:
    """Return mount options one by one: an item may have several, with commas between them."""
    return [part.strip() for option in options for part in option.split(",") if part.strip()]


class Mounted(NamedTuple):
    """What has options with which NFS is mounted.

    Attributes:
        on: a volume, a class, or a workload with a volume of its own.
        at: the field with the options.
        options: the options.
        database: what runs on it, in words; "" if no database is known to.
        reads: whether nobody writes.
    """

    on: Resource
    at: Path
    options: tuple[str, ...]
    database: str = ""
    reads: bool = False

    def place(self, option: str) -> Path:
        """Return where an option is said the last time."""
        said = [n for n, given in enumerate(self.options) if option in split([given])]
        return (*self.at, max(said, default=0))


def _mounted(inventory: Inventory) -> Iterator[Mounted]:
    of_volume = {pv.title: databases for databases, pv in volumes(inventory)}
    for pv in inventory.pvs:
        if pv.backing.on_nfs and (given := pv.mount_options):
            reads = {*pv.spec.access_modes} == _READ_ONLY
            database = of_volume.get(pv.title, "")
            yield Mounted(pv, ("spec", "mountOptions"), given, database, reads)
    of_class = {made.title: databases for databases, made in classes(inventory)}
    for made in inventory.nfs_classes:
        if given := made.mount_options:
            yield Mounted(made, ("mountOptions",), given, of_class.get(made.title, ""))
    for workload in inventory.workloads:
        for number, volume in enumerate(workload.pod.volumes):
            if volume.csi and volume.csi.driver == csi.DRIVER and volume.csi.mount_options:
                at = (*workload.template_at, "spec", "volumes", number, "csi", "volumeAttributes")
                database = _on_volume(inventory, workload, volume.name)
                yield Mounted(
                    workload, at, volume.csi.mount_options, database, volume.csi.read_only
                )


def _on_volume(inventory: Inventory, workload: Workload, volume: str) -> str:
    """Name the database that mounts a volume which its pods have of their own; "" if none does."""
    for container in workload.pod.containers:
        mounts = (mount for mount in container.volume_mounts if mount.name == volume)
        if any(inventory.is_database(container, mount) for mount in mounts):
            return f"{workload.title} ({container.image})"
    return ""


@Rule(
    "audit.unsafe-mount-options",
    Severity.ERROR,
    "Mount options that cost data",
    reason=(
        "An application takes an error from write or fsync for a broken disk, and the lock on its "
        "files as proof that it is alone. With these options neither is true; a database does not "
        "survive that."
    ),
    fix=(
        "Mount with hard and nfsvers=4.1 or newer, and without nolock, local_lock, udp and nocto. "
        "A change of a volume counts from the next mount, one of a class from the next volume."
    ),
    example="mountOptions: [hard, nfsvers=4.1]",
    source=(
        "nfs(5): soft, softerr, hard, lock, local_lock, proto, cto, nfsvers, "
        "Using NFS over UDP on high-speed links"
    ),
)
def unsafe_mount_options(inventory: Inventory) -> Iterator[Hit]:
    """Find such options; errors under a database, and harmless where everybody only reads."""
    for mounted in _mounted(inventory):
        for danger in dangers(mounted.options):
            alone = None if mounted.reads else danger.alone
            if severity := danger.under_database if mounted.database else alone:
                where = f" under {mounted.database}" if mounted.database else ""
                said = f"{danger.option}{where}: {danger.why}"
                yield Hit(mounted.on, said, mounted.place(danger.option), severity)


@Rule(
    "audit.refused-mount-option",
    Severity.ERROR,
    "Mount options that mount refuses",
    reason="No pod can mount such a volume: it stays in ContainerCreating.",
    fix="Spell the option as nfs(5) does.",
    example="mountOptions: [hard, nfsvers=4.1]",
    source="Linux v6.12, fs/nfs/fs_context.c, nfs_fs_parameters; nfs(5); mount(8)",
)
def refused_mount_option(inventory: Inventory) -> Iterator[Hit]:
    """Find options that do not exist, values that they cannot have, and UDP with NFSv4."""
    for mounted in _mounted(inventory):
        given = split(mounted.options)
        for option in dict.fromkeys(given):
            if "sloppy" not in given and (why := refused(option)):
                yield Hit(mounted.on, f"{option}: {why}", mounted.place(option))
        last = {family(option): option for option in given}
        version = last.get("vers", "").rpartition("=")[2].removeprefix("v")
        udp = last.get("proto", "").rpartition("=")[2] in ("udp", "udp6")
        if udp and version.startswith("4"):
            said = f"{last['proto']} with {last['vers']}: NFSv4 has no UDP"
            yield Hit(mounted.on, said, mounted.place(last["proto"]))
