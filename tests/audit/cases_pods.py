"""What a database's pods do to its files: at the start, at each commit, at the end."""

from typing import Any

from cases_servers import CLAIM, MYSQL, at, run
from objects_to_audit import Case

from landfast.kube.client import Object


def beside(command: list[str], at_path: str = MYSQL, image: str = "busybox") -> list[Object]:
    """A database on a PVC whose pod runs something else first."""
    init = {
        "name": "first",
        "image": image,
        "command": command,
        "volumeMounts": [{"name": "v0", "mountPath": at_path}],
    }
    return at(MYSQL, pod_initContainers=[init])


def script(text: str) -> list[Object]:
    return beside(["sh", "-c", text])


def probed(**probe: Any) -> list[Object]:
    return at(MYSQL, livenessProbe={"exec": {"command": ["mysqladmin", "ping"]}, **probe})


def backups(command: str, path: str) -> list[Object]:
    """A database with a second volume, and a container that has a path of the two."""
    found = run("mysql:8.4", {MYSQL: CLAIM, "/backup": CLAIM})
    volume = "v0" if path == MYSQL else "v1"
    mounts = [{"name": volume, "mountPath": path}]
    init = {"name": "first", "command": command.split(), "volumeMounts": mounts}
    found[-1]["spec"]["template"]["spec"]["initContainers"] = [init]
    return found


FILTERS = ["-name", "-iname", "-path", "-regex", "-mtime", "-mmin", "-newer", "-size", "-user"]
CONDITIONS = ["[[ -n $RESET ]] && {}", "test -n $RESET && {}", "case $RESET in 1) {};; esac"]
WIPE = f"rm -rf {MYSQL}/*"

