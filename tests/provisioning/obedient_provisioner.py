"""A provisioner on a fake API, with a folder for an export: it obeys a line's contract."""

import shutil
from pathlib import Path, PurePosixPath

from fakes import FakeKube

from landfast.kube.client import Object
from landfast.provisioning.contract import ClassSettings, Line, PvcMeta, Reclaimed
from landfast.provisioning.contract import directory as directory_of
from landfast.provisioning.observed import GONE
from landfast.provisioning.volumes import BoundVolume
from landfast.stack import Stack

PVC = "PersistentVolumeClaim"
PV = "PersistentVolume"


class Provisioner:
    """Obeys a line's contract on the fake API, inside the requests that concern it."""

    def __init__(self, stack: Stack, kube: FakeKube, folder: Path, line: Line) -> None:
        self.stack, self.kube, self.folder, self.line = stack, kube, folder, line
        kube.before |= {"get": self._bind, "delete": self._reclaim}

    def _bind(self, kind: str, name: str) -> None:
        key = (PVC, self.stack.namespace, name)
        if kind != PVC or key not in self.kube.objects or "status" in self.kube.objects[key]:
            return
        pvc = self.kube.objects[key]
        volume = pvc["spec"].get("volumeName") or self._provision(pvc)
        pvc["spec"]["volumeName"], pvc["status"] = volume, {"phase": "Bound"}
        self.kube.objects[PV, None, volume]["status"] = {"phase": "Bound"}

    def _provision(self, pvc: Object) -> str:
        name, settings = f"pvc-{pvc['metadata']['name']}", self._class(pvc)
        where = directory_of(self.line, settings, meta(pvc), name)
        (self.folder / where).mkdir(parents=True, exist_ok=True)
        spec = {
            "storageClassName": pvc["spec"]["storageClassName"],
            "claimRef": {"namespace": self.stack.namespace, "name": pvc["metadata"]["name"]},
            "nfs": {"server": "nfs", "path": str(PurePosixPath(self.stack.overlay.root, where))},
        }
        self.kube.put({"kind": PV, "metadata": {"name": name}, "spec": spec})
        return name

    def _class(self, pvc: Object) -> ClassSettings:
        found = self.kube.objects["StorageClass", None, pvc["spec"]["storageClassName"]]
        given = found["parameters"]
        return ClassSettings(
            found["reclaimPolicy"],
            given.get("archiveOnDelete"),
            given.get("onDelete"),
            given.get("pathPattern"),
        )

    def _reclaim(self, kind: str, name: str) -> None:
        pvc = self.kube.objects.get((PVC, self.stack.namespace, name))
        if kind != PVC or pvc is None:
            return
        volume = self.kube.objects.get((PV, None, pvc["spec"]["volumeName"]))
        if volume is None:
            return
        bound = BoundVolume(
            self.stack, volume["metadata"]["name"], meta(pvc), volume["spec"]["nfs"]["path"]
        )
        end = bound.fate(self.line, self._class(pvc))
        own = self.folder / bound.directory
        if end.reclaimed is Reclaimed.ARCHIVED:
            own.rename(self.folder / str(end.data))
        elif end.reclaimed is Reclaimed.REMOVED:
            shutil.rmtree(own)
        volume["status"]["phase"] = end.phase
        if end.phase == GONE:
            del self.kube.objects[PV, None, bound.name]


def meta(pvc: Object) -> PvcMeta:
    found = pvc["metadata"]
    return PvcMeta(found["namespace"], found["name"], annotations=found.get("annotations") or {})
