"""The fence on an existing cluster: every verb passes it, and changes only what the run owns."""

from collections.abc import Callable
from typing import Any

import pytest
from fakes import FakeFencedKube
from hypothesis import given
from hypothesis import strategies as st

from landfast.cluster.fence import OutsideFence, marks_default_class
from landfast.kube import Kube, Object, Request
from landfast.run import RUN_LABEL

RUN = "1123-200000-9f3a"
OWN = f"landfast-{RUN}"
OURS, THEIRS = {RUN_LABEL: RUN}, {RUN_LABEL: "another"}
MADE = {"pv.kubernetes.io/provisioned-by": "nfs-client"}
GA = "storageclass.kubernetes.io/is-default-class"
BETA = "storageclass.beta.kubernetes.io/is-default-class"
MARK: Object = {"metadata": {"annotations": {GA: None}}}


def obj(kind: str, name: str, namespace: str | None = None, **fields: Any) -> Object:
    meta = {"name": name, "labels": fields.pop("labels", {}), **fields.pop("metadata", {})}
    return {
        "kind": kind,
        "metadata": meta | ({"namespace": namespace} if namespace else {}),
    } | fields


def pv(name: str, claimed_from: str = "", **metadata: Any) -> Object:
    spec = {"claimRef": {"namespace": claimed_from, "name": "data"}} if claimed_from else {}
    return obj("PersistentVolume", name, spec=spec, metadata=metadata)


def fenced(*objects: Object, default_classes: bool = False) -> FakeFencedKube:
    """Return a cluster behind the fence, with two namespaces of which one is the run's."""
    namespaces = (obj("Namespace", OWN, labels=OURS), obj("Namespace", "shop", labels=THEIRS))
    return FakeFencedKube(RUN, *namespaces, *objects, default_classes=default_classes)


OUR_OBJECTS = [
    obj("Pod", "mysql-0", OWN),
    obj("StorageClass", "nfs-ssd", labels=OURS),
    pv("pvc-1", OWN, annotations=MADE),
    pv("nfs-pv", labels=OURS),
]
THEIR_OBJECTS = [
    obj("Pod", "shop-0", "shop", labels=OURS),
    obj("Pod", "orphan", "no-such-namespace", labels=OURS),
    obj("StorageClass", "standard", metadata={"labels": None}),
    obj("StorageClass", "of-another-run", labels=THEIRS),
    pv("bound-to-us-by-mistake", OWN),
    pv("made-for-them", "shop", annotations=MADE),
    pv("free", annotations=None),
    obj("Namespace", "default"),
]


@pytest.mark.parametrize(
    ("there", "expected"),
    [*((one, True) for one in OUR_OBJECTS), *((one, False) for one in THEIR_OBJECTS)],
    ids=lambda value: value["metadata"]["name"] if isinstance(value, dict) else str(value),
)
def test_a_run_owns_its_namespaces_its_label_and_what_was_made_for_its_pvcs(
    there: Object, expected: bool
) -> None:
    assert fenced().owns(there) is expected


def ask(kube: Kube, verb: str, there: Object) -> None:
    """Send a request about an object, by the method of that name."""
    kind, meta = there["kind"], there["metadata"]
    name, namespace = meta["name"], meta.get("namespace")
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: kube.create(there),
        "patch": lambda: kube.patch(kind, name, {"metadata": {"labels": OURS}}, namespace),
        "delete": lambda: kube.delete(kind, name, namespace),
        "evict": lambda: kube.evict(name, namespace or ""),
        "execute": lambda: kube.execute(namespace or "", name, ["true"]),
        "forward": lambda: kube.forward(namespace or "", name, 3306),
    }
    calls[verb]()


KIND_VERBS, POD_VERBS = ("create", "patch", "delete"), ("evict", "execute", "forward")


def verbs_for(there: Object) -> tuple[str, ...]:
    return KIND_VERBS + (POD_VERBS if there["kind"] == "Pod" else ())


@pytest.mark.parametrize("verb", [*KIND_VERBS, *POD_VERBS])
def test_every_mutating_verb_is_refused_for_what_others_own(verb: str) -> None:
    for there in THEIR_OBJECTS:
        if verb in verbs_for(there):
            kube = fenced(there)
            with pytest.raises(OutsideFence, match=f"^refused: {verb} .*this run does not own it"):
                ask(kube, verb, there)
            assert kube.changes() == []


