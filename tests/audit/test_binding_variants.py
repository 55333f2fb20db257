"""The rules for binding against the binding oracle: what never binds is found, what binds is not.

Names, order, sizes, classes, access modes and ties are drawn.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from objects_to_audit import audited, pod, pv, pvc

from landfast.audit.findings import Severity
from landfast.audit.inventory import Inventory
from landfast.audit.parsing import parse
from landfast.audit.place import Place
from landfast.audit.rules import audit
from landfast.binding.model import BindingCase, Create, PvcPhase
from landfast.binding.model import Pv as ModelPv
from landfast.binding.model import Pvc as ModelPvc
from landfast.binding.oracle import expect
from landfast.kube.client import Object

VOLUMES, PVCS = ("a", "web-pv"), ("web", "z")
MODES = [("ReadWriteOnce",), ("ReadWriteMany",), ("ReadWriteOnce", "ReadWriteMany")]
NEVER_BINDS = {
    f"audit.{rule}"
    for rule in (
        "named-volume-does-not-fit",
        "no-volume-fits",
        "class-missing",
        "nothing-provisions",
        "volume-of-pvc-missing",
        "no-default-class",
    )
}
COMMON: dict[str, Any] = {
    "modes": st.sampled_from(MODES),
    "storage_class": st.sampled_from(["", "nfs"]),
    "volume_mode": st.sampled_from(["Filesystem", "Block"]),
}
PV = st.builds(
    ModelPv,
    name=st.just(""),
    capacity=st.integers(1, 2),
    claim_ref=st.sampled_from([None, None, *PVCS]),
    **COMMON,
)
PVC = st.builds(
    ModelPvc,
    name=st.just(""),
    request=st.integers(1, 2),
    volume=st.sampled_from([None, None, *VOLUMES]),
    **{**COMMON, "storage_class": st.sampled_from(["", "nfs", None])},
)


def named(name: str, model: ModelPv | ModelPvc) -> Any:
    return type(model)(**{**vars(model), "name": name})


def manifest(model: ModelPv | ModelPvc) -> Object:
    """Write a value of the oracle as an object; what is tied to a PVC is in namespace shop."""
    fields: dict[str, Any] = {
        "accessModes": list(model.modes),
        "storageClassName": model.storage_class,
        "volumeMode": model.volume_mode,
    }
    if isinstance(model, ModelPv):
        if model.claim_ref:
            fields["claimRef"] = {"namespace": "shop", "name": model.claim_ref}
        return pv(model.name, capacity={"storage": f"{model.capacity}Mi"}, **fields)
    fields["resources"] = {"requests": {"storage": f"{model.request}Mi"}}
    if model.volume:
        fields["volumeName"] = model.volume
    return pvc(model.name, **fields)


@settings(max_examples=200, deadline=None)
@given(st.lists(PV, max_size=2), st.lists(PVC, min_size=1, max_size=2), st.randoms())
def test_what_never_binds_is_found_and_what_binds_is_not(
    pvs: list[ModelPv], pvcs: list[ModelPvc], random: Any
) -> None:
    volumes = [named(name, model) for name, model in zip(VOLUMES, pvs, strict=False)]
    claims = [named(name, model) for name, model in zip(PVCS, pvcs, strict=False)]
    stages = (tuple(map(Create, volumes)), tuple(map(Create, claims)))
    outcomes = expect(BindingCase(stages)).allowed
    objects = [manifest(model) for model in (*volumes, *claims)]
    random.shuffle(objects)
    found = audited(*objects, complete=True)
    for claim in claims:
        bound = {
            state is not None and state.phase is PvcPhase.BOUND
            for state in (outcome.pvc(claim.name) for outcome in outcomes)
        }
        on_it = [f for f in found if f.name == claim.name]
        if bound == {False}:
            assert any(f.severity is not Severity.NOTE for f in on_it), (claim, volumes)
        if bound == {True}:
            assert [f for f in on_it if f.rule.id in NEVER_BINDS] == [], (claim, volumes)
        if bound == {True, False}:
            rivals = [f for f in found if f.kind == "PersistentVolumeClaim"]
            assert any(f.severity is not Severity.NOTE for f in rivals), (claim, volumes)


def environment(folder: str, size: int, modes: tuple[str, ...], tie: str, db: bool) -> list[Any]:
    """Volumes and PVCs of one environment, which fit each other, in a folder of its own."""
    spec: dict[str, Any] = {"accessModes": list(modes)}
    room, asked = {"storage": f"{size}Gi"}, {"requests": {"storage": f"{size}Gi"}}
    ref = {"claimRef": {"namespace": "shop", "name": "data"}} if tie != "volumeName" else {}
    named: dict[str, Any] = {"volumeName": "data"} if tie != "claimRef" else {}
    objects = [
        pv("data", f"/exports/{folder}", capacity=room, **spec, **ref),
        pvc("data", resources=asked, **spec, **named),
        *([pod("db", "data")] if db else []),
    ]
    return [found for obj in objects for found in parse(obj, Place(f"overlays/{folder}/all.yaml"))]


def read_from(**files: list[Any]) -> Inventory:
    """Objects of several files in one folder."""
    return Inventory(
        tuple(r for name, found in files.items() for o in found for r in parse(o, Place(name))),
        complete=False,
    )


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"a": [pv("x"), pv("y")], "b": [pv("x", "/1"), pv("y", "/2")]},
            ["warning: it is also in a:None, which differs in path, and so is PersistentVolume y"],
        ),
        (
            {"a": [pv("x")], "b": [pv("x", "/1")], "c": [pv("x", "/2")]},
            ["note: it is also in a:None, which differs in path"],  # examples side by side
        ),
        (
            {"a": [pod("x", "c"), pv("y")], "b": [pod("x", "d"), pv("y")]},
            ["note: it is also in a:None, which differs in volumes"],
        ),
    ],
)
def test_objects_with_several_definitions_in_a_folder_make_one_finding(
    files: dict[str, list[Any]], said: list[str]
) -> None:
    found = [f for f in audit(read_from(**files)) if f.rule.id == "audit.defined-twice"]
    assert [f"{f.severity}: {f.message}" for f in found] == said


def test_what_is_found_twice_is_said_once() -> None:
    volumes = [pv("v"), pv("v", "/1"), pv("w")]
    found = audit(read_from(a=[*volumes, pvc("c"), pod("one", "c"), pod("two", "c")]))
    said = [(f.rule.id, f.title, f.message, f.where) for f in found]
    assert len(set(said)) == len(said) > 0


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(MODES)), min_size=2, max_size=4, unique=True
    ),
    st.sampled_from(["volumeName", "claimRef", "both"]),
    st.booleans(),
)
def test_environments_that_each_fit_make_one_note(
    given_: list[tuple[int, tuple[str, ...]]], tie: str, db: bool
) -> None:
    found = audit(
        Inventory(
            tuple(
                resource
                for number, (size, modes) in enumerate(given_)
                for resource in environment(str(number), size, modes, tie, db)
            ),
            complete=False,
        )
    )
    assert [(f.rule.id, f.severity) for f in found] == [("audit.defined-twice", Severity.NOTE)]
