"""Mounts and volumes are matched by their names, in every kind and whatever else a pod has."""

from typing import Any

from cases_mounts import mounting, without_selector
from cases_servers import CLAIM, CONFIG, EMPTY
from hypothesis import given
from hypothesis import strategies as st
from workloads_to_vary import found

KINDS = st.sampled_from(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"])
NAMES = st.lists(st.sampled_from("abcdef"), max_size=4, unique=True)
VOLUMES = st.dictionaries(
    st.sampled_from("abcdef"), st.sampled_from([CLAIM, CONFIG, EMPTY]), max_size=4
)


@given(KINDS, NAMES, VOLUMES)
def test_what_is_mounted_and_what_is_there_is_compared(
    kind: str, names: list[str], volumes: dict[str, Any]
) -> None:
    objects = mounting(names, volumes, kind=kind)
    missing = {("db", "error")} if set(names) - volumes.keys() else set()
    assert found(objects, "mount-without-volume") == missing
    claims = {name for name, volume in volumes.items() if volume is CLAIM}
    unused = {("db", "note")} if claims - set(names) else set()
    assert found(objects, "volume-not-mounted") == unused


@given(st.sampled_from(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]), NAMES, VOLUMES)
def test_a_part_of_an_object_is_left_alone(
    kind: str, names: list[str], volumes: dict[str, Any]
) -> None:
    whole = mounting(names, volumes, kind=kind)
    twice = [*whole, *mounting([*names, "g"], volumes, kind=kind)]
    patch = without_selector(mounting(names, volumes, kind=kind))
    for objects in (patch, twice):
        assert found(objects, "mount-without-volume") == set()
        assert found(objects, "volume-not-mounted") == set()
