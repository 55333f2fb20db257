"""Who writes where."""

from typing import Any

from cases_servers import CLAIM, MYSQL, run
from objects_to_audit import (
    NFS,
    RWOP,
    RWX,
    Case,
    bound,
    controller,
    meta,
    pod,
    provisioner,
    pvc,
    statefulset,
    storage_class,
)

from landfast.kube.client import Object

BLOCK = storage_class("nfs", provisioner="ebs.csi.aws.com", parameters={})
RECREATE: dict[str, Any] = {"strategy": {"type": "Recreate"}}
INLINE: Object = {"nfs": {"server": "nfs", "path": "/exports/a"}}


def web(*, kind: str = "Deployment", name: str = "web", **spec: Any) -> Object:
    found = controller(kind, "a", "nginx:1", **spec)
    return {**found, "metadata": meta(name, namespace="shop")}


def cron(image: str, *, read_only: bool = False, **spec: Any) -> Object:
    job = run(image, {"/files": CLAIM}, kind="CronJob")[-1]
    pod_spec = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod_spec["containers"][0]["volumeMounts"][0]["readOnly"] = read_only
    return {**job, "metadata": meta("nightly", namespace="shop"), "spec": {**job["spec"], **spec}}


def per_pod(expression: str) -> Object:
    """Three pods that write to sub-paths of one PVC."""
    found = web(replicas=3)
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["volumeMounts"][0]["subPathExpr"] = expression
    field = {"fieldRef": {"fieldPath": "metadata.name"}}
    container["env"] = [{"name": "POD_NAME", "valueFrom": field}, {"name": "APP", "value": "web"}]
    return found


def inline(name: str, path: str = "/exports/a") -> Object:
    """A database on a volume that its pod defines itself."""
    volume = {"nfs": {"server": "nfs", "path": path}}
    return {**run("mysql:8.4", {MYSQL: volume})[-1], "metadata": meta(name, namespace="shop")}


MEDIA: Object = {"nfs": {"server": "nfs", "path": "/exports/films"}}
BOX: Object = {"nfs": {"server": "nfs", "path": "/exports/box"}}


def watchers(config: Object, media: Object) -> list[Object]:
    """Two applications with a SQLite database in /config, and films that both of them sort."""
    volumes = {"/config": config, "/films": media}
    names = ("films", "series")
    found = [run(f"acme/{app}", volumes)[-1] for app in ("radarr", "sonarr")]
    return [{**o, "metadata": meta(n, namespace="shop")} for o, n in zip(found, names, strict=True)]


def rolling(image: str, *paths: str) -> list[Object]:
    """A Deployment with a volume of its own at each path, which a rolling update runs twice."""
    volumes = {path: {"nfs": {"server": "nfs", "path": f"/exports{path}"}} for path in paths}
    found = run(image, volumes)[-1]
    found["spec"].pop("strategy")
    return [{**found, "metadata": meta("rolling", namespace="shop")}]


def two(first: str, second: str, **spec: Any) -> list[Object]:
    """Two volumes on one directory, each with a pod."""
    pods = [pod("one", "a", first), pod("two", "b", second)]
    return [*bound("a", "/exports/x", **spec), *bound("b", "/exports/x", **spec), *pods]


def own_root() -> list[Object]:
    """A provisioner that mounts the export's root through a PVC, as one of its guides has it."""
    found = provisioner("/exports/a")
    mounted = run("p", {"/persistentvolumes": CLAIM})[-1]["spec"]["template"]["spec"]
    container = {**found["spec"]["template"]["spec"]["containers"][0], **mounted["containers"][0]}
    found["spec"]["template"]["spec"] = {**mounted, "containers": [container]}
    return [*bound("a", **RWX), {**found, "metadata": meta("provisioner", namespace="shop")}]


