"""The inspector's pod on an existing cluster: it starts, or the user reads why it cannot."""

from collections.abc import Sequence
from typing import Any

import pytest
from fakes import FakeKube

from landfast import timeouts
from landfast.errors import BadInput, LandfastError
from landfast.kube import Object
from landfast.nfs import inspector_pod
from landfast.nfs.export import Export
from landfast.nfs.inspector_pod import NAME, volume_name
from landfast.run import RUN_LABEL
from landfast.waiting import WaitTimeout

NAMESPACE = "landfast-r1"
EXPORT = Export(server="10.0.0.9", path="/export", kind="external")
ACCOUNT: Object = {
    "kind": "ServiceAccount",
    "metadata": {"name": "default", "namespace": NAMESPACE},
}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
NO_IMAGE = {
    "containerStatuses": [
        {
            "name": "inspector",
            "state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}},
        }
    ]
}


def event(message: str, reason: str = "FailedMount", name: str = NAME) -> Object:
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "name": name},
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "reason": reason,
        "message": message,
    }


def mount_failure(volume: str, said: str) -> Object:
    return event(f'MountVolume.SetUp failed for volume "{volume}" : exit 32\nOutput: {said}\n')


class Cluster(FakeKube):
    """A cluster whose kubelet gives each new pod a status."""

    def __init__(self, status: Any, *objects: Object, mounts: str = "") -> None:
        super().__init__(*objects)
        self.status, self.mounts = status, mounts

    def put(self, obj: Object) -> Object:
        more = {"status": self.status} if obj["kind"] == "Pod" else {}
        return super().put(obj | more)

    def execute(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        *,
        container: str | None = None,
        timeout: int = 60,
    ) -> str:
        super().execute(namespace, pod, argv, timeout=timeout)
        return self.mounts


def start(kube: FakeKube) -> Export:
    return inspector_pod.start(kube, EXPORT, NAMESPACE, "busybox:1", "r1")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "POD_RUNNING", 0.2)
    monkeypatch.setattr(timeouts, "CONTROLLER_OBSERVES", 0.2)


def test_a_pod_that_runs_is_where_the_export_is_inspected() -> None:
    kube = Cluster(READY, ACCOUNT)
    assert start(kube) == EXPORT.model_copy(update={"inspector": (NAMESPACE, NAME)})
    assert [asked[1:] for asked in kube.changes()] == [
        ("PersistentVolume", volume_name(NAMESPACE)),
        ("PersistentVolumeClaim", NAME),
        ("Pod", NAME),
    ]
    assert all(
        obj["metadata"]["labels"] == {RUN_LABEL: "r1"}
        for (kind, *_), obj in kube.objects.items()
        if kind != "ServiceAccount"
    ), "a removal finds them"


def test_what_an_earlier_start_made_is_used_again() -> None:
    kube = Cluster(READY, ACCOUNT)
    start(kube)
    begun = len(kube.changes())
    start(kube)
    assert kube.changes()[begun:] == []


def test_no_pod_is_made_before_its_service_account() -> None:
    kube = Cluster(READY)
    with pytest.raises(WaitTimeout, match=f"the service account of namespace {NAMESPACE}"):
        start(kube)
    assert kube.changes() == []


@pytest.mark.parametrize(
    ("status", "events", "said"),
    [
        (
            {"phase": "Pending"},
            [mount_failure(volume_name(NAMESPACE), "mount.nfs: access denied\n  by server")],
            r"mount\.nfs: access denied; by server$",
        ),
        (NO_IMAGE, [], "ErrImagePull: no such host$"),
        ({"phase": "Pending"}, [mount_failure("another", "access denied")], "last state: Pending"),
        ({"phase": "Pending"}, [event("assigned", "Scheduled")], "last state: Pending"),
        (
            {"phase": "Pending"},
            [event(f'volume "{volume_name(NAMESPACE)}": denied', name="other")],
            "last state: Pending",
        ),
    ],
    ids=["mount", "image", "another volume", "another event", "another pod"],
)
def test_a_pod_that_does_not_run_is_a_fault_of_the_export_with_the_reason(
    status: Object, events: list[Object], said: str
) -> None:
    kube = Cluster(status, ACCOUNT, *events)
    with pytest.raises(
        BadInput, match=rf"^--nfs-server 10\.0\.0\.9:/export cannot be used .*: .*{said}"
    ):
        start(kube)


@pytest.mark.parametrize(
    ("mounts", "client"),
    [
        ("overlay / overlay rw 0 0\n10.0.0.9:/export /export nfs4 rw,noac 0 0\n", "kernel"),
        ("10.0.0.9:/export /export fuse.nfs rw 0 0\n", "fuse"),
        ("10.0.0.9:/export /elsewhere nfs4 rw 0 0\n", "unknown"),
    ],
)
def test_how_nodes_mount_is_read_from_the_inspectors_own_mount(mounts: str, client: str) -> None:
    assert inspector_pod.nfs_client(Cluster(READY, mounts=mounts), NAMESPACE) == client


def test_an_inspector_through_a_pod_changes_only_what_the_run_owns() -> None:
    kube = Cluster(READY)
    inspector = inspector_pod.pod_inspector(kube, NAMESPACE, NAME, own="landfast-r1")
    inspector.remove("landfast-r1/pv-1")
    ((pod, *argv),) = kube.executed
    assert (pod, argv[-1]) == (NAME, "/export/landfast-r1/pv-1")
    with pytest.raises(LandfastError, match="the run owns only 'landfast-r1'"):
        inspector.remove("somebody")
    assert len(kube.executed) == 1
