"""A run in one namespace of others: its namespaces are parts of names, and it owns its label."""

from pathlib import Path

import pytest
from fakes import FakeKube
from hypothesis import given
from hypothesis import strategies as st

from landfast.cluster import existing_removal, guest
from landfast.cluster.fence import OutsideFence
from landfast.cluster.guest import GuestKube
from landfast.images import Images
from landfast.kube import Object
from landfast.kube.placement import Placement
from landfast.manifests import Overlay, load, namespace
from landfast.mysql.history import OperationKind
from landfast.mysql.writer_job import PART as PART_LABEL
from landfast.mysql.writer_job import job, shares
from landfast.mysql.writers import Task
from landfast.nfs.export import UNSEEN
from landfast.run import RUN_LABEL

RUN, TEAM, OWN, PART = "1123-9f3a", "team-a", "landfast-class-12", "-1123-9f3a-class-12"
IMAGES = Images("registry", "", "", "r/prov:1", "r/db:1", "r/box:1", "r/rec:1")
OVERLAY = Overlay(
    UNSEEN, IMAGES, RUN, suffix="-class-12", namespace=OWN, node_port=False, storage_class="fast"
)


class FakeGuest(GuestKube, FakeKube):
    """A cluster in memory, of which a run may use one namespace."""

    def __init__(self, *objects: Object) -> None:
        FakeKube.__init__(self, *objects)
        self.run_id, self.namespace, self._default_classes = RUN, TEAM, False
        self._guards = (self._lodged, Placement().stamped, self._refuse_foreign)


def obj(kind: str, name: str, space: str | None = None, **fields: object) -> Object:
    labels = fields.pop("labels", {})
    meta = {"name": name, "labels": labels} | ({"namespace": space} if space else {})
    return {"kind": kind, "metadata": meta, **fields}


THEIRS = [
    obj("Pod", "mysql-0", TEAM, labels={"app": "mysql"}),
    obj("Service", "mysql-service", TEAM),
    obj("ConfigMap", "mysql-config-map", TEAM),
]


@pytest.fixture
def kube() -> FakeGuest:
    """The namespace has objects of the names that MySQL's have, and MySQL is deployed."""
    made = FakeGuest(*THEIRS)
    made.create(namespace(OWN, {}))
    for wanted in load("mysql"):
        if wanted["kind"] != "PersistentVolume":
            made.create(OVERLAY.fit(wanted))
    return made


def pv(pvc: str, space: str = TEAM) -> Object:
    made = {"pv.kubernetes.io/provisioned-by": "nfs"}
    found = obj("PersistentVolume", f"pv-of-{pvc}", spec={})
    found["metadata"]["annotations"] = made
    found["spec"] = {
        "claimRef": {"namespace": space, "name": pvc},
        "storageClassName": "fast",
        "persistentVolumeReclaimPolicy": "Retain",
    }
    return found


def test_no_namespace_is_made_and_nothing_is_made_elsewhere(kube: FakeGuest) -> None:
    assert {space for _, space, _ in kube.objects} == {TEAM}
    assert not [name for kind, _, name in kube.objects if kind == "Namespace"]
    assert kube.list("Namespace") == []


def test_objects_are_found_under_the_names_that_tests_use(kube: FakeGuest) -> None:
    found = kube.get("StatefulSet", "mysql", OWN)
    assert found["metadata"]["name"] == f"mysql{PART}"
    assert kube.get("StatefulSet", found["metadata"]["name"], OWN) == found
    assert kube.get("StatefulSet", found["metadata"]["name"], TEAM) == found
    assert kube.find("StatefulSet", "mysql", "landfast-class-34") is None
    assert [o["metadata"]["name"] for o in kube.list("ConfigMap", OWN)] == [
        f"mysql-config-map{PART}"
    ]


