"""Volumes made by a stack's provisioner, and what is seen of them once their claim is deleted."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from landfast.kube.client import Object
from landfast.kube.manifests import load
from landfast.provisioning.contract import (
    ClassSettings,
    Fate,
    Line,
    Outcome,
    Pvc,
    directory,
    pv_path,
)
from landfast.stack import Stack
from landfast.waiting import stays_true, wait_until

GONE = "gone"
_BIND_SECONDS = 40
_RECLAIM_SECONDS = 30
_STAYS_SECONDS = 2.5  # what is going to be deleted is within one


def storage_class(name: str, settings: ClassSettings) -> Object:
    """Give a StorageClass of the reference's provisioner, in the reference's own names."""
    (obj,) = load("storageclass")
    obj["metadata"]["name"] = name
    obj["reclaimPolicy"] = settings.reclaim_policy
    obj["parameters"] = settings.parameters
    return obj


def claim(name: str, class_name: str | None, pvc: Pvc) -> Object:
    """Give a PersistentVolumeClaim of 1 Mi, in the reference's own names; None is no class."""
    (obj,) = load("pvc")
    obj["metadata"] = {
        "name": name,
        "labels": dict(pvc.labels),
        "annotations": dict(pvc.annotations),
    }
    spec = obj["spec"]
    del spec["selector"], spec["storageClassName"]
    if class_name is not None:
        spec["storageClassName"] = class_name
    spec["resources"]["requests"]["storage"] = "1Mi"
    return obj


