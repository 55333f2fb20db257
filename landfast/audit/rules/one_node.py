"""A rule for two database servers on a disk of one node."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity, listed
from landfast.audit.inventory import Inventory
from landfast.audit.servers import UNTIL_DONE
from landfast.audit.storage import on_one_node
from landfast.audit.uses import Use


@Rule(
    "audit.database-twice-on-one-node",
    Severity.WARNING,
    "Two database servers on a disk of one node",
    reason=(
        "ReadWriteOnce means one node, not one pod, and a local volume has all its pods on its "
        "node: the second server starts beside the first, on the same files. One that locks them "
        "refuses, and a rolling update never ends; others write both."
    ),
    fix=(
        "One replica and strategy Recreate; or a StatefulSet with volumeClaimTemplates, which "
        "gives each pod files of its own."
    ),
    example="""
        kind: Deployment
        spec:
          replicas: 1
          strategy: {type: Recreate}       # not RollingUpdate
    """,
    source="Kubernetes documentation, Persistent Volumes, Access Modes; Volumes, local",
)
def database_twice_on_one_node(inventory: Inventory) -> Iterator[Hit]:
    """Find them; an update of an application is none: on one node SQLite's own locks work."""
    for _, uses in inventory.uses_by_directory.directories:
        by_workload: dict[tuple[str, str], list[Use]] = defaultdict(list)
        for use in uses:
            if _is_meant(inventory, use):
                by_workload[use.workload.title, use.workload.part].append(use)
        groups = list(by_workload.values())
        lasting = len(groups) > 1 or any(_lasting(group[0]) for group in groups)
        for number, group in enumerate(groups):
            use, pods = group[0], max(use.pods for use in group)
            engine = inventory.engine_at(use.container, use.mount)
            if sum(max(u.pods for u in g) for g in groups) < 2 or engine is None:
                continue
            if lasting or engine.kind is not Kind.EMBEDDED:
                said = _said(use, [g[0] for g in [*groups[:number], *groups[number + 1 :]]], pods)
                refuses = f". {engine} refuses the second one" if engine.locks else ""
                yield Hit(use.workload, said + refuses, ("spec", "replicas"))


def _is_meant(inventory: Inventory, use: Use) -> bool:
    alone = use.pvc is not None and set(use.pvc.spec.access_modes) == {"ReadWriteOncePod"}
    database = not use.init and inventory.is_database(use.container, use.mount)
    return database and use.writes and not alone and on_one_node(inventory, use)


def _lasting(use: Use) -> bool:
    return use.workload.replicas > 1 and use.workload.kind not in UNTIL_DONE


def _said(use: Use, others: Sequence[Use], pods: int) -> str:
    said = []
    if others:
        names = listed([use.workload.title, *(other.workload.title for other in others)])
        said.append(f"{names} are servers on {use.through}")
    if pods > 1:
        where = "there" if said else f"on {use.through}"
        said.append(f"{pods} of its pods can run {where} at the same time")
        said[-1] += f": {use.workload.why_several}"
    return "; ".join(said)
