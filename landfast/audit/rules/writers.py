"""Rules for who writes where: two database servers, or anybody beside one, on one directory."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from landfast.audit.directories import Directory
from landfast.audit.engines import Engine, Kind
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.objects import PvObject
from landfast.audit.place import Path
from landfast.audit.rules.sources import NOT_ATTACHED, PATHS
from landfast.audit.servers import UNTIL_DONE
from landfast.audit.storage import on_nfs
from landfast.audit.uses import Use
from landfast.audit.workloads import Workload

_REPLICAS: Path = ("spec", "replicas")
_SHARED_MODES = {"ReadOnlyMany", "ReadWriteMany"}
_ONE_POD = """
    kind: Deployment
    spec:
      replicas: 1
      strategy: {type: Recreate}       # not RollingUpdate
    ---
    kind: PersistentVolumeClaim
    spec:
      accessModes: [ReadWriteOncePod]  # enforced, on NFS as well
"""


@dataclass(frozen=True)
class Writer:
    """A workload that writes to a directory: how many of its pods at once, and as which server.

    `exports` says that it is an NFS server, which has rules of its own.
    """

    workload: Workload
    image: str
    pods: int
    engine: Engine | None
    exports: bool = False

    def __str__(self) -> str:
        return f"{self.workload.title} ({self.image})"

    @property
    def only_in_updates(self) -> bool:
        """Whether a second pod of it runs in rolling updates only."""
        return self.workload.replicas < 2 and self.workload.kind not in UNTIL_DONE


@dataclass(frozen=True)
class Shared:
    """A directory, and who writes there through one PVC or volumes of their own.

    `on_nfs` is None if nobody knows; `modes` are the PVC's access modes.
    """

    through: str
    claim: tuple[str, str] | None
    writers: tuple[Writer, ...]
    modes: frozenset[str]
    on_nfs: bool | None

    @property
    def servers(self) -> list[Writer]:
        """The writers that are database servers."""
        return [writer for writer in self.writers if writer.engine]

    def can_meet(self, writers: Sequence[Writer]) -> bool:
        """Whether two pods can write there at the same time; block devices keep nodes apart."""
        pods = sum(writer.pods for writer in writers)
        return pods > 1 and self.on_nfs is not False and self.modes != {"ReadWriteOncePod"}

    def surely(self, writers: Sequence[Writer]) -> bool:
        """Whether they do so on any storage, and not just for a moment of a rolling update."""
        lasting = len(writers) > 1 or any(not w.only_in_updates for w in writers)
        return lasting or bool(self.on_nfs) or bool(self.modes & _SHARED_MODES)


def _shared(inventory: Inventory) -> Iterator[Shared]:
    """Yield the directories that somebody writes, apart for each PVC that has a volume there.

    What goes through two volumes is for the rule on volumes that share a directory.
    """
    for directory, uses in inventory.uses_by_directory.directories:
        groups: dict[tuple[str, str] | None, list[Use]] = defaultdict(list)
        for use in uses:
            if use.writes and not use.init:
                groups[use.claim if use.pv else None].append(use)
        for group in groups.values():
            yield _of(inventory, directory, group)


def _of(inventory: Inventory, directory: Directory, uses: Sequence[Use]) -> Shared:
    by_workload: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for use in uses:
        by_workload[use.workload.title, use.workload.part].append(use)
    claims = {use.claim for use in uses}
    first = uses[0]
    return Shared(
        first.through if len(claims) == 1 and first.claim else str(directory),
        first.claim if len(claims) == 1 else None,
        tuple(_writer(inventory, group) for group in by_workload.values()),
        frozenset(first.pvc.spec.access_modes if first.pvc and len(claims) == 1 else ()),
        on_nfs(inventory, first),
    )


def _writer(inventory: Inventory, uses: Sequence[Use]) -> Writer:
    engines = [(use, inventory.engine_at(use.container, use.mount)) for use in uses]
    known = ((use, e) for use, e in engines if e and e.kind is not Kind.FILE_SERVER)
    use, engine = next(known, (uses[0], None))
    pods = max(use.pods for use in uses)
    exports = engine is None and any(e for _, e in engines)
    return Writer(use.workload, use.container.image, pods, engine, exports)


def _meetings(shared: Shared, writers: Sequence[Writer], what: str) -> Iterator[tuple[Writer, str]]:
    """Yield each writer, with whom it shares and how many of its own pods can be there at once."""
    titles = [writer.workload.title for writer in writers]
    for number, writer in enumerate(writers):
        said = []
        if len(titles) > 1:
            names = listed([titles[number], *titles[:number], *titles[number + 1 :]])
            said.append(f"{names} are {what} on {shared.through}")
        if writer.pods > 1:
            where = "there" if said else f"on {shared.through}"
            why = f": {writer.workload.why_several}" if writer.workload.why_several else ""
            said.append(f"{writer.pods} of its pods can run {where} at the same time{why}")
        yield writer, "; ".join(said)


def _locks(writer: Writer) -> str:
    """Say what the server itself does about a second one."""
    rolling = writer.workload.surge and writer.only_in_updates
    match writer.engine.locks if writer.engine else None:
        case True:
            said = f". {writer.engine} refuses the second one if the NFS server's locks work"
            return said + (", and then the update never ends" if rolling else "")
        case False:
            return f". {writer.engine} does not notice a second one on another node"
    return ""


@Rule(
    "audit.database-twice-on-one-pvc",
    Severity.ERROR,
    "Two database servers on one PVC",
    reason=(
        "ReadWriteOnce is not enforced on NFS, not even across nodes: two servers can run on one "
        "data directory, if only during a rolling update, and destroy it."
    ),
    fix=(
        "Use a StatefulSet with volumeClaimTemplates; or one replica, strategy Recreate, and the "
        "access mode ReadWriteOncePod, which is enforced."
    ),
    example=_ONE_POD,
    source=f"{NOT_ATTACHED}; protection.rwo-is-no-lock; protection.rwop-is-enforced",
)
def database_twice_on_one_pvc(inventory: Inventory) -> Iterator[Hit]:
    """Find directories of several servers; where it may be a block device, an update warns."""
    for shared in _shared(inventory):
        servers = shared.servers
        if not shared.can_meet(servers):
            continue
        severity = None if shared.surely(servers) else Severity.WARNING
        for writer, said in _meetings(shared, servers, "servers"):
            yield Hit(writer.workload, said + _locks(writer), _REPLICAS, severity)


@Rule(
    "audit.pvc-of-several-pods",
    Severity.WARNING,
    "A ReadWriteOnce PVC that several pods can write",
    reason=(
        "On NFS nothing enforces ReadWriteOnce, so all of them write, on any node. On a block "
        "device the second pod stays in ContainerCreating, and the rolling update never ends."
    ),
    fix=(
        "Say what is meant: ReadWriteMany if the program shares its files; else one replica, "
        "strategy Recreate, and ReadWriteOncePod; or a PVC for each pod, by a StatefulSet."
    ),
    example=_ONE_POD,
    source=f"{NOT_ATTACHED}; protection.rwo-is-no-lock; protection.rwop-is-enforced",
)
def pvc_of_several_pods(inventory: Inventory) -> Iterator[Hit]:
    """Find PVCs without a database or an NFS server, which have rules of their own."""
    for shared in _shared(inventory):
        known = shared.servers or any(writer.exports for writer in shared.writers)
        alone = shared.modes == {"ReadWriteOnce"} and not known
        if not alone or not shared.can_meet(shared.writers):
            continue
        for writer, said in _meetings(shared, shared.writers, "writers"):
            yield Hit(writer.workload, said, _REPLICAS)


@Rule(
    "audit.other-writer-on-database",
    Severity.WARNING,
    "A workload that writes into a database's directory",
    reason=(
        "It can change or delete files that the server has open, and a copy of a running server's "
        "files is torn: most cannot be restored."
    ),
    fix=(
        "Talk to the server instead: a dump, or its own backup tool, over the network. For a copy "
        "of the volume, take a snapshot, or mount it with readOnly while the server is stopped."
    ),
    example="""
        kind: CronJob
        spec:
          jobTemplate:
            spec:
              template:
                spec:
                  containers:
                    - name: dump
                      image: mysql:8.4
                      command: [sh, -c, "mysqldump -h db --single-transaction shop > /backup/shop"]
                      volumeMounts: [{name: backup, mountPath: /backup}]   # not the database's PVC
    """,
    source="MySQL 8.4 Reference Manual, Backup Methods; PostgreSQL documentation, Backup",
)
def other_writer_on_database(inventory: Inventory) -> Iterator[Hit]:
    """Find them; a job that only reads is a note."""
    readers: dict[tuple[str, str], list[Workload]] = defaultdict(list)
    for use in inventory.uses:
        if use.claim and use.read_only and use.workload.kind in UNTIL_DONE:
            readers[use.claim].append(use.workload)
    for shared in _shared(inventory):
        if not shared.servers or shared.on_nfs is False:
            continue
        servers = listed([str(server) for server in shared.servers])
        for writer in shared.writers:
            if writer.engine is None and writer.pods:
                said = f"it writes to {shared.through}, where {servers} has its files"
                yield Hit(writer.workload, said)
        for reader in readers.get(shared.claim, []) if shared.claim else []:
            said = f"it reads {shared.through} while {servers} may write there"
            yield Hit(reader, said, severity=Severity.NOTE)


@Rule(
    "audit.shared-directory",
    Severity.ERROR,
    "Two volumes on one directory",
    reason=(
        "Kubernetes does not compare paths: each volume binds to its own PVC, and both write to "
        "the same directory. Two database servers on it destroy each other's files."
    ),
    fix="Give each volume its own directory.",
    example="""
        kind: PersistentVolume
        metadata: {name: shop}
        spec:
          nfs: {server: nas.example.com, path: /export/shop}
        ---
        kind: PersistentVolume
        metadata: {name: blog}
        spec:
          nfs: {server: nas.example.com, path: /export/blog}
    """,
    source=PATHS,
)
def shared_directory(inventory: Inventory) -> Iterator[Hit]:
    """Find directories of several volumes, pods' own among them.

    Where access modes and policies allow for sharing, and no database is there, it is a note.
    """
    for directory, pvs in inventory.volumes_by_directory.directories:
        first, *others = {pv.title: pv for pv in pvs}.values()
        uses = [use for use in inventory.uses_by_directory.at(directory) if use.writes]
        databases = (u for u in uses if not u.init and inventory.is_database(u.container, u.mount))
        servers = list(dict.fromkeys(use.workload.title for use in databases))
        inline = dict.fromkeys(use.workload.title for use in uses if not use.claim)
        on_them = [*(pv.title for pv in others), *inline]
        if not on_them or (not others and not servers):
            continue
        said = f"{directory} is also the directory of {listed(on_them)}"
        if servers:
            said += f"; {listed(servers)} {'writes' if len(servers) == 1 else 'write'} there"
        meant = not servers and all(_may_be_shared(pv) for pv in (first, *others))
        yield Hit(first, said, first.directory_at, Severity.NOTE if meant else None)


def _may_be_shared(pv: PvObject) -> bool:
    return pv.policy == "Retain" and set(pv.spec.access_modes) <= _SHARED_MODES