WRITERS: list[Case] = [
    Case(
        "database-twice-on-one-pvc",
        watchers(INLINE, MEDIA),
        watchers({"emptyDir": {}}, MEDIA),  # films are no database
        "Deployment shop/films and Deployment shop/series are servers on nfs:/exports/a",
    ),
    Case(
        "database-twice-on-one-pvc",
        rolling("acme/paperless-ngx", "/data", "/usr/src/paperless/consume"),
        [*watchers({"hostPath": {"path": "/srv"}}, MEDIA), *rolling("nginx", "/films")],
        "2 of its pods can run on nfs:/exports/data at the same time",
    ),
    Case(
        "database-twice-on-one-pvc",
        rolling("mysql:8.4", "/var/lib/mysql"),
        rolling("nginx", "/var/lib/mysql"),
        "2 of its pods can run on nfs:/exports/var/lib/mysql",
    ),
    Case(
        "other-writer-on-database",
        [*run("mysql:8.4", {MYSQL: BOX}), *rolling("nginx", "/box")],
        [*run("mysql:8.4", {MYSQL: CLAIM, "/backup": BOX}), *rolling("nginx", "/box")],
        "it writes to nfs:/exports/box, where Deployment shop/db (mysql:8.4) has its files",
        "warning",
    ),
    Case(
        "nested-directory",
        [*bound("a", **RWX), provisioner("/exports/a")],
        own_root(),
        "contains everything that Deployment nfs-system/provisioner provisions",
        "warning",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), pod("one", "a"), pod("two", "a")],
        [*bound("a"), pod("one", "a"), pod("two", "a", phase="Succeeded")],
        "Pod shop/one and Pod shop/two are servers on PersistentVolumeClaim shop/a",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("Deployment", "a")],
        [*bound("a"), controller("Deployment", "a", **RECREATE)],
        "2 of its pods can run on PersistentVolumeClaim shop/a at the same time: a rolling update",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("DaemonSet", "a")],
        [*bound("a"), controller("Deployment", "a", replicas=0)],
        "can run on",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("StatefulSet", "a", replicas=2)],
        [pvc("a", **RWOP), controller("StatefulSet", "a", replicas=2)],
        "2 of its pods",
    ),
    Case(
        "database-twice-on-one-pvc",
        [*bound("a"), controller("StatefulSet", "a", replicas=2)],
        # a claim for each pod, which the StatefulSet's pod shares only with the StatefulSet
        [storage_class("nfs"), statefulset(replicas=2)],
        "2 of its pods",
    ),
    Case(
        "database-twice-on-one-pvc",
        [pvc("a", **NFS), storage_class("nfs"), controller("Deployment", "a")],
        [pvc("a", **NFS), BLOCK, controller("Deployment", "a")],
        "2 of its pods",
    ),
    Case(
        "database-twice-on-one-pvc",
        [pvc("a", storageClassName="fast"), controller("Deployment", "a")],
        [pvc("a", storageClassName="gp3"), controller("Deployment", "a")],
        "MySQL refuses the second one if the NFS server's locks work, and then the update never",
        "warning",
    ),
    Case(
        "database-twice-on-one-pvc",
        [pvc("a", storageClassName="fast"), controller("Deployment", "a", replicas=2)],
        [pvc("a", **NFS), BLOCK, controller("Deployment", "a", replicas=2)],
        "3 of its pods",
    ),
    Case(
        "database-twice-on-one-pvc",
        [
            pvc("a", **RWX),
            pod("one", "a", "postgres:17"),
            controller("Deployment", "a", **RECREATE),
        ],
        [pvc("a", **RWX), pod("one", "a", "nginx"), controller("Deployment", "a", **RECREATE)],
        "PostgreSQL does not notice a second one",
    ),
    Case(
        "database-twice-on-one-pvc",
        [inline("one"), inline("two")],
        [inline("one"), inline("two", "/exports/b")],
        "Deployment shop/one and Deployment shop/two are servers on nfs:/exports/a",
    ),
    Case(
        "pvc-of-several-pods",
        [*bound("a"), web(replicas=3, **RECREATE)],
        [pvc("a", **RWX), web(replicas=3, **RECREATE)],
        "3 of its pods can run on PersistentVolumeClaim shop/a at the same time: replicas is 3",
        "warning",
    ),
    Case(
        "pvc-of-several-pods",
        [*bound("a"), web()],
        [*bound("a"), web(**RECREATE)],
        "a rolling update starts the new pod before the old one is gone",
        "warning",
    ),
    Case(
        "pvc-of-several-pods",
        [pvc("a", storageClassName="fast"), web()],
        [pvc("a", **NFS), BLOCK, web()],
        "a rolling update",
        "warning",
    ),
    Case(
        "pvc-of-several-pods",
        [*bound("a"), web(**RECREATE), web(name="api", **RECREATE)],
        [*bound("a"), *bound("b"), web(**RECREATE), pod("x", "b", "nginx")],
        "Deployment shop/web and Deployment shop/api are writers on PersistentVolumeClaim shop/a",
        "warning",
    ),
    Case(
        "pvc-of-several-pods",
        [*bound("a"), per_pod("$(APP)")],
        [*bound("a"), per_pod("$(POD_NAME)")],
        "4 of its pods",
        "warning",
    ),
    Case(
        "pvc-of-several-pods",
        [*bound("a"), web(**RECREATE), cron("acme/report")],
        [*bound("a"), web(**RECREATE), cron("acme/report", read_only=True)],
        "CronJob shop/nightly are writers",
        "warning",
    ),
    Case(
        "pvc-of-several-pods",
        [*bound("a"), web(replicas=2)],
        [pvc("a", **RWOP), web(replicas=2)],
        "3 of its pods",
        "warning",
    ),
    Case(
        "other-writer-on-database",
        [*bound("a"), controller("Deployment", "a", **RECREATE), cron("acme/copy")],
        [*bound("a"), *bound("b"), controller("Deployment", "b", **RECREATE), cron("acme/copy")],
        "it writes to PersistentVolumeClaim shop/a, where Deployment shop/db (mysql:8.0) has its",
        "warning",
    ),
    Case(
        "other-writer-on-database",
        [*bound("a"), pod("db", "a"), cron("acme/copy", read_only=True)],
        [*bound("a"), pod("web", "a", "nginx"), cron("acme/copy", read_only=True)],
        "it reads PersistentVolumeClaim shop/a while",
        "note",
    ),
    Case(
        "shared-directory",
        two("mysql:8", "nginx", **RWX),
        [*bound("a", "/exports/x"), *bound("b", "/exports/y"), pod("one", "a"), pod("two", "b")],
        "nfs:/exports/x is also the directory of PersistentVolume b; Pod shop/one writes there",
    ),
    Case(
        "shared-directory",
        two("mysql:8", "postgres:17", **RWX),
        two("mysql:8", "postgres:17", **RWX)[:2],
        "Pod shop/one and Pod shop/two write there",
    ),
    Case(
        "shared-directory",
        two("nginx", "nginx", **RWX),
        two("nginx", "nginx", **RWX)[:2],
        "is also the directory of",
        "note",
    ),
    Case(
        "shared-directory",
        two("nginx", "nginx", accessModes=["ReadOnlyMany"]),
        two("nginx", "nginx", accessModes=["ReadOnlyMany"])[:2],
        "is also the directory of",
        "note",
    ),
    Case(
        "shared-directory",
        [*bound("a"), pod("db", "a"), run("mysql:8.4", {MYSQL: INLINE})[-1]],
        [*bound("a"), pod("web", "a", "nginx"), run("nginx", {"/files": INLINE})[-1]],
        "nfs:/exports/a is also the directory of Deployment shop/db",
    ),
]
