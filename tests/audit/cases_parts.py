"""Databases that keep what belongs together in several directories."""

from cases_servers import CLAIM, EMPTY, run
from objects_to_audit import Case

from landfast.kube.client import Object

CONFIG: Object = {"configMap": {"name": "c"}}
CASSANDRA = "/var/lib/cassandra"
GITLAB = "/var/opt/gitlab"

PARTS: list[Case] = [
    Case(
        "data-partly-mounted",
        run("cassandra:5", {f"{CASSANDRA}/data": CLAIM}),
        run("cassandra:5", {CASSANDRA: CLAIM}),
        f"has a volume at {CASSANDRA}/data, and none at {CASSANDRA}/commitlog",
    ),
    Case(
        "data-partly-mounted",
        run("cassandra:5", {f"{CASSANDRA}/commitlog": CLAIM}),
        # an emptyDir is another rule's
        run("cassandra:5", {f"{CASSANDRA}/data": CLAIM, f"{CASSANDRA}/commitlog": EMPTY}),
        f"has a volume at {CASSANDRA}/commitlog, and none at {CASSANDRA}/data",
    ),
    Case(
        "data-partly-mounted",
        run("zookeeper:3.9", {"/data": CLAIM}),
        run("zookeeper:3.9", {"/data": CLAIM, "/datalog": CLAIM}),
        "has a volume at /data, and none at /datalog",
    ),
    Case(
        "data-partly-mounted",
        run("zookeeper:3.9", {"/data": CLAIM}),
        run("zookeeper:3.9", {"/data": CLAIM}, env=[{"name": "L", "value": "/data/log"}]),
        "none at /datalog",
    ),
    Case(
        "data-partly-mounted",
        run("zookeeper:3.9", {"/data": CLAIM, "/conf": CONFIG}),  # which may say where
        run("bitnami/zookeeper:3.9", {"/bitnami/zookeeper": CLAIM, "/conf": CONFIG}),
        "none at /datalog",
        "warning",
    ),
    Case(
        "data-partly-mounted",
        run("confluentinc/cp-zookeeper:7.6.0", {"/var/lib/zookeeper/data": CLAIM}),
        run("acme/tool", {"/var/lib/zookeeper/data": CLAIM}),
        "none at /var/lib/zookeeper/log",
    ),
    Case(
        "data-partly-mounted",
        run("influxdb:1.8", {"/var/lib/influxdb/data": CLAIM}),
        run("influxdb:1.8", {"/var/lib/influxdb": CLAIM}),
        "none at /var/lib/influxdb/wal and /var/lib/influxdb/meta",
        "warning",
    ),
    Case(
        "data-partly-mounted",
        run("gitlab/gitlab-ce:17.0.0-ce.0", {GITLAB: CLAIM}),
        run("gitlab/gitlab-ce:17.0.0-ce.0", {GITLAB: CLAIM, "/etc/gitlab": CLAIM}),
        "none at /etc/gitlab",
        "warning",
    ),
]