@dataclass(frozen=True)
class Seen:
    """What was seen of a volume: by the API, and on the server.

    Attributes:
        phase: the volume's, `gone` if there is none.
        data: where its file is, relative to the stack's export; "" is the export itself.
        intact: whether that file has the content that was written, by its hash.
        directory: whether the volume's own directory is there.
        events: reasons and messages of what events tell of the volume.
    """

    phase: str
    data: tuple[str, ...]
    intact: bool
    directory: bool
    events: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Give what was seen in words."""
        content = "as it was written (by sha256)" if self.intact else "changed"
        where = f"{_named(self.data)}, its content {content}" if self.data else "nowhere"
        there = "there" if self.directory else "not there"
        return f"volume {self.phase}; its data is {where}; its own directory is {there}"

    def difference(self, fate: Fate) -> str:
        """Say in what this is other than a fate; empty if in nothing. Events are not judged."""
        if self.phase != fate.phase:
            return f"the volume is {self.phase}, not {fate.phase}"
        data = () if fate.data is None else (fate.data,)
        if self.data != data:
            return f"the data is {_named(self.data)}, not {_named(data)}"
        if not self.intact:
            return "the data is not what was written"
        if self.directory != fate.directory_stays:
            return f"the volume's directory is {'still' if self.directory else 'no longer'} there"
        return ""


def _named(directories: tuple[str, ...]) -> str:
    named = (f"in {name}" if name else "in the export's root" for name in directories)
    return " and ".join(named) or "nowhere"


@dataclass(frozen=True)
class Volume:
    """A bound volume in a stack's part of the export, provisioned or prepared."""

    stack: Stack
    name: str
    pvc: Pvc
    path: str
    """on the server"""
    file: str
    text: str

    @property
    def on_export(self) -> bool:
        """Whether it lies in the stack's export."""
        return PurePosixPath(self.path).is_relative_to(self.stack.overlay.root)

    @property
    def directory(self) -> str:
        """Its directory, relative to the stack's export; "" is the export itself.

        Raises:
            ValueError: it is outside.
        """
        relative = str(PurePosixPath(self.path).relative_to(self.stack.overlay.root))
        return "" if relative == "." else relative

    def write(self) -> None:
        """Write its file on the server."""
        self.stack.env.inspector.write(
            self.stack.folder(str(PurePosixPath(self.directory, self.file))), self.text
        )

    def delete_claim(self) -> None:
        """Delete its claim, and wait until that is gone."""
        kube = self.stack.kube
        kube.delete("PersistentVolumeClaim", self.pvc.name, self.pvc.namespace)
        self.stack.wait_gone("PersistentVolumeClaim", self.pvc.name, self.pvc.namespace)

    def phase(self) -> str:
        """Give its phase, `gone` if there is no such volume."""
        found = self.stack.kube.find("PersistentVolume", self.name)
        return GONE if found is None else str(found["status"]["phase"])

    def events(self) -> list[str]:
        """Give what events tell of it, as reason and message."""
        found = self.stack.kube.events("default", name=self.name)
        return [f"{event['reason']}: {event['message']}" for event in found]

    def wait_for(self, phase: str, *, timeout: float = _RECLAIM_SECONDS) -> None:
        """Wait until it has a phase and, if that is not `gone`, see it stay for a moment.

        Raises:
            WaitTimeout: it does not come; at once if that is clear before.
            NotStable: it does not stay.
        """
        wait_until(
            f"volume {self.name} to be {phase}",
            self.phase,
            until=lambda seen: seen == phase,
            give_up=lambda seen: self._hopeless(seen, phase),
            timeout=timeout,
        )
        if phase != GONE:
            stays_true(
                f"that volume {self.name} is {phase}",
                self.phase,
                holds=lambda seen: seen == phase,
                seconds=_STAYS_SECONDS,
            )

    def _hopeless(self, seen: str, phase: str) -> str | None:
        """Say why it will not have a phase any more."""
        if seen == GONE:
            return "there is no such volume"
        if seen == "Failed" or (seen == "Released" and phase == GONE):
            # a recycling that failed is tried again within 15 s
            failed = "VolumeFailedDelete"
            return next((text for text in self.events() if text.startswith(failed)), None)
        return None

    def look(self) -> Seen:
        """Look at it and for its file everywhere in the stack's part of the export."""
        inspector, top = self.stack.env.inspector, self.stack.folder("")
        found = {str(PurePosixPath(path).relative_to(top)) for path in inspector.list(top)}
        files = sorted(path for path in found if PurePosixPath(path).name == self.file)
        written = hashlib.sha256(self.text.encode()).hexdigest()
        return Seen(
            phase=self.phase(),
            data=tuple(path.removesuffix(self.file).rstrip("/") for path in files),
            intact=all(inspector.sha256(f"{top}/{path}") == written for path in files),
            directory=self.directory in {"", *found},
            events=tuple(self.events()),
        )

    def end(self, settings: ClassSettings, seen: Seen) -> Fate:
        """Give the fate that it was seen to have, under these settings."""
        return Fate(self._outcome(settings, seen), next(iter(seen.data), None), seen.phase)

    def _outcome(self, settings: ClassSettings, seen: Seen) -> Outcome:
        if not seen.data:
            return Outcome.EMPTIED if seen.directory else Outcome.REMOVED
        if seen.data != (self.directory,):
            return Outcome.ARCHIVED
        gone = seen.phase == GONE
        if settings.reclaim_policy == "Retain" or (gone and settings.on_delete == "retain"):
            return Outcome.KEPT
        return Outcome.LEAKED if gone else Outcome.FAILED

    def in_words(self, fate: Fate) -> str:
        """Give a fate in words, with CLAIM and the like for its own names."""
        words = str(fate).replace(self.name, "VOLUME").replace(self.pvc.name, "CLAIM")
        return words.replace(self.pvc.namespace, "NAMESPACE")

    def misplaced(self, line: Line, settings: ClassSettings) -> str:
        """Say where it is instead of where a line's contract puts it; empty if it is there."""
        root = self.stack.overlay.root
        path = pv_path(root, directory(line, settings, self.pvc, self.name))
        return "" if self.path == path else f"the volume's path is {self.path}, not {path}"


