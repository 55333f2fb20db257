"""Binding cases as Kubernetes objects: names that keep them apart, and YAML to apply."""

from typing import Any

import yaml
from hypothesis import given, settings

from landfast.binding.model import (
    BindingCase,
    Class,
    Create,
    Delete,
    Pv,
    Pvc,
    Requirement,
    Selector,
    VolumeMode,
)
from landfast.binding.objects import (
    CASE_LABEL,
    Naming,
    as_yaml,
)
from suites.conformance.binding.cases import cases, default_class_cases

NAMING = Naming(prefix="p-", namespace="ns", case="s1", labels={"landfast/run": "r1"})
KINDS = {Pv: "PersistentVolume", Pvc: "PersistentVolumeClaim", Class: "StorageClass"}


def sent(obj: Pv | Pvc | Class) -> dict[str, Any]:
    return NAMING.object(obj)


def test_every_object_has_the_prefix_and_the_labels_of_its_run_and_case() -> None:
    for obj in (Pv("a"), Pvc("a"), Class("a")):
        made = sent(obj)
        assert made["kind"] == KINDS[type(obj)]
        assert made["metadata"]["name"] == "p-a"
        assert made["metadata"]["labels"] == {"landfast/run": "r1", CASE_LABEL: "s1"}


def test_only_pvcs_are_namespaced() -> None:
    assert sent(Pvc("a"))["metadata"]["namespace"] == "ns"
    assert "namespace" not in sent(Pv("a"))["metadata"]
    assert "namespace" not in sent(Class("a"))["metadata"]


def test_a_pv_is_retained_and_on_nfs() -> None:
    spec = sent(Pv("a", 3))["spec"]
    assert spec["capacity"] == {"storage": "3Mi"}
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
    assert spec["nfs"] == {"server": "192.0.2.1", "path": "/export"}


def test_references_get_the_prefix_too() -> None:
    pv = sent(Pv("a", storage_class="x", claim_ref="c"))["spec"]
    assert pv["storageClassName"] == "p-x"
    assert pv["claimRef"] == {"namespace": "ns", "name": "p-c"}
    pvc = sent(Pvc("c", storage_class="x", volume="a"))["spec"]
    assert (pvc["storageClassName"], pvc["volumeName"]) == ("p-x", "p-a")


def test_fields_left_out_are_not_sent() -> None:
    assert "storageClassName" not in sent(Pvc("c"))["spec"]
    assert sent(Pvc("c", storage_class=""))["spec"]["storageClassName"] == ""
    assert "resources" not in sent(Pvc("c", request=None))["spec"]
    assert "capacity" not in sent(Pv("a", None))["spec"]


def test_invalid_values_are_sent_as_they_are() -> None:
    assert sent(Pv("a", 0, ()))["spec"]["accessModes"] == []
    assert sent(Pv("a", 0))["spec"]["capacity"] == {"storage": "0Mi"}
    assert sent(Pv("a", nodes=()))["spec"]["nodeAffinity"]["required"] == {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [
                    {"key": "kubernetes.io/hostname", "operator": "In", "values": []}
                ]
            }
        ]
    }


def test_a_pvc_without_a_class_sees_only_pvs_of_its_own_case() -> None:
    own = {CASE_LABEL: "s1"}
    for storage_class in (None, ""):
        assert sent(Pvc("c", storage_class=storage_class))["spec"]["selector"] == {
            "matchLabels": own
        }
    assert "selector" not in sent(Pvc("c", storage_class="x"))["spec"]
    selector = Selector((("tier", "gold"),), (Requirement("tier", "Exists"),))
    assert sent(Pvc("c", selector=selector))["spec"]["selector"] == {
        "matchLabels": {"tier": "gold", **own},
        "matchExpressions": [{"key": "tier", "operator": "Exists"}],
    }


def test_a_restored_pvc_says_that_it_was_bound() -> None:
    annotations = sent(Pvc("c", completed=True))["metadata"]["annotations"]
    assert annotations == {"pv.kubernetes.io/bind-completed": "yes"}


def test_a_default_class_is_marked() -> None:
    assert sent(Class("x", default=True))["metadata"]["annotations"] == {
        "storageclass.kubernetes.io/is-default-class": "true"
    }
    assert "annotations" not in sent(Class("x"))["metadata"]


def test_a_case_that_makes_a_default_class_uses_it() -> None:
    named = BindingCase(((Create(Class("x")), Create(Pvc("c", storage_class="x"))),))
    nameless = BindingCase(((Create(Pvc("c")),),))
    default = BindingCase(((Create(Class("x", default=True)),),))
    found = [(c.uses_default_class, c.makes_default_class) for c in (named, nameless, default)]
    assert found == [(False, False), (True, False), (True, True)]


def test_yaml_has_a_comment_for_every_stage_and_deletion() -> None:
    case = BindingCase(
        (
            (Create(Pv("v", volume_mode=VolumeMode.BLOCK)),),
            (Create(Pvc("c", volume="v")), Delete("pvc", "b")),
            (Delete("pv", "v", force=True),),
        )
    )
    text = as_yaml(case)
    assert [doc["kind"] for doc in yaml.safe_load_all(text) if doc] == [
        "PersistentVolume",
        "PersistentVolumeClaim",
    ]
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# stage 1",
        "# stage 2",
        "# kubectl delete -n default persistentvolumeclaim b --wait=false",
        "# stage 3",
        "# kubectl delete persistentvolume v --wait=false; "
        """kubectl patch persistentvolume v -p '{"metadata":{"finalizers":null}}'""",
    ]


@settings(deadline=None)
@given(cases() | default_class_cases())
def test_yaml_contains_exactly_what_is_sent(case: BindingCase) -> None:
    documents = [doc for doc in yaml.safe_load_all(as_yaml(case)) if doc]
    assert documents == [Naming().object(obj) for obj in case.objects()]


@settings(deadline=None)
@given(cases())
def test_generated_cases_leave_the_clusters_default_class_alone(case: BindingCase) -> None:
    assert not case.uses_default_class
