"""PVCs of the class: are they provisioned as they ask, and do they end as the class says?"""

import time

import pytest

from landfast import timeouts
from landfast.kube.client import KubeError, Object
from landfast.steps import Steps
from landfast.verdict import Unknown
from landfast.waiting import stays_true, wait_until
from suites.conformance.storageclass.judged import MYSQL, Judged

_STAYS_SECONDS = 3
_NAME = "abcdefghijklmnopqrstuvwxyz.0123456789-z"
_MIB = 1 << 20
_RESIZING = ("Resiz", "Expan")
_WAITS = "ExternalExpanding"  # a note that some other controller should do it
_FULL = ("No space left", "Disk quota exceeded", "File too large")


@pytest.mark.claim("storageclass.provisions-in-time")
def test_pvc_is_bound_in_time(judged: Judged, test: Steps) -> None:
    judged.create_pvc("data")
    started = time.monotonic()
    if judged.subject.waits:
        with test.step("create a pod that uses the PVC"):
            judged.make_pod("user", pvc_name="data", uid=MYSQL)
            started = time.monotonic()
    with test.verify("the PVC is Bound"):
        pv = judged.pv_of("data")
    seconds = time.monotonic() - started
    test.observe(f"{judged.subject}: bound to {pv['metadata']['name']} after {seconds:.1f} s")


@pytest.mark.claim("storageclass.binding-mode-is-kept")
def test_pvc_waits_for_a_pod_if_the_class_says_so(judged: Judged, test: Steps) -> None:
    with test.step("create a PVC and no pod"):
        judged.create_pvc("data")
    if not judged.subject.waits:
        with test.verify("the PVC is Bound without a pod"):
            judged.pv_of("data")
        test.observe("Immediate: the PVC is Bound without a pod")
        return
    with test.verify(f"the PVC is Pending for {_STAYS_SECONDS} s"):
        stays_true(
            "that PVC data is Pending",
            lambda: judged.phase("PersistentVolumeClaim", "data"),
            holds=lambda phase: phase == "Pending",
            seconds=_STAYS_SECONDS,
        )
    with test.verify("with a pod it is Bound"):
        judged.run("user")
        judged.pv_of("data")
    test.observe("WaitForFirstConsumer: the PVC is Pending without a pod, and Bound with one")


@pytest.mark.claim("storageclass.pv-fits-the-pvc")
def test_pv_has_what_its_pvc_and_class_ask_for(judged: Judged, test: Steps) -> None:
    judged.volume(size="16Mi")
    spec = _bound(judged)["spec"]
    seen = {
        "accessModes": spec["accessModes"],
        "storageClassName": spec["storageClassName"],
        "persistentVolumeReclaimPolicy": spec["persistentVolumeReclaimPolicy"],
    }
    test.observe(f"the PV has {seen} and the capacity {spec['capacity']}")
    assert seen == {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": judged.subject.storage_class,
        "persistentVolumeReclaimPolicy": judged.subject.reclaim_policy,
    }
    assert _bytes(spec["capacity"]["storage"]) >= 16 * _MIB, "it is smaller than requested"


@pytest.mark.claim("storageclass.two-pvcs-two-directories")
def test_two_pvcs_share_nothing(judged: Judged, test: Steps) -> None:
    for name in ("one", "two"):
        judged.volume(name)
        with test.step(f"a pod writes into PVC {name}"):
            judged.run(name, pvc_name=name)
            judged.say(name, f"echo {name} >of-{name}; sync")
    seen = {name: judged.say(name, "ls | grep ^of-") for name in ("one", "two")}
    test.observe(f"the pods see {seen}")
    assert seen == {"one": "of-one", "two": "of-two"}, "the two PVCs lead to one directory"


@pytest.mark.claim("storageclass.names-of-every-character")
def test_pvc_with_every_character_in_its_name_is_written(judged: Judged, test: Steps) -> None:
    with test.step(f"create PVC {_NAME}"):
        judged.create_pvc(_NAME)
    with test.verify("a pod writes into it"):
        if not judged.subject.waits:
            judged.pv_of(_NAME)
        judged.run("user", pvc_name=_NAME)
        said = judged.say("user", "echo written >file && cat file")
    test.observe(f"a pod with PVC {_NAME}: {said}")
    assert said == "written"


