"""What belongs together is on volumes together, whatever the engine, the kind and the mounts."""

import posixpath
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import bound
from workloads_to_vary import KINDS, found

from landfast.audit.engines import table

GROUPS = [(engine, group) for engine in table().engines for group in engine.parts]


@given(st.data(), st.sampled_from(GROUPS), st.sampled_from(sorted(KINDS)))
def test_it_is_found_if_some_of_the_directories_are_on_a_volume(
    data: Any, one: Any, kind: str
) -> None:
    engine, group = one
    on = data.draw(st.lists(st.sampled_from(group), max_size=len(group), unique=True))
    around = data.draw(st.booleans())
    paths = [posixpath.commonpath(group)] if around and len(group[0].split("/")) > 2 else on
    mounts = [
        {"name": f"v{number}", "mountPath": data.draw(st.sampled_from([path, f"{path}/"]))}
        for number, path in enumerate(paths)
        if path != "/"
    ]
    volumes = [
        {"name": mount["name"], "persistentVolumeClaim": {"claimName": "a"}} for mount in mounts
    ]
    pod = {
        "containers": [{"name": "c", "image": engine.images[0], "volumeMounts": mounts}],
        "volumes": volumes,
    }
    spec = pod if kind == "Pod" else {"template": {"spec": pod}}
    made = {
        "apiVersion": KINDS[kind],
        "kind": kind,
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": spec,
    }
    partly = paths is on and 0 < len(on) < len(group)
    assert bool(found([*bound("a"), made], "data-partly-mounted")) is partly
