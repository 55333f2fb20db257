"""Operators' objects are the pods and PVCs that they will make."""

import pytest
from objects_to_audit import inventory

from landfast.audit import operators
from landfast.audit.inventory import Inventory
from landfast.audit.parsing import is_read, parse
from landfast.audit.place import Place
from landfast.audit.workloads import Workload
from landfast.kube.client import Object

CLUSTERS: list[tuple[Object, str, str, int, list[str], str | None]] = [
    (
        {
            "apiVersion": "mongodb.com/v1",
            "kind": "MongoDB",
            "spec": {
                "type": "ReplicaSet",
                "members": 2,
                "podSpec": {"persistence": {"multiple": {"data": {"storageClass": "nfs"}}}},
            },
        },
        "mongo", "", 2, ["data-db-0", "data-db-1"], "nfs",
    ),
    (
        {
            "apiVersion": "mongodb.com/v1",
            "kind": "MongoDB",
            "spec": {
                "type": "ShardedCluster",
                "mongodsPerShardCount": 1,
                "shardPodSpec": {"persistence": {"single": {"storageClass": "nfs"}}},
            },
        },
        "mongo", "", 1, ["data-db-0-0"], "nfs",
    ),
    (
        {
            "apiVersion": "mongodb.com/v1",
            "kind": "MongoDB",
            "spec": {"type": "Standalone", "persistent": False},
        },
        "mongo", "", 1, [], None,
    ),
    (
        {
            "apiVersion": "mongodb.com/v1",
            "kind": "MongoDB",
            "spec": {"type": "Standalone", "persistent": True},
        },
        "mongo", "", 1, ["data-db-0"], None,
    ),
    (
        {"apiVersion": "mongodb.com/v1", "kind": "MongoDBOpsManager", "spec": {"replicas": 1}},
        "mongo", "", 3, ["data-db-db-0", "data-db-db-1", "data-db-db-2"], None,
    ),
    (
        {
            "apiVersion": "k8ssandra.io/v1alpha1",
            "kind": "K8ssandraCluster",
            "spec": {
                "cassandra": {
                    "storageConfig": {"cassandraDataVolumeClaimSpec": {"storageClassName": "nfs"}},
                    "datacenters": [{"metadata": {"name": "dc1"}, "size": 1}],
                }
            },
        },
        "cassandra", "0", 1, ["server-data-db-0-default-sts-0"], "nfs",
    ),
    (
        {
            "apiVersion": "kafka.strimzi.io/v1beta2",
            "kind": "KafkaNodePool",
            "spec": {"replicas": 3, "storage": {"type": "ephemeral"}},
        },
        "kafka", "spec", 3, [], None,
    ),
    (
        {
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "Cluster",
            "spec": {"instances": 2, "storage": {"storageClass": "nfs", "size": "1Gi"}},
        },
        "postgres", "", 2, ["db-1", "db-2"], "nfs",
    ),
    (
        {
            "apiVersion": "acid.zalan.do/v1",
            "kind": "postgresql",
            "spec": {"numberOfInstances": 1, "volume": {"size": "1Gi"}},
        },
        "postgres", "", 1, ["pgdata-db-0"], None,
    ),
    (
        {
            "apiVersion": "psmdb.percona.com/v1",
            "kind": "PerconaServerMongoDB",
            "spec": {
                "image": "percona/percona-server-mongodb:7",
                "replsets": [
                    {
                        "name": "rs0",
                        "size": 1,
                        "volumeSpec": {"persistentVolumeClaim": {"storageClassName": "nfs"}},
                    }
                ],
            },
        },
        "percona/percona-server-mongodb:7", "rs0", 1, ["mongod-data-db-rs0-0"], "nfs",
    ),
    (
        {
            "apiVersion": "elasticsearch.k8s.elastic.co/v1",
            "kind": "Elasticsearch",
            "spec": {
                "nodeSets": [
                    {
                        "name": "hot",
                        "count": 2,
                        "volumeClaimTemplates": [{"spec": {"storageClassName": "nfs"}}],
                    }
                ]
            },
        },
        "elasticsearch", "hot", 2,
        ["elasticsearch-data-db-es-hot-0", "elasticsearch-data-db-es-hot-1"], "nfs",
    ),
    (
        {
            "apiVersion": "kafka.strimzi.io/v1beta2",
            "kind": "Kafka",
            "spec": {
                "kafka": {
                    "replicas": 1,
                    "storage": {
                        "type": "jbod",
                        "volumes": [{"id": 0, "type": "persistent-claim", "class": "nfs"}],
                    },
                }
            },
        },
        "kafka", "0", 1, ["data-0-db-kafka-0"], "nfs",
    ),
    (
        {
            "apiVersion": "databases.spotahome.com/v1",
            "kind": "RedisFailover",
            "spec": {"redis": {"replicas": 3}},
        },
        "redis", "", 3, [], None,
    ),
    (
        {
            "apiVersion": "kafka.strimzi.io/v1beta2",
            "kind": "KafkaNodePool",
            "metadata": {"labels": {"strimzi.io/cluster": "logs"}},
            "spec": {"replicas": 2, "storage": {"type": "persistent-claim", "class": "nfs"}},
        },
        "kafka", "spec", 2, ["data-logs-db-0", "data-logs-db-1"], "nfs",
    ),
    (
        {
            "apiVersion": "cassandra.datastax.com/v1beta1",
            "kind": "CassandraDatacenter",
            "spec": {
                "clusterName": "c",
                "size": 1,
                "storageConfig": {"cassandraDataVolumeClaimSpec": {"storageClassName": "nfs"}},
            },
        },
        "cassandra", "", 1, ["server-data-c-db-default-sts-0"], "nfs",
    ),
    (
        {
            "apiVersion": "scylla.scylladb.com/v1",
            "kind": "ScyllaCluster",
            "spec": {
                "datacenter": {
                    "name": "east",
                    "racks": [{"name": "a", "members": 1, "storage": {"storageClassName": "nfs"}}],
                }
            },
        },
        "scylla", "a", 1, ["data-db-east-a-0"], "nfs",
    ),
    (
        {
            "apiVersion": "databases.spotahome.com/v1",
            "kind": "RedisFailover",
            "spec": {
                "redis": {
                    "replicas": 1,
                    "storage": {
                        "persistentVolumeClaim": {
                            "metadata": {"name": "data"},
                            "spec": {"storageClassName": "nfs"},
                        }
                    },
                }
            },
        },
        "redis", "", 1, ["data-rfr-db-0"], "nfs",
    ),
    (
        {
            "apiVersion": "minio.min.io/v2",
            "kind": "Tenant",
            "spec": {
                "pools": [
                    {
                        "name": "p",
                        "servers": 1,
                        "volumeClaimTemplate": {
                            "metadata": {"name": "{x}"},
                            "spec": {"storageClassName": "nfs"},
                        },
                    }
                ]
            },
        },
        "minio", "p", 1, ["x0-db-p-0"], "nfs",
    ),
    (
        {
            "apiVersion": "clickhouse.altinity.com/v1",
            "kind": "ClickHouseInstallation",
            "spec": {
                "configuration": {"clusters": [{"name": "c"}]},
                "templates": {
                    "volumeClaimTemplates": [{"name": "d", "spec": {"storageClassName": "nfs"}}]
                },
            },
        },
        "clickhouse", "", 1, ["d-chi-db-c-0-0-0"], "nfs",
    ),
    (
        {
            "apiVersion": "k8s.mariadb.com/v1alpha1",
            "kind": "MariaDB",
            "spec": {"replicas": 1, "storage": {"ephemeral": True}},
        },
        "mariadb", "", 1, [], None,
    ),
    (
        {
            "apiVersion": "k8s.mariadb.com/v1alpha1",
            "kind": "MariaDB",
            "spec": {"storage": {"ephemeral": False, "storageClassName": "nfs"}},
        },
        "mariadb", "", 1, ["storage-db-0"], "nfs",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "image", "part", "count", "claims", "of_class"), CLUSTERS)