def test_what_an_object_refers_to_is_renamed_too(kube: FakeGuest) -> None:
    spec = kube.get("StatefulSet", "mysql", OWN)["spec"]
    assert spec["serviceName"] == f"mysql-service{PART}"
    assert spec["selector"]["matchLabels"] == {"app": f"mysql{PART}"}
    (container,) = spec["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": f"mysql-config-map{PART}"}}]
    service = kube.get("Service", "mysql-service", OWN)
    assert service["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items()
    (template,) = spec["volumeClaimTemplates"]
    assert template["metadata"]["name"] == "mysql-data", "the controller adds the set's name"
    assert template["metadata"]["labels"][RUN_LABEL] == RUN
    pod = obj("Pod", "user", OWN, spec={"containers": []})
    pod["spec"]["volumes"] = [{"persistentVolumeClaim": {"claimName": "mysql-data-mysql-0"}}]
    (volume,) = kube.create(pod)["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == f"mysql-data-mysql{PART}-0"


def test_no_service_of_others_selects_its_pods(kube: FakeGuest) -> None:
    assert kube.list("Pod", OWN, labels="app=mysql") == []
    labels = kube.get("StatefulSet", "mysql", OWN)["spec"]["template"]["metadata"]["labels"]
    assert labels["app"] != "mysql"


@pytest.mark.parametrize("theirs", THEIRS, ids=lambda o: o["kind"])
def test_what_others_have_there_is_not_touched(kube: FakeGuest, theirs: Object) -> None:
    name = theirs["metadata"]["name"]
    with pytest.raises(OutsideFence):
        kube.delete(theirs["kind"], name, TEAM)
    with pytest.raises(OutsideFence):
        kube.patch(theirs["kind"], name, {}, TEAM)
    with pytest.raises(OutsideFence):
        kube.create(obj("Pod", "own", "team-b", labels={RUN_LABEL: RUN}, spec={"containers": []}))


def test_events_are_those_of_its_own_objects(kube: FakeGuest) -> None:
    for number, about in enumerate(("mysql-0", f"mysql{PART}-0", "mysql-1123-9f3a-class-34-0")):
        event = obj("Event", f"e{number}", TEAM, involvedObject={"name": about})
        event["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        kube.put(event)
    assert [e["metadata"]["name"] for e in kube.events(OWN)] == ["e1"]
    assert [e["metadata"]["name"] for e in kube.events(OWN, name="mysql-0")] == ["e1"]


def test_a_pv_is_its_own_if_it_was_made_for_its_pvc() -> None:
    kube = FakeGuest()
    own, other = pv(f"data{PART}"), pv("data-1123-9f3a-class-34")
    assert kube.owns(own)
    assert kube.owns(other), "of another test of this run"
    assert (kube.is_bound_in(own, OWN), kube.is_bound_in(other, OWN)) == (True, False)
    assert not kube.owns(pv("data"))
    assert not kube.owns(pv(f"data{PART}", "team-b"))
    assert not kube.owns(obj("Node", "n1", labels={RUN_LABEL: RUN}))


def test_a_removal_leaves_what_others_have(kube: FakeGuest) -> None:
    kube.put(obj("StorageClass", "fast"))
    kube.put(pv(f"data{PART}"))
    kube.put(pv("theirs"))
    existing_removal.remove(kube, "landfast-1123-9f3a", None, "")
    left = {(kind, name) for kind, _, name in kube.objects}
    theirs = {(o["kind"], o["metadata"]["name"]) for o in THEIRS}
    assert left == theirs | {("StorageClass", "fast"), ("PersistentVolume", "pv-of-theirs")}


def test_writers_in_pods_are_a_guest_too(kube: FakeGuest) -> None:
    """Their Job is renamed, finds MySQL's password, is spread over nodes, and is removed."""
    task = Task(port=1, password="x", history=Path("h"), writers={OperationKind.INSERT: 8})
    made = kube.create(OVERLAY.fit(job(shares(task, 8, 2), "i", "")))
    assert made["metadata"]["name"] == f"writers{PART}"
    template = made["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": f"mysql-config-map{PART}"}}]
    (spread,) = template["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    pod = f"writers{PART}-0-x7k2p"
    meta = {"name": pod, "namespace": TEAM, "labels": template["metadata"]["labels"]}
    kube.put({"kind": "Pod", "metadata": meta, "spec": {"containers": []}})
    selector = f"{PART_LABEL}=writers"
    assert [p["metadata"]["name"] for p in kube.list("Pod", OWN, labels=selector)] == [pod]
    assert kube.get("Pod", pod, OWN)["metadata"]["name"] == pod
    existing_removal.remove(kube, "landfast-1123-9f3a", None, "", jobs=True)
    assert not [kind for kind, _, name in kube.objects if name.startswith("writers")]
    assert ("list", "Job", "") in kube.verbs


def test_who_made_no_jobs_does_not_look_for_them(kube: FakeGuest) -> None:
    """The user may have no right to."""
    existing_removal.remove(kube, "landfast-1123-9f3a", None, "")
    assert ("list", "Job", "") not in kube.verbs


_WORD = st.from_regex(r"[a-z]([a-z0-9]{0,8}[a-z])?", fullmatch=True)


@given(_WORD, _WORD, st.integers(0, 12))
def test_names_that_the_cluster_makes_are_those_that_are_looked_for(
    name: str, template: str, ordinal: int
) -> None:
    renamed = guest._renamed(name, PART)
    assert guest._renamed(f"{name}-{ordinal}", PART) == f"{renamed}-{ordinal}"
    whole = f"{template}-{name}-{ordinal}"
    assert guest._renamed(whole, PART) == f"{template}-{renamed}-{ordinal}"
    assert guest._renamed(renamed, PART) == renamed
    assert renamed.replace(PART, "") == name, "two names stay two"
