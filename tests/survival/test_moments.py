"""The moments that faults are injected at: what is arranged before, and removed after."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import FakeKube

from landfast.faults.base import NotProven, Site
from landfast.mysql.ledger import Ledger
from landfast.survival.moments import MOMENTS
from landfast.waiting import WaitTimeout

pytestmark = pytest.mark.usefixtures("impatient")

LEDGER = cast(Ledger, None)


class Provisioner:
    """A site whose provisioner binds the first `binds` PVCs as soon as they are made."""

    def __init__(self, binds: int) -> None:
        self.binds = binds
        self.kube = FakeKube()
        self.folders = ["mysql"]
        self.kube.before["delete"] = self._reclaim

    def make(self, obj: dict[str, Any]) -> dict[str, Any]:
        name = obj["metadata"]["name"]
        obj["metadata"]["namespace"] = "default"
        is_bound = len(self.kube.list("PersistentVolumeClaim")) < self.binds
        obj["status"] = {"phase": "Bound" if is_bound else "Pending"}
        self.folders += [f"default-{name}-pv"] * is_bound
        ref = {"namespace": "default", "name": name}
        pv = {"kind": "PersistentVolume", "metadata": {"name": f"pv-{name}"}}
        if is_bound:
            self.kube.put({**pv, "spec": {"claimRef": ref}})
        return self.kube.put(obj)

    def finish(self) -> None:
        for pvc in self.kube.list("PersistentVolumeClaim"):
            name = pvc["metadata"]["name"]
            body = {"status": {"phase": "Bound"}}
            self.kube.patch("PersistentVolumeClaim", name, body, "default")

    def _reclaim(self, _kind: str, name: str) -> None:
        self.kube.objects.pop(("PersistentVolume", None, f"pv-{name}"), None)
        self.folders = [f.replace(f"default-{name}", f"archived-default-{name}")
                        for f in self.folders]  # fmt: skip

    @property
    def site(self) -> Site:
        export = SimpleNamespace(
            list=lambda depth: list(self.folders),
            remove=lambda path: self.folders.remove(path),
        )
        stack = SimpleNamespace(namespace="default", make=self.make, export=export)
        return cast(Site, SimpleNamespace(kube=self.kube, stack=stack))


def test_provisioner_is_at_work_and_nothing_of_it_is_left() -> None:
    provisioner = Provisioner(binds=3)
    with MOMENTS["provisioning"](provisioner.site, LEDGER) as moment:
        assert provisioner.kube.changes() == []
        moment.ready()
        moment.confirm()
        assert len(provisioner.kube.list("PersistentVolumeClaim")) == 10
        provisioner.finish()
    assert provisioner.kube.objects == {}
    assert provisioner.folders == ["mysql"]


def test_fault_waits_for_the_first_pvc_to_be_bound() -> None:
    provisioner = Provisioner(binds=0)
    with MOMENTS["provisioning"](provisioner.site, LEDGER) as moment:
        with pytest.raises(WaitTimeout, match="the first PVC to be bound"):
            moment.ready()
        provisioner.finish()


def test_provisioner_that_was_done_before_proves_nothing() -> None:
    provisioner = Provisioner(binds=10)
    with MOMENTS["provisioning"](provisioner.site, LEDGER) as moment:
        moment.ready()
        with pytest.raises(NotProven, match="^all 10 PVCs were bound before"):
            moment.confirm()


def test_pvc_that_is_not_bound_in_the_end_is_said_and_kept() -> None:
    provisioner = Provisioner(binds=3)
    with (
        pytest.raises(WaitTimeout, match="10 PVCs to be bound; last state: 3 are bound"),
        MOMENTS["provisioning"](provisioner.site, LEDGER) as moment,
    ):
        moment.ready()
    assert len(provisioner.kube.list("PersistentVolumeClaim")) == 10


def test_outage_begins_when_the_pod_that_recovers_went() -> None:
    replaced: list[str] = []
    site = cast(Site, SimpleNamespace(replace_pod=lambda: replaced.append("mysql-0")))
    with MOMENTS["recovering"](site, LEDGER) as moment:
        assert replaced == ["mysql-0"]
        assert moment.outage_began is not None


def test_load_has_to_be_steady() -> None:
    asked: list[int] = []
    ledger = cast(Ledger, SimpleNamespace(wait_for_writes=lambda n, timeout: asked.append(n)))
    with MOMENTS["steady"](cast(Site, None), ledger) as moment:
        moment.ready()
        moment.confirm()
    assert asked == [200]