@contextlib.contextmanager
def provisioned(
    stack: Stack,
    name: str,
    settings: ClassSettings,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Iterator[Volume]:
    """Have a volume made under a class of its own; remove class, claim and volume at the end.

    What is left of it on the export stays (see `clear`). `name` is that of the claim and, fitted
    to the stack, of the class. The stack's provisioner must be running.

    Raises:
        WaitTimeout: no volume is made.
    """
    pvc = Pvc(stack.namespace, name, dict(labels or {}), dict(annotations or {}))
    with _class(stack, name, settings), _removed(stack, pvc):
        stack.make(claim(name, name, pvc))
        yield _bound(stack, pvc)


@contextlib.contextmanager
def prepared(stack: Stack, name: str, settings: ClassSettings) -> Iterator[Volume]:
    """Prepare a volume by hand, bound to a claim, of a class that is there; else as `provisioned`.

    Its policy is the class's, its directory `name`. A class may not say Recycle, a volume may.
    """
    pvc = Pvc(stack.namespace, name)
    policy = settings.reclaim_policy
    of_class = replace(settings, reclaim_policy="Delete" if policy == "Recycle" else policy)
    (obj,) = load("pv")
    obj["metadata"]["name"] = name
    obj["spec"] |= {"persistentVolumeReclaimPolicy": policy, "storageClassName": name}
    obj["spec"]["nfs"]["path"] += f"/{name}"
    stack.env.inspector.make_folder(stack.folder(name))
    with _class(stack, name, of_class), _removed(stack, pvc):
        volume = str(stack.make(obj)["metadata"]["name"])
        stack.wait_for_pv(volume, "Available", timeout=_BIND_SECONDS)
        asked = claim(name, name, pvc)
        asked["spec"]["volumeName"] = volume  # or the provisioner may be quicker
        stack.make(asked)
        try:
            yield _bound(stack, pvc)
        finally:
            if policy == "Recycle" and stack.env.cluster.owned:
                # kube-controller-manager removes it, but not always
                stack.kube.delete("Pod", f"recycler-for-{volume}", "default", grace_seconds=0)


@contextlib.contextmanager
def _class(stack: Stack, name: str, settings: ClassSettings) -> Iterator[None]:
    """Make a class, and remove it at the end."""
    made = stack.make(storage_class(name, settings))
    try:
        yield
    finally:
        stack.kube.delete("StorageClass", made["metadata"]["name"])


def _bound(stack: Stack, pvc: Pvc) -> Volume:
    """Wait until a claim is bound, and give its volume."""
    bound = stack.wait_for_pvc(pvc.name, timeout=_BIND_SECONDS)
    name = str(bound["spec"]["volumeName"])
    path = stack.kube.get("PersistentVolume", name)["spec"]["nfs"]["path"]
    return Volume(stack, name, pvc, path, f"{pvc.name}.txt", f"written for {pvc.name}")


@contextlib.contextmanager
def _removed(stack: Stack, pvc: Pvc) -> Iterator[None]:
    """Remove a claim and its volumes at the end.

    The volumes first: a provisioner leaves one that is being deleted, and its directory, alone.
    """
    try:
        yield
    finally:
        volumes = [
            pv["metadata"]["name"]
            for pv in stack.kube.list("PersistentVolume")
            if pv["spec"].get("storageClassName") == f"{pvc.name}{stack.overlay.suffix}"
        ]
        for volume in volumes:
            stack.kube.delete("PersistentVolume", volume)
        stack.kube.delete("PersistentVolumeClaim", pvc.name, pvc.namespace)
        stack.wait_gone("PersistentVolumeClaim", pvc.name, pvc.namespace)
        for volume in volumes:
            stack.wait_gone("PersistentVolume", volume)


def clear(stack: Stack) -> None:
    """Remove everything in the stack's own part of the export."""
    for path in stack.env.inspector.list(stack.folder(""), depth=1):
        stack.env.inspector.remove(path)
