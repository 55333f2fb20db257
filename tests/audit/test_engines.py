"""Which engine a container runs, by its image, labels, command, mounts and ports."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.audit import operators
from landfast.audit.directories import is_below
from landfast.audit.engines import Engine, Kind, identify, table

ENGINES = table().engines
SERVERS = {
    "mysql": "MySQL",
    "mysql:5.7": "MySQL",
    "percona:8.0": "MySQL",
    "percona@sha256:00": "MySQL",
    "percona/percona-xtradb-cluster:8.0": "MySQL",
    "registry:5000/team/mariadb": "MariaDB",
    "bitnami/mariadb-galera:11": "MariaDB",
    "registry.example.com/shop/mysql8:1": "MySQL",
    "container-registry.example.com/mysql/community-server-mysql:8": "MySQL",
    "quay.example.com/sclorg/mysql-80-c9s": "MySQL",
    "docker.io/library/postgres:16@sha256:00": "PostgreSQL",
    "ghcr.io/cloudnative-pg/postgresql:16.2": "PostgreSQL",
    "bitnami/postgresql-repmgr:16": "PostgreSQL",
    "timescale/timescaledb-ha:pg16": "PostgreSQL",
    "pgvector/pgvector:pg16": "PostgreSQL",
    "ghcr.io/zalando/spilo-16:3.3": "PostgreSQL",
    "acme/orders_postgres15": "PostgreSQL",
    "localhost/mongo:7": "MongoDB",
    "percona/percona-server-mongodb:7.0": "MongoDB",
    "bitnami/mongodb-sharded": "MongoDB",
    "redis/redis-stack-server": "Redis",
    "valkey/valkey:8-alpine": "Redis",
    "mcr.microsoft.com/mssql/server:2022-latest": "SQL Server",
    "mcr.microsoft.com/azure-sql-edge": "SQL Server",
    "container-registry.oracle.com/database/free:23": "Oracle Database",
    "gvenzl/oracle-xe:21": "Oracle Database",
    "icr.io/db2_community/db2": "Db2",
    "confluentinc/cp-kafka:7.6.0": "Kafka",
    "quay.io/strimzi/kafka:0.40.0-kafka-3.7.0": "Kafka",
    "rabbitmq:3-management": "RabbitMQ",
    "nats:2.10": "NATS",
    "opensearchproject/opensearch:2": "OpenSearch",
    "docker.elastic.co/elasticsearch/elasticsearch-oss:7.10.2": "Elasticsearch",
    "quay.io/prometheus/prometheus": "Prometheus",
    "victoriametrics/vmstorage:v1.97.1-cluster": "VictoriaMetrics",
    "quay.io/prometheus/alertmanager": "Alertmanager",
    "grafana/loki:3.0.0": "Loki",
    "bitnami/grafana-loki": "Loki",
    "grafana/grafana-enterprise:11": "Grafana",
    "quay.io/coreos/etcd:v3.5.0": "etcd",
    "registry.k8s.io/etcd-amd64:3.5": "etcd",
    "altinity/clickhouse-server:23": "ClickHouse",
    "clickhouse/clickhouse-keeper:24": "ClickHouse Keeper",
    "hashicorp/vault:1.16": "Vault",
    "vaultwarden/server:1.30": "Vaultwarden",
    "ghcr.io/home-assistant/home-assistant:stable": "Home Assistant",
    "lscr.io/linuxserver/radarr:latest": "SQLite in Sonarr, Radarr and their kind",
    "jc21/nginx-proxy-manager:2": "Nginx Proxy Manager",
    "n8nio/n8n": "n8n",
    "registry.k8s.io/volume-nfs:0.8": "NFS server",
    "registry.k8s.io/sig-storage/nfs-provisioner:v4.0.8": "NFS server",
}
OTHERS = [
    "",
    "nginx",
    "busybox:1.36",
    "mysql-images.example.com/web",
    "mysql:3306/web",
    "web:mysql",
    "mymysqlapp",
    "registry.example.com/mysql/webapp:1",
    "ghcr.io/acme/postgres/api:3",
    "prom/mysqld-exporter",
    "oliver006/redis_exporter:v1",
    "quay.io/prometheuscommunity/postgres-exporter",
    "natsio/prometheus-nats-exporter",
    "mongo-express:1",
    "dpage/pgadmin4",
    "phpmyadmin/phpmyadmin",
    "redis/redisinsight:2",
    "rediscommander/redis-commander",
    "provectuslabs/kafka-ui",
    "confluentinc/cp-kafka-connect",
    "debezium/connect:2.5",
    "opensearchproject/opensearch-dashboards:2",
    "mysql/mysql-router",
    "bitnami/mysql-shell",
    "linuxserver/mysql-workbench",
    "team/postgres-backup",
    "prodrigestivill/postgres-backup-local",
    "gcr.io/x/fluentd-elasticsearch:v2",
    "elastic/elasticsearch-curator",
    "elasticsearch-hq",
    "percona/percona-toolkit",
    "percona/percona-xtrabackup:8.0",
    "timescale/promscale",
    "mysql/mysql-operator",
    "quay.io/prometheus-operator/prometheus-config-reloader",
    "quay.io/prometheus-operator/prometheus-operator",
    "registry.k8s.io/prometheus-adapter/prometheus-adapter",
    "grafana/grafana-image-renderer",
    "grafana/loki-canary",
    "grafana/promtail",
    "grafana/agent",
    "minio/mc",
    "minio/console",
    "minio/operator",
    "natsio/nats-box",
    "natsio/nats-server-config-reloader",
    "hashicorp/vault-k8s",
    "bitnami/redis-sentinel",
    "victoriametrics/vmagent",
    "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner:v4.0.2",
    "registry.k8s.io/sig-storage/nfsplugin:v4.9.0",
    "altinity/clickhouse-backup",
    "thelastpickle/cassandra-reaper",
    "rabbitmqoperator/cluster-operator",
    "acme/mysql-unheard-of",
]


def name(engine: Engine | None) -> str | None:
    return engine.name if engine else None


@pytest.mark.parametrize(("image", "expected"), SERVERS.items())
def test_images_of_servers_are_known(image: str, expected: str) -> None:
    assert name(identify(image)) == expected


@pytest.mark.parametrize("image", OTHERS)
def test_other_images_are_not(image: str) -> None:
    assert identify(image, mount_paths=["/data"]) is None


IMAGES = [(image, engine) for engine in ENGINES for image in engine.images]


@given(
    of=st.sampled_from(IMAGES),
    registry=st.sampled_from(["", "registry.example.com/", "localhost:5000/team/"]),
    version=st.sampled_from(["", "-8", "-16.3", "-alpine", "_v2-debian"]),
    tag=st.sampled_from(["", ":latest", ":8.4-exporter", "@sha256:00"]),
)
def test_registry_version_and_tag_change_nothing(
    of: tuple[str, Engine], registry: str, version: str, tag: str
) -> None:
    image, engine = of
    assert identify(f"{registry}{image}{'' if '/' in image else version}{tag}") == engine


@given(
    of=st.sampled_from([(image, engine) for image, engine in IMAGES if "/" not in image]),
    word=st.sampled_from(sorted(table().not_servers)),
    before=st.booleans(),
)
def test_a_word_that_is_no_servers_makes_it_no_server(
    of: tuple[str, Engine], word: str, before: bool
) -> None:
    image, engine = of
    named = f"acme/{word}-{image}" if before else f"acme/{image}-{word}"
    assert identify(named, mount_paths=engine.data) in (None, *_with(f"{word}-{image}-{word}"))


def _with(words: str) -> list[Engine]:
    """Return the engines whose own name is among these words, as `nginx-proxy-manager`."""
    return [engine for image, engine in IMAGES if f"-{image}-" in f"-{words}-" and "-" in image]


@given(st.sampled_from(IMAGES))
def test_an_organisation_called_like_an_engine_says_nothing(of: tuple[str, Engine]) -> None:
    image, _ = of
    assert identify(f"{image.replace('/', '-')}/thing", mount_paths=["/files"]) is None


@pytest.mark.parametrize(
    ("image", "more", "expected"),
    [
        ("acme/mysql-acme", {"mount_paths": ["/var/lib/mysql/"]}, "MySQL"),
        ("acme/mysql-acme", {"mount_paths": ["/data"], "ports": [3306]}, "MySQL"),
        ("acme/mysql-acme", {"mount_paths": ["/data"], "ports": [8080]}, None),
        ("acme/redis-acme", {"mount_paths": ["/data"]}, None),  # anybody's name for a folder
        ("acme/kafka-acme", {"command": ["kafka-server-start.sh", "x"]}, "Kafka"),
        ("acme/base", {"labels": {"app.kubernetes.io/name": "postgresql"}}, "PostgreSQL"),
        ("acme/base", {"labels": {"app": "shop-mysql"}}, "MySQL"),
        ("acme/base", {"labels": {"app": "mysql-exporter"}}, None),
        (
            "acme/base",
            {"labels": {"app": "mysql", "app.kubernetes.io/component": "metrics"}},
            None,
        ),
        (
            "acme/mysql-acme",
            {"labels": {"role": "proxy"}, "mount_paths": ["/data"], "ports": [3306]},
            None,
        ),
        ("mysql:8", {"labels": {"role": "proxy"}}, "MySQL"),
        ("mysql:8", {"labels": {"app": "mongo"}}, "MySQL"),
        ("bitnami/mysql-shell", {"labels": {"app": "mysql"}}, None),
        ("nginx:1", {"labels": {"app": "mysql"}}, None),
        ("acme/base", {"command": ["/usr/sbin/mysqld", "--user=mysql"]}, "MySQL"),
        ("ubuntu", {"command": ["bash", "-c", "cd /x && exec mongod --dbpath /x"]}, "MongoDB"),
        ("acme/base", {"command": ["tini", "--", "redis-server", "/etc/redis.conf"]}, "Redis"),
        (
            "acme/base",
            {"command": ["sh", "-c", "A=1\n# mongod\npg_ctl x\npostgres -D /d"]},
            "PostgreSQL",
        ),
        ("acme/base", {"command": ["docker-entrypoint.sh", "postgres"]}, "PostgreSQL"),
        ("acme/base", {"command": ["sh", "-c", "psql -U postgres -d mysqld"]}, None),
        ("acme/base", {"command": ["sh", "-c", "echo 'mongod"]}, None),
        ("acme/base", {"mount_paths": ["/var/lib/postgresql/data"]}, "PostgreSQL"),
        ("acme/base", {"mount_paths": ["/data", "/config"]}, None),
        ("acme/base", {"mount_paths": ["/exports"]}, None),
        ("acme/base", {"mount_paths": ["/files"], "ports": [27017]}, "MongoDB"),
        ("acme/base", {"ports": [27017]}, None),
        ("acme/tcp-proxy", {"mount_paths": ["/files"], "ports": [3306]}, None),
        ("nginx", {"mount_paths": ["/var/lib/mysql"]}, None),
        ("mysql:8.4", {"command": ["mysqldump", "--all-databases"]}, None),
        ("mysql:8.4", {"command": ["sh", "-c", "mysqldump -h db | gzip > /b/x.gz"]}, None),
        (
            "mysql:8.4",
            {"command": ["sh", "-ec", "mysql -e 'create database a; use a'\nsleep 9"]},
            None,
        ),
        (
            "mysql:8.4",
            {"command": ["bash", "-c", "mysqldump -h db > /b/$(date +%F).sql; find /b -delete"]},
            None,
        ),
        ("mysql:8.4", {"command": ["sleep", "infinity"]}, None),
        ("mysql:8.4", {"command": ["--datadir=/x"]}, "MySQL"),
        ("mysql:8.4", {"command": ["/scripts/start.sh"]}, "MySQL"),
        ("mysql:8.4", {"command": ["bash", "-c", "chown -R 1 /d; /scripts/run"]}, "MySQL"),
        ("minio/minio", {"command": ["server", "/data"]}, "MinIO"),
        ("redis:7", {"command": ["redis-sentinel", "/etc/sentinel.conf"]}, None),
    ],
)
def test_what_else_a_container_says_decides_where_its_image_does_not(
    image: str, more: dict[str, list[str]], expected: str | None
) -> None:
    assert name(identify(image, **more)) == expected  # type: ignore[arg-type]


@given(
    st.text(max_size=60),
    st.dictionaries(st.sampled_from(["app", "app.kubernetes.io/name"]), st.text(max_size=30)),
    st.lists(st.text(max_size=60), max_size=4),
    st.lists(st.text(max_size=30), max_size=3),
)
def test_whatever_a_container_says_is_judged(
    image: str, labels: dict[str, str], command: list[str], paths: list[str]
) -> None:
    for argv in (command, ["sh", "-c", *command]):
        assert identify(image, labels, argv, paths, [0]) in (None, *ENGINES)


def test_no_name_port_or_program_belongs_to_two_engines() -> None:
    for field in ("images", "ports", "programs"):
        counts = Counter(value for engine in ENGINES for value in getattr(engine, field))
        assert [value for value, count in counts.items() if count > 1] == [], field
    assert len({engine.name for engine in ENGINES}) == len(ENGINES)


def test_no_name_means_a_server_and_the_opposite() -> None:
    names = {image for image, _ in IMAGES}
    assert names & table().others == set()
    assert names & table().not_servers == set()
    assert table().neutral & table().not_servers == set()
    assert table().tools & {program for engine in ENGINES for program in engine.programs} == set()


def test_what_an_image_declares_as_volume_is_where_its_data_is() -> None:
    for engine in ENGINES:
        assert set(engine.volumes) <= set(engine.data), engine.name


def test_what_operators_run_is_known_and_has_its_data_where_they_mount_it() -> None:
    for members in (one for made in operators.table().values() for one in made):
        engine = identify(members.engine)
        assert engine, members.engine
        assert any(
            is_below(members.mount, path) or is_below(path, members.mount) for path in engine.data
        ), members.kind


def test_every_kind_is_there() -> None:
    assert {engine.kind for engine in ENGINES} == set(Kind)
