"""Rules for where a database's data goes: on a volume, or away with its pod."""

from collections.abc import Iterator

from landfast.audit.directories import is_below
from landfast.audit.engines import Engine, Kind
from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.rules.sources import IMAGE_VOLUMES, VOLUMES
from landfast.audit.rules.ties import others
from landfast.audit.servers import Mounted, Server
from landfast.image_names import ImageName

_ON_A_CLAIM = """
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db}
    spec:
      serviceName: db
      selector: {matchLabels: {app: db}}
      template:
        metadata: {labels: {app: db}}
        spec:
          containers:
            - name: mysql
              image: mysql:8.4
              volumeMounts: [{name: data, mountPath: /var/lib/mysql}]
      volumeClaimTemplates:
        - metadata: {name: data}
          spec:
            accessModes: [ReadWriteOncePod]
            storageClassName: nfs
            resources: {requests: {storage: 10Gi}}
"""


def _databases(inventory: Inventory) -> Iterator[Server]:
    return (
        server
        for server in inventory.servers
        if server.runs_on and server.engine.kind is not Kind.FILE_SERVER
    )


def _severity(engine: Engine) -> Severity:
    """Return how bad it is if its data is lost: most for what others take for their memory."""
    if engine.volume_optional or engine.kind in (Kind.TIME_SERIES, Kind.EMBEDDED):
        return Severity.NOTE
    main = engine.kind in (Kind.DATABASE, Kind.OBJECT_STORE)
    return Severity.ERROR if main else Severity.WARNING


def called(mounted: Mounted) -> str:
    """Return what to call storage that is deleted with its pod."""
    return "an emptyDir" if mounted.source == "emptyDir" else "an ephemeral volume"


@Rule(
    "audit.database-without-volume",
    Severity.ERROR,
    "A database without a volume",
    reason=(
        "What a container writes beside its volumes is gone when the container is restarted, and "
        "an emptyDir or an ephemeral volume is deleted with its pod: an update of the image, a "
        "drained or lost node is enough."
    ),
    fix="Mount a PVC at its data directory, best by a StatefulSet with volumeClaimTemplates.",
    example=_ON_A_CLAIM,
    source=VOLUMES,
)
def database_without_volume(inventory: Inventory) -> Iterator[Hit]:
    """Find them; what may be a cache counts only if somebody thought of its data, and as a note.

    A PVC beside it that nothing mounts is named: somebody thinks that the data is there.
    """
    mounted = {use.claim for use in inventory.uses}
    idle = [pvc for pvc in inventory.pvcs if (pvc.namespace, pvc.name) not in mounted]
    for server in _databases(inventory):
        engine = server.engine
        going = [m for m in server.mounts if m.goes_with_the_pod]
        on = next((m for m in going for path in engine.data if m.path == path), None)
        stays = [m for m in server.mounts if m.stays]
        if stays and (on is None or any(m.path in engine.data for m in stays)):
            continue
        meant = server.sure and (
            not engine.volume_optional or server.workload.kind == "StatefulSet"
        )
        if on is None and not meant:
            continue
        said = f"{called(on)} is mounted at {on.path}" if on else "no volume is mounted"
        said = f"{said} for the data of {engine} in {server}"
        space = server.workload.namespace
        if beside := list(dict.fromkeys(pvc.title for pvc in idle if pvc.namespace == space)):
            here = "" if inventory.complete else "here "
            said += f"; nothing {here}mounts {others(beside, '', len(beside) + 1)}"
        at = server.workload.container_at(server.container)
        yield Hit(server.workload, said, at, _severity(engine))


@Rule(
    "audit.data-directory-not-mounted",
    Severity.ERROR,
    "A volume that is not where the database has its data",
    reason=(
        "The database writes beside the volume, and that is gone with the container. Where an "
        "image declares a VOLUME inside the mounted directory, containerd and Docker put an "
        "anonymous volume of the node on top of it."
    ),
    fix="Mount the volume at exactly the data directory, or move that with the server's option.",
    example="""
        containers:
          - name: mongo
            image: mongo:7
            volumeMounts: [{name: data, mountPath: /data/db}]   # not /data
    """,
    source=IMAGE_VOLUMES,
)
def data_directory_not_mounted(inventory: Inventory) -> Iterator[Hit]:
    """Find volumes beside the data of images whose data directory is known; operators know it."""
    for server in _databases(inventory):
        if server.workload.engine:
            continue
        stays = [m for m in server.mounts if m.stays and not m.mount.read_only]
        if not stays or not server.usual or not server.data:
            continue
        hidden = _hidden(server, stays)
        elsewhere = [
            path
            for path in server.named_paths
            if any(is_below(path, m.path) for m in stays)
            and not any(is_below(path, volume) for volume in hidden)
        ]
        found = any(m.is_around(path) for m in server.mounts for path in server.data)
        configured = any(m.is_configuration for m in server.mounts)
        if elsewhere or (not hidden and (found or configured)):
            continue
        where = ", ".join(m.path for m in stays)
        said = f"{server} mounts its volume at {where}, and {server.engine} writes to "
        said += f"{hidden[0]}, a VOLUME of the image" if hidden else server.data[0]
        milder = configured or _severity(server.engine) is not Severity.ERROR
        at = (*server.workload.container_at(server.container), "volumeMounts")
        yield Hit(server.workload, said, at, Severity.WARNING if milder else None)


def _hidden(server: Server, stays: list[Mounted]) -> list[str]:
    """Return the volumes that the image declares inside a mount, unless mounted themselves."""
    image = ImageName.parse(server.container.image)
    if "bitnami" in image.path or (image.base == "postgres" and _newer_than_17(image.tag)):
        return []
    inside = [
        path
        for path in server.engine.volumes
        if any(m.path != path and is_below(path, m.path) for m in stays)
    ]
    mounted = {m.path for m in server.mounts} & set(server.engine.data)
    return [path for path in inside if all(is_below(path, m) and m != path for m in mounted)]


def _newer_than_17(tag: str) -> bool:
    """Whether a tag of the image postgres is one whose VOLUME is `/var/lib/postgresql`."""
    major = tag.partition("-")[0].partition(".")[0]
    return not major.isdigit() or int(major) > 17
