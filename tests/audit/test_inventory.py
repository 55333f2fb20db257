"""What the audit makes of all objects together."""

from itertools import product
from typing import Any

import pytest
from objects_to_audit import (
    DEFAULT,
    bound,
    controller,
    inventory,
    parameters,
    pod,
    provisioner,
    pv,
    pvc,
    statefulset,
    storage_class,
)

from landfast.audit.directories import Directory
from landfast.binding.model import BindingCase, Create, Requirement, Selector
from landfast.binding.model import Pv as ModelPv
from landfast.binding.model import Pvc as ModelPvc
from landfast.binding.oracle import expect

SELECTORS: list[tuple[dict[str, Any] | None, Selector | None]] = [
    (None, None),
    ({"matchLabels": {"app": "x"}}, Selector((("app", "x"),))),
    ({"matchLabels": {"app": "y"}}, Selector((("app", "y"),))),
    (
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["x"]}]},
        Selector((), (Requirement("app", "NotIn", ("x",)),)),
    ),
]


@pytest.mark.parametrize(
    ("modes", "size", "storage_class", "mode", "selector"),
    [
        *product(
            (["ReadWriteOnce"], ["ReadWriteOnce", "ReadWriteMany"], ["ReadOnlyMany"]),
            (1, 2, 3),
            ("", "nfs"),
            ("Filesystem", "Block"),
            SELECTORS,
        )
    ],
)
def test_a_volume_fits_exactly_where_the_binding_oracle_binds_it(
    modes: list[str],
    size: int,
    storage_class: str,
    mode: str,
    selector: tuple[dict[str, Any] | None, Selector | None],
) -> None:
    volume = pv(
        "v",
        capacity={"storage": "2Mi"},
        accessModes=["ReadWriteOnce", "ReadWriteMany"],
        metadata={"labels": {"app": "x"}},
    )
    claim = pvc(
        "c",
        accessModes=modes,
        resources={"requests": {"storage": f"{size}Mi"}},
        storageClassName=storage_class,
        volumeMode=mode,
        **({"selector": selector[0]} if selector[0] is not None else {}),
    )
    found = inventory(volume, claim)
    model_pv = ModelPv("v", 2, ("ReadWriteOnce", "ReadWriteMany"), labels=(("app", "x"),))
    model_pvc = ModelPvc("c", size, tuple(modes), storage_class, mode, selector[1])
    stages = ((Create(model_pv),), (Create(model_pvc),))
    [outcome] = expect(BindingCase(stages)).allowed
    state = outcome.pvc("c")
    assert state is not None
    assert bool(found.candidates(found.pvcs[0])) == (state.volume == "v")


@pytest.mark.parametrize(
    "change",
    [
        {"status": {"phase": "Bound"}},
        {"status": {"phase": "Released"}},
        {"claimRef": {"namespace": "shop", "name": "c"}},
        {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
)
def test_a_volume_that_is_taken_or_going_fits_nobody(change: dict[str, Any]) -> None:
    assert _candidates(pv("v")) == ["v"]
    assert _candidates(pv("v", **change)) == []


def _candidates(volume: dict[str, Any]) -> list[str]:
    found = inventory(volume, pvc("c"))
    return [pv.name for pv in found.candidates(found.pvcs[0])]


@pytest.mark.parametrize(
    ("claim_ref", "expected"),
    [
        ({"namespace": "shop", "name": "c"}, ["shop"]),
        ({"name": "c"}, ["default"]),
        ({"namespace": "shop", "name": "other"}, []),
        ({"namespace": "other", "name": "c"}, []),
    ],
)
def test_a_volume_is_reserved_for_the_claim_that_it_names(
    claim_ref: dict[str, str], expected: list[str]
) -> None:
    in_default = pvc("c", metadata={"namespace": None})
    found = inventory(pv("v", claimRef=claim_ref), pvc("c"), in_default)
    assert [p.namespace for p in found.pvcs if found.reserved_for(p)] == expected
    assert [p.namespace for p in found.pvcs if found.is_pinned(p)] == expected


def test_an_export_is_known_only_with_server_and_path() -> None:
    assert [str(root) for root, _ in inventory(provisioner()).provisioner_roots] == ["nfs:/exports"]
    assert inventory(provisioner("")).provisioner_roots == ()


def test_a_claim_without_a_class_gets_the_default_one() -> None:
    claim = pvc("c", storageClassName=None)
    of_class = pv("v", storageClassName="nfs")
    with_default = inventory(claim, of_class, pv("w"), storage_class("nfs", metadata=DEFAULT))
    assert [v.name for v in with_default.candidates(with_default.pvcs[0])] == ["v"]
    without = inventory(claim, of_class, pv("w"), storage_class("nfs"))
    assert [v.name for v in without.candidates(without.pvcs[0])] == ["w"]


def test_the_old_annotation_for_the_class_wins() -> None:
    annotated = {"annotations": {"volume.beta.kubernetes.io/storage-class": "nfs"}}
    found = inventory(pv("v", metadata=annotated), pvc("c", metadata=annotated))
    assert found.pvs[0].storage_class == "nfs"
    assert found.storage_class_of(found.pvcs[0]) == "nfs"


def test_claims_of_a_statefulset_are_known_before_they_are_made() -> None:
    found = inventory(
        statefulset(replicas=2, ordinals={"start": 5}), pvc("data-db-6", volumeName="v")
    )
    assert [(p.name, p.spec.volume_name) for p in found.pvcs] == [
        ("data-db-5", ""),
        ("data-db-6", "v"),
    ]


def test_a_database_is_known_by_the_container_that_mounts_the_claim() -> None:
    sidecar = pod("p", "a", "nginx")
    sidecar["spec"]["containers"].append({"image": "mysql", "volumeMounts": [{"name": "config"}]})
    found = inventory(*bound("a"), sidecar, pod("q", "unknown"), controller("Deployment", "a"))
    assert [(d.workload.kind, d.pvc.name, d.at_once) for d in found.databases] == [
        ("Deployment", "a", 2)
    ]


def test_classes_of_the_provisioner_are_told_from_others() -> None:
    found = inventory(
        storage_class("by-name", provisioner="cluster.local/nfs-subdir-external-provisioner"),
        storage_class("by-parameter", provisioner="x", parameters={"pathPattern": "a"}),
        storage_class("by-deployment", provisioner="mine", parameters={}),
        storage_class("other", provisioner="nfs.csi.k8s.io", parameters={"onDelete": "retain"}),
        provisioner(name="mine"),
    )
    assert [c.name for c in found.subdir_classes] == ["by-name", "by-parameter", "by-deployment"]


def test_a_directory_holds_what_is_in_it_on_the_same_server() -> None:
    def at(path: str, server: str = "nfs") -> Directory:
        return Directory(server=server, path=path)

    assert at("/a").holds(at("/a/b/"))
    assert at("/a").holds(at("/a", "NFS"))
    assert at("/").holds(at("//a"))
    assert not at("/a").holds(at("/ab"))
    assert not at("/a").holds(at("/a/../b"))
    assert not at("/a").holds(at("/a", "other"))


def test_every_definition_of_one_object_counts_and_each_content_once() -> None:
    found = inventory(pv("a", "/old"), pv("a", "/new"), pv("a", "/old"), pv("b", "/old"))
    expected = [("a", "nfs:/old"), ("a", "nfs:/new"), ("b", "nfs:/old")]
    assert [(v.name, str(v.directory)) for v in found.pvs] == expected


def test_parameters_may_be_anything_that_yaml_holds() -> None:
    assert inventory(parameters(archiveOnDelete=3)).classes[0].parameters == {"archiveOnDelete": 3}