@pytest.mark.claim("storageclass.policy-is-kept")
def test_pv_ends_as_its_policy_says(judged: Judged, test: Steps) -> None:
    judged.volume()
    with test.step("a pod writes a file and is gone"):
        judged.run("user")
        judged.say("user", "echo rows >data; sync")
        judged.stack.delete("Pod", "user", grace_seconds=1)
    pv = _bound(judged)
    name, directory = pv["metadata"]["name"], judged.directory(pv)
    before = _exists(judged, directory)
    with test.step("delete the PVC"):
        judged.stack.delete("PersistentVolumeClaim", "data")
    keeps = judged.subject.reclaim_policy == "Retain"
    expected = "Released" if keeps else "gone"
    with test.verify(f"the PV is {expected}"):
        wait_until(
            f"PV {name} to be {expected}",
            lambda: judged.phase("PersistentVolume", name),
            until=lambda phase: phase == expected,
            timeout=timeouts.RECLAIM,
        )
    after = _exists(judged, directory)
    test.observe(f"policy {judged.subject.reclaim_policy}: the PV is {expected}")
    if directory is None:
        test.observe("its directory cannot be seen from here: give --nfs-server")
        return
    test.observe(f"its directory {directory} on the server: {before} before, {after} after")
    if before == "not there":
        raise Unknown(f"the directory {directory} was not on the server before the deletion")
    retained = keeps or judged.on_delete == "retain"
    assert after == ("there" if retained else "not there"), "the directory did not end so"


@pytest.mark.claim("storageclass.expansion-is-done-or-refused")
def test_expansion_is_carried_out_refused_or_reported(judged: Judged, test: Steps) -> None:
    stack = judged.stack
    more = {"spec": {"resources": {"requests": {"storage": "32Mi"}}}}
    judged.volume(size="16Mi")
    with test.step("run a pod with it"):
        judged.run("user")
    if not judged.subject.expands:
        with pytest.raises(KubeError) as refusal:
            stack.kube.patch("PersistentVolumeClaim", "data", more, stack.namespace)
        test.observe(f"the API answers {refusal.value.code}: {refusal.value.message}")
        assert refusal.value.code in (403, 422), "that is no refusal of the expansion"
        return
    with test.step("request 32Mi instead of 16Mi"):
        stack.kube.patch("PersistentVolumeClaim", "data", more, stack.namespace)

    def answer() -> str:
        pvc = stack.kube.get("PersistentVolumeClaim", "data", stack.namespace)
        if _bytes(pvc["status"]["capacity"]["storage"]) >= 32 * _MIB:
            return f"done: the PVC has {pvc['status']['capacity']['storage']}"
        events = stack.kube.events(stack.namespace, name="data")
        failed = [
            f"{event['reason']}: {event['message']}"
            for event in events
            if event["type"] == "Warning"
            and event["reason"] != _WAITS
            and any(word in event["reason"] for word in _RESIZING)
        ]
        return f"refused: {failed[-1]}" if failed else ""

    with test.verify("the PVC grows, or an event says why not"):
        said = wait_until("the expansion to be done or refused", answer, timeout=timeouts.BIND)
    test.observe(said)


@pytest.mark.claim("storageclass.nothing-is-lost-beyond-the-size")
def test_writes_beyond_the_size_are_kept_or_refused(judged: Judged, test: Steps) -> None:
    judged.volume(size="16Mi")
    with test.step("a pod writes 24 MiB into a PVC for 16Mi, and syncs them"):
        judged.run("user")
        wrote = judged.say(
            "user",
            "seq 1 4000000 | head -c 25165824 >/dev/shm/file; "
            "dd if=/dev/shm/file of=file bs=1M conv=fsync status=none; echo exit code $?; "
            "df -k . | tail -1; sha256sum </dev/shm/file",
        )
    test.observe(f"the pod says: {wrote}")
    if "exit code 0" not in wrote:
        assert any(word in wrote for word in _FULL), "the error does not say that it is full"
        test.observe("the size is enforced")
        return
    test.observe("the size is not enforced: 24 MiB fit into 16Mi")
    with test.step("another pod reads them"):
        judged.stack.delete("Pod", "user", grace_seconds=1)
        judged.run("reader")
        there = judged.say("reader", "sha256sum <file")
    assert there.split()[0] == wrote.split()[-2], "what was synced is not what is there"


def _bound(judged: Judged) -> Object:
    """Return the PV of PVC `data`; a pod binds it where the class waits for one."""
    if judged.subject.waits and judged.phase("PersistentVolumeClaim", "data") == "Pending":
        judged.run("binder")
    return judged.pv_of("data")


def _exists(judged: Judged, directory: str | None) -> str:
    if directory is None:
        return "not seen"
    return "there" if judged.stack.env.inspector.exists(directory) else "not there"


def _bytes(quantity: str) -> int:
    """Return the bytes of a quantity as NFS drivers write it: a number, Ki, Mi, Gi or Ti."""
    for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"), start=1):
        if quantity.endswith(unit):
            return int(quantity.removesuffix(unit)) << 10 * power
    return int(quantity)
