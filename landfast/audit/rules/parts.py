"""A rule for databases that keep what belongs together in several directories."""

from collections.abc import Iterator

from landfast.audit.directories import is_below
from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.servers import Server


@Rule(
    "audit.data-partly-mounted",
    Severity.ERROR,
    "A database with a part of its data beside the volume",
    reason=(
        "What it acknowledged last, or what it needs to read the rest, is in the other directory: "
        "a commit log, a transaction log, keys. That is in the container, and goes with it, while "
        "the volume stays: the two no longer fit each other."
    ),
    fix=(
        "Mount the volume at the directory around them, or a volume at each; or move the others "
        "into the volume with the server's own option."
    ),
    example="""
        containers:
          - name: cassandra
            image: cassandra:5
            volumeMounts: [{name: data, mountPath: /var/lib/cassandra}]   # not .../data
    """,
    source=(
        "cassandra.yaml, commitlog_directory; ZooKeeper Administrator's Guide, dataLogDir, and the "
        "official image's Dockerfile; InfluxDB 1 documentation, File system layout; GitLab "
        "documentation, Troubleshooting backups, When the secrets file is lost"
    ),
)
def data_partly_mounted(inventory: Inventory) -> Iterator[Hit]:
    """Find them; where a configuration is mounted, which may name other directories, it warns."""
    for server in inventory.servers:
        if server.workload.engine or not (server.runs_on and server.usual):
            continue
        for group in server.engine.parts:
            on, beside = _apart(server, group)
            if on and beside:
                said = f"{server} has a volume at {listed(on)}, and none at {listed(beside)}"
                main = server.engine.kind is Kind.DATABASE
                sure = main and not any(m.is_configuration for m in server.mounts)
                at = (*server.workload.container_at(server.container), "volumeMounts")
                yield Hit(server.workload, said, at, None if sure else Severity.WARNING)


def _apart(server: Server, group: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return which directories are on a volume, and which are on no mount at all.

    If a variable or an argument names another directory on the volume, nothing is known.
    """
    stays = [m for m in server.mounts if m.stays]
    on = [path for path in group if any(is_below(path, m.path) for m in stays)]
    own = [m.path for m in stays if any(m.is_around(path) for path in group)]
    named = server.named_paths - {*group, *own}
    if any(is_below(path, volume) for path in named for volume in own):
        return [], []
    return on, [path for path in group if not any(m.is_around(path) for m in server.mounts)]
