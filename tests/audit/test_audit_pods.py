"""The rules about a database's pods hold for every engine and kind, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import statefulset, storage_class
from workloads_to_vary import ENGINES, NAMES, engines, found, kinds, tied, workload

from landfast.audit.engines import Engine
from landfast.kube.client import Object

WIPES = [
    "rm -rf {}",
    "rm -r -f {}/*",
    "rm -f {}/*",
    "rm -rf {}/{{*,.[!.]*}}",
    "rm -fR -- {}/",
    "set -e\ncd {}\nrm -rf ./*",
    "/bin/rm --recursive {}/* && echo done",
    "find {} -mindepth 1 -delete",
    "find {}/ -type f -exec rm -f {{}} +",
    "(cd {} && rm -rf *) || true",
]
SPARES = [
    "rm -rf {}/lost+found",
    "rm -f {}/core",
    "ls {}; rm -rf /elsewhere/*",
    "# rm -rf {}",
    "echo rm -rf {}",
    "find {} -name '*.tmp' -delete",
    "rm -rf {}-old",
]


def first(engine: Engine, script: str) -> Object:
    return {
        "name": "first",
        "image": "busybox",
        "command": ["/bin/sh", "-c", script.format(engine.data[0])],
        "volumeMounts": [{"name": "data", "mountPath": engine.data[0]}],
    }


def with_first(kind: str, name: str, engine: Engine, script: str) -> list[Object]:
    inits = [first(engine, script)]
    return [
        *tied("a", "/x", ["ReadWriteOnce"]),
        workload(kind, name, engine, "a", initContainers=inits),
    ]


@given(kinds, NAMES, engines, st.sampled_from(WIPES))
def test_whatever_empties_a_databases_volume_is_found(
    kind: str, name: str, engine: Engine, script: str
) -> None:
    objects = with_first(kind, name, engine, script)
    assert found(objects, "data-wiped-at-start") == {(name, "error")}


@given(kinds, NAMES, engines, st.sampled_from(SPARES))
def test_what_removes_something_else_is_left_alone(
    kind: str, name: str, engine: Engine, script: str
) -> None:
    assert found(with_first(kind, name, engine, script), "data-wiped-at-start") == set()


@given(kinds, NAMES, engines, st.sampled_from([(0, "warning"), (1, "note"), (30, ""), (None, "")]))
def test_no_time_to_shut_down_is_found(
    kind: str, name: str, engine: Engine, period: tuple[int | None, str]
) -> None:
    seconds, severity = period
    objects = [
        *tied("a", "/x", ["ReadWriteMany"]),
        workload(kind, name, engine, "a", terminationGracePeriodSeconds=seconds),
    ]
    assert found(objects, "grace-period-short") == ({(name, severity)} if severity else set())


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("when", ["whenScaled", "whenDeleted"])
def test_a_statefulset_that_deletes_a_databases_pvcs_is_found(engine: Engine, when: str) -> None:
    def audited(policy: str) -> set[tuple[str, str]]:
        retention = {when: policy}
        made = statefulset(image=engine.images[0], persistentVolumeClaimRetentionPolicy=retention)
        return found([storage_class("nfs"), made], "pvcs-deleted-with-pods")

    assert audited("Delete") == {("db", "warning")}
    assert audited("Retain") == set()