@pytest.mark.parametrize("verb", [*KIND_VERBS, *POD_VERBS])
def test_every_mutating_verb_reaches_what_the_run_owns(verb: str) -> None:
    for there in OUR_OBJECTS:
        if verb in verbs_for(there):
            kube = fenced(*([] if verb == "create" else [there]))
            ask(kube, verb, there)
            assert [asked[0] for asked in kube.changes()] == [verb]


def test_the_fence_knows_every_public_method_that_sends() -> None:
    reads = {"get", "find", "list", "events", "logs", "warnings", "server_version", "guarded_by"}
    reads.add("is_bound_in")  # asks nobody
    public = {name for name in vars(Kube) if not name.startswith("_")}
    assert public - reads == {*KIND_VERBS, *POD_VERBS}, "a new method needs a row in `ask`"


@given(
    verb=st.sampled_from([*KIND_VERBS, *POD_VERBS, "replace", "bind", ""]) | st.text(),
    there=st.sampled_from(THEIR_OBJECTS),
    default_classes=st.booleans(),
    body=st.sampled_from([None, {}, {"metadata": {"labels": OURS}}]),
)
def test_a_verb_that_nobody_knows_is_refused_too(
    verb: str, there: Object, default_classes: bool, body: Object | None
) -> None:
    meta = there["metadata"]
    request = Request(
        verb,
        there["kind"],
        meta["name"],
        meta.get("namespace"),
        there if verb == "create" else body,
    )
    kube = fenced(there, default_classes=default_classes)
    if request.is_read:
        kube._admit(request)
        return
    with pytest.raises(OutsideFence):
        kube._admit(request)


@pytest.mark.parametrize("there", THEIR_OBJECTS)
def test_everything_may_be_read(there: Object) -> None:
    kube, meta = fenced(there), there["metadata"]
    assert kube.get(there["kind"], meta["name"], meta.get("namespace"))
    assert kube.list(there["kind"])
    kube.logs("shop", "shop-0")


def test_deleting_what_is_not_there_is_no_error() -> None:
    assert fenced().delete("Pod", "nobody", "shop") is False


def test_patching_what_is_not_there_is_not_allowed_by_the_fence() -> None:
    kube = fenced()
    with pytest.raises(Exception, match="not found"):
        kube.patch("Pod", "nobody", {}, "shop")
    assert kube.changes() == []


def test_dry_runs_and_questions_pass() -> None:
    kube = fenced()
    kube.create(obj("Pod", "theirs", "shop"), dry_run=True)
    kube.create(obj("SelfSubjectAccessReview", ""))
    assert len(kube.changes()) == 2


def test_only_creation_may_ask_a_question() -> None:
    kube = fenced(obj("SubjectAccessReview", "x"))
    with pytest.raises(OutsideFence):
        kube.delete("SubjectAccessReview", "x")


class TestDefaultClasses:
    """The one exception: the default mark, with `--i-own-this-cluster`."""

    @pytest.mark.parametrize(
        ("verb", "kind", "body", "expected"),
        [
            ("patch", "StorageClass", MARK, True),
            ("patch", "StorageClass", {"metadata": {"annotations": {GA: "1", BETA: "1"}}}, True),
            ("delete", "StorageClass", MARK, False),
            ("create", "StorageClass", MARK, False),
            ("patch", "PersistentVolume", MARK, False),
            ("patch", "StorageClass", {"metadata": {"annotations": {GA: None, "x": "y"}}}, False),
            ("patch", "StorageClass", {"metadata": {"annotations": {}, "labels": {}}}, False),
            ("patch", "StorageClass", {**MARK, "reclaimPolicy": "Delete"}, False),
            ("patch", "StorageClass", None, False),
        ],
    )
    def test_only_the_mark_is_excepted(
        self, verb: str, kind: str, body: Object | None, expected: bool
    ) -> None:
        assert marks_default_class(Request(verb, kind, "plain", body=body)) is expected

    def test_it_takes_the_owners_word(self) -> None:
        plain = obj("StorageClass", "plain", metadata={"annotations": {GA: "true"}})
        with pytest.raises(OutsideFence, match="refused: patch StorageClass plain"):
            fenced(plain).patch("StorageClass", "plain", MARK)
        kube = fenced(plain, default_classes=True)
        kube.patch("StorageClass", "plain", MARK)
        assert kube.get("StorageClass", "plain")["metadata"]["annotations"] == {}
        with pytest.raises(OutsideFence):
            kube.delete("StorageClass", "plain")