PODS: list[Case] = [
    *(
        Case(
            "data-wiped-at-start",
            script(f"find {MYSQL} -delete"),
            script(f"find {MYSQL} {only} x -delete"),
            f"removes {MYSQL}",
        )
        for only in FILTERS
    ),
    *(
        Case(
            "data-wiped-at-start",
            script(condition.format(WIPE)),
            script(condition.format("rm -rf /var/tmp/*")),
            "under a condition",
            "warning",
        )
        for condition in CONDITIONS
    ),
    Case(
        "data-wiped-at-start",
        backups("rm -rf /var/lib/mysql/*", MYSQL),
        backups("rm -rf /backup/*", "/backup"),
        "removes /var/lib/mysql/*",
    ),
    Case(
        "data-wiped-at-start",
        script("rm -rf /var/lib/mysql/*"),
        script("rm -rf /var/lib/mysql/lost+found"),
        "container first removes /var/lib/mysql/* before",
    ),
    Case(
        "data-wiped-at-start",
        script("cd /var/lib/mysql && rm -fr ./*"),
        script("cd /tmp && rm -fr ./*"),
        "removes /var/lib/mysql/*",
    ),
    Case(
        "data-wiped-at-start",
        beside(["rm", "-r", "-f", "/restore"], "/restore"),
        beside(["rm", "-f", "/restore"], "/restore"),  # not a directory
        "removes /restore",
    ),
    Case(
        "data-wiped-at-start",
        script("find /var/lib/mysql -mindepth 1 -delete"),
        script("find /var/lib/mysql -name '*.err' -mtime +7 -delete"),
        "removes /var/lib/mysql",
    ),
    Case(
        "data-wiped-at-start",
        script("if mysqladmin ping; then\n  rm -rf /var/lib/mysql/*\nfi"),
        script("if mysqladmin ping; then\n  rm -rf /var/tmp/*\nfi"),
        "under a condition",
        "warning",
    ),
    Case(
        "data-wiped-at-start",
        script('[ -n "$RESET" ] && rm -rf /var/lib/mysql/*'),
        script('[ -n "$RESET" ] && rm -rf /var/tmp/*'),
        "under a condition",
        "warning",
    ),
    Case(
        "data-wiped-at-start",
        at(
            MYSQL,
            command=["sh", "-c", 'rm -rf "$D"/* ; mysqld'],
            env=[{"name": "D", "value": MYSQL}],
        ),
        at(
            MYSQL,
            command=["sh", "-c", 'rm -rf "$D"/* ; mysqld'],
            env=[{"name": "D", "value": "/x"}],
        ),
        "container c removes /var/lib/mysql/*",
    ),
    Case(
        "lock-file-removed",
        script("rm -f /var/lib/mysql/mysqld.pid"),
        script("rm -f /var/run/mysqld/mysqld.pid"),
        "container first removes /var/lib/mysql/mysqld.pid of Deployment shop/db",
        "warning",
    ),
    Case(
        "durability-off",
        at(MYSQL, args=["--innodb_flush_log_at_trx_commit=0"]),
        at(MYSQL, args=["--innodb_flush_log_at_trx_commit=1"]),
        "innodb-flush-log-at-trx-commit=0, which costs",
        "warning",
    ),
    Case(
        "durability-off",
        at(MYSQL, args=["--innodb-flush-log-at-trx-commit", "2", "--skip-innodb-doublewrite"]),
        at(MYSQL, args=["--innodb-doublewrite=ON"]),
        "skip-innodb-doublewrite",
        "warning",
    ),
    Case(
        "durability-off",
        at(MYSQL, args=["--innodb-flush-log-at-trx-commit", "0"]),
        at(MYSQL, args=["innodb-flush-log-at-trx-commit", "0"]),  # no option
        "innodb-flush-log-at-trx-commit=0, which costs",
        "warning",
    ),
    Case(
        "durability-off",
        at("/var/lib/postgresql/data", "postgres:17", args=["-c", "fsync=off", "-cfoo=1"]),
        at("/var/lib/postgresql/data", "postgres:17", args=["-c", "fsync=on"]),
        "fsync=off, which costs the whole database",
        "warning",
    ),
    Case(
        "durability-off",
        at("/var/lib/postgresql/data", "postgres:17", command=["sh", "-c", "postgres -cfsync=off"]),
        at("/files", "nginx:1", args=["-c", "fsync=off"]),
        "fsync=off",
        "warning",
    ),
    Case(
        "grace-period-short",
        at(MYSQL, pod_terminationGracePeriodSeconds=0),
        at(MYSQL),
        "is killed 0 s after",
        "warning",
    ),
    Case(
        "grace-period-short",
        at(MYSQL, pod_terminationGracePeriodSeconds=5),
        at(MYSQL, pod_terminationGracePeriodSeconds=30),
        "is killed 5 s after",
        "note",
    ),
    Case(
        "grace-period-short",
        at(MYSQL, pod_terminationGracePeriodSeconds=0),
        at("/files", "nginx:1", pod_terminationGracePeriodSeconds=0),
        "is killed 0 s after",
        "warning",
    ),
    Case(
        "liveness-probe-hasty",
        probed(initialDelaySeconds=5),
        probed(initialDelaySeconds=30),
        "if it does not answer 35 s after its start",
        "note",
    ),
    Case(
        "liveness-probe-hasty",
        probed(periodSeconds=5, failureThreshold=11),
        probed(periodSeconds=20),
        "if it does not answer 55 s after its start",
        "note",
    ),
    Case(
        "liveness-probe-hasty",
        probed(periodSeconds="${PERIOD}"),  # a template's: the default counts
        probed(failureThreshold=6),
        "30 s after",
        "note",
    ),
    Case(
        "liveness-probe-hasty",
        probed(),
        at(MYSQL, livenessProbe={"tcpSocket": {}}, startupProbe={"failureThreshold": 90}),
        "30 s after",
        "note",
    ),
    Case(
        "liveness-probe-hasty",
        probed(),
        at("/data", "vaultwarden/server", livenessProbe={"tcpSocket": {}}),  # SQLite is quick
        "30 s after",
        "note",
    ),
]
