"""A rule for databases on a bucket that looks like a file system."""

from collections.abc import Iterator

from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.storage import bucket_of


@Rule(
    "audit.database-in-a-bucket",
    Severity.ERROR,
    "A database on object storage that is mounted as files",
    reason=(
        "There are no locks, a file that changes is uploaded anew as a whole or not at all, and "
        "some drivers refuse to rename or to write in the middle of a file. Two servers do not "
        "notice each other, and after a crash the files do not fit each other."
    ),
    fix=(
        "Put the database on a block device, a local disk or NFS, and use the bucket for its "
        "backups and for media."
    ),
    example="""
        kind: PersistentVolumeClaim
        spec:
          storageClassName: block      # not csi-s3
          accessModes: [ReadWriteOncePod]
    """,
    source=(
        "GeeseFS, limitations: no locking; Mountpoint for Amazon S3, file system behavior, Reading "
        "and writing files; Cloud Storage FUSE documentation, Limitations"
    ),
)
def database_in_a_bucket(inventory: Inventory) -> Iterator[Hit]:
    """Find them, once for each container; what may have its data elsewhere is a warning."""
    seen = set()
    for use in inventory.uses:
        engine = inventory.engine_at(use.container, use.mount)
        key = (use.workload.title, use.container.name)
        if engine is None or engine.kind is Kind.FILE_SERVER or use.read_only or key in seen:
            continue
        if bucket := bucket_of(inventory, use):
            seen.add(key)
            said = f"{engine} in {use.workload.title} has its files on {use.through}, "
            said += f"a bucket that {bucket} shows as files"
            at = use.workload.container_at(use.container)
            milder = Severity.WARNING if engine.volume_optional else None
            yield Hit(use.workload, said, at, milder)