def test_what_an_operator_makes_is_known(
    obj: Object, image: str, part: str, count: int, claims: list[str], of_class: str | None
) -> None:
    metadata = {**obj.get("metadata", {}), "name": "db", "namespace": "shop"}
    found = inventory({**obj, "metadata": metadata})
    [made] = found.workloads
    assert (made.part, made.replicas) == (part, count)
    assert [c.image for c in made.pod.containers] == [image]
    assert [p.name for p in found.pvcs] == claims
    assert {p.storage_class for p in found.pvcs} <= {of_class}
    assert all(p.spec.access_modes == ("ReadWriteOnce",) for p in found.pvcs)
    sources = {use.source for use in found.uses}
    assert sources == ({"volumeClaimTemplates"} if claims else {"emptyDir"})


@pytest.mark.parametrize("key", operators.table(), ids=str)
def test_every_operator_of_the_table_is_read(key: tuple[str, str]) -> None:
    group, kind = key
    assert is_read(f"{group}/v1", kind)
    assert not is_read("v1", kind)
    for members in operators.table()[key]:
        assert members.mount.startswith("/")
        assert members.source.partition(", ")[0]
        assert not members.label or "{label}" in members.names
    empty = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "db"}}
    for workload in parse(empty, Place()):
        assert isinstance(workload, Workload)
        assert all("{" not in name for name in workload.pvc_names("t"))


def test_sets_of_one_object_are_no_definitions_of_each_other() -> None:
    sets = [{"name": "a", "count": 1}, {"name": "b", "count": 1}]
    obj = {
        "apiVersion": "elasticsearch.k8s.elastic.co/v1",
        "kind": "Elasticsearch",
        "metadata": {"name": "es"},
        "spec": {"nodeSets": sets},
    }
    found: Inventory = inventory(obj)
    assert [w.part for w in found.workloads] == ["a", "b"]
    assert list(found.defined_again) == []
