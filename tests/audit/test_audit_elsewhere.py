"""An application that is told of a database server has no database of its own on its volume."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workloads_to_vary import ENGINES, MODES, found, tied, workload

from landfast.audit.elsewhere import uses_a_server
from landfast.audit.engines import Engine, Kind
from landfast.audit.pods import Container
from landfast.kube.client import Object

SECRET: Object = {"valueFrom": {"secretKeyRef": {"name": "db", "key": "a"}}}
SERVERS: list[list[Object]] = [
    [{"name": "DATABASE_URL", "value": "postgresql://u:p@db:5432/vault"}],
    [{"name": "DATABASE_URL", **SECRET}],
    [{"name": "GF_DATABASE_TYPE", "value": "mysql"}],
    [{"name": "GITEA__database__DB_TYPE", "value": "postgres"}],
    [{"name": "GITEA__database__HOST", "value": "db:5432"}],
    [{"name": "SONARR__POSTGRES__HOST", "value": "db"}],
    [{"name": "PAPERLESS_DBHOST", "value": "db"}],
    [{"name": "DB_TYPE", "value": "postgresdb"}, {"name": "DB_POSTGRESDB_HOST", "value": "db"}],
    [{"name": "KC_DB", "value": "mariadb"}],
    [{"name": "KC_DB_URL_HOST", **SECRET}],
    [{"name": "NC_DB", "value": "pg://db:5432?u=a"}],
    [{"name": "MYSQL_HOST", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "a"}}}],
    [{"name": "GOTIFY_DATABASE_DIALECT", "value": "postgres"}],
]
OWN: list[list[Object]] = [
    [],
    [{"name": "DATABASE_URL", "value": "sqlite:///data/db.sqlite3"}],
    [{"name": "DATABASE_URL", "value": "file:/app/data/app.db"}],
    [{"name": "GF_DATABASE_TYPE", "value": "sqlite3"}, {"name": "GF_DATABASE_HOST", "value": "x"}],
    [{"name": "DB_PATH", "value": "/data/app.db"}],
    [{"name": "MYSQL_HOST", "value": ""}],
    [{"name": "KC_DB", "value": "dev-file"}],
    [{"name": "SMTP_HOST", "value": "mail"}, {"name": "API_URL", **SECRET}],
    [{"name": "FEEDBACK_SERVER", "value": "postgres"}],
    [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
]


@pytest.mark.parametrize("env", SERVERS, ids=str)
def test_variables_that_name_a_server_are_known(env: list[Object]) -> None:
    assert uses_a_server(Container.model_validate({"env": env}))


@pytest.mark.parametrize("env", OWN, ids=str)
def test_other_variables_are_not(env: list[Object]) -> None:
    assert not uses_a_server(Container.model_validate({"env": env}))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--endpoint=postgres://u:p@db:5432/kine"], True),
        (["start", "--db=postgres"], True),
        (["--endpoint=sqlite:///db/state.db"], False),
        (["--dbpath=/data"], False),
    ],
)
def test_arguments_say_it_too(args: list[str], expected: bool) -> None:
    assert uses_a_server(Container.model_validate({"args": args})) is expected


@given(
    st.sampled_from([engine for engine in ENGINES if engine.kind is Kind.EMBEDDED]),
    st.sampled_from(["Deployment", "StatefulSet", "DeploymentConfig", "ReplicaSet"]),
    st.sampled_from(SERVERS),
    st.sampled_from(OWN),
    st.sampled_from(MODES),
)
def test_whatever_runs_it_only_its_own_database_is_on_nfs(
    engine: Engine, kind: str, server: list[Object], own: list[Object], mode: str
) -> None:
    for env, there in ((server, False), (own, True)):
        made = workload(kind, "app", engine, "a", replicas=2)
        made["spec"]["template"]["spec"]["containers"][0]["env"] = env
        objects = [*tied("a", "/exports/a", [mode]), made]
        assert bool(found(objects, "database-twice-on-one-pvc")) is there
        if engine.nfs:
            assert bool(found(objects, "engine-not-for-nfs")) is there


@given(
    st.sampled_from([engine for engine in ENGINES if engine.kind is not Kind.EMBEDDED]),
    st.sampled_from(SERVERS),
)
def test_a_server_that_names_another_is_one_all_the_same(engine: Engine, env: list[Object]) -> None:
    made = workload("Deployment", "db", engine, "a", replicas=2)
    made["spec"]["template"]["spec"]["containers"][0]["env"] = env  # of its primary, perhaps
    objects = [*tied("a", "/exports/a", ["ReadWriteOnce"]), made]
    assert found(objects, "database-twice-on-one-pvc") == {("db", "error")}
