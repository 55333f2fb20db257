"""Tries binding cases on a cluster, many side by side, and sees how each ends."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from landfast import timeouts
from landfast.binding.model import (
    BindingCase,
    Delete,
    Outcome,
    PvcPhase,
    PvcState,
    PvPhase,
    PvState,
    Refusal,
)
from landfast.binding.objects import CASE_LABEL, KINDS, Naming
from landfast.binding.settling import (
    BATCH_LABEL,
    BatchState,
    VolumeController,
    wait_for_another_second,
    wait_for_default_class,
)
from landfast.kube import Kube, KubeError, Object
from landfast.nfs.export import Export
from landfast.parallel import side_by_side
from landfast.waiting import wait_until


class Trial:
    """Where binding cases are tried: a cluster, and a namespace and labels of the run's own."""

    def __init__(
        self, kube: Kube, namespace: str, labels: Mapping[str, str], export: Export
    ) -> None:
        self._kube = kube
        self._naming = Naming(
            namespace=namespace, labels=labels, server=export.server, path=export.path
        )

    @contextlib.contextmanager
    def batch(self, cases: Sequence[BindingCase]) -> Iterator["Batch"]:
        """Prepare cases side by side, nothing of them done yet; remove everything at the end.

        Raises:
            ValueError: one of several cases creates a default class, which all would get.
            WaitTimeout: something could not be removed.
        """
        if len(cases) > 1 and any(case.makes_default_class for case in cases):
            raise ValueError("a case that creates a default class must be tried alone")
        batch = Batch(self._kube, self._naming, cases)
        try:
            yield batch
        finally:
            batch.remove()

    @contextlib.contextmanager
    def applied(self, cases: Sequence[BindingCase]) -> Iterator["Batch"]:
        """Run cases through their last stage until settled; remove everything at the end.

        Raises:
            ValueError: see `batch`.
            WaitTimeout: the controller does not settle, or something could not be removed.
        """
        with self.batch(cases) as batch:
            for stage in range(max(len(case.stages) for case in cases)):
                batch.send(stage)
                batch.settle(stage)
            yield batch


class Batch:
    """Binding cases that run side by side, each under its own names.

    `seen` is what existed of them at the last look.
    """

    def __init__(self, kube: Kube, naming: Naming, cases: Sequence[BindingCase]) -> None:
        self._kube = kube
        self._cases = cases
        batch = secrets.token_hex(3)
        labels = {**naming.labels, BATCH_LABEL: batch}
        self._batch = replace(naming, prefix=f"landfast-{batch}-", case="sentinel", labels=labels)
        self.names = [
            replace(self._batch, prefix=f"{self._batch.prefix}{n}-", case=f"{batch}-{n}")
            for n in range(len(cases))
        ]
        self._refused: list[set[Refusal]] = [set() for _ in cases]
        self._controller = VolumeController(kube, self._batch)
        self._default_class_counts = any(case.uses_default_class for case in cases)
        self.seen = BatchState({}, {})

    def send(self, stage: int) -> None:
        """Send the operations of one stage, in their order, for all cases at once."""
        if self._default_class_counts:
            if stage == 0:
                self._controller.look_again([])  # it forgets the earlier default class
            wait_for_default_class(self._kube, self._batch)
        side_by_side(partial(self._send, stage), self._of_stage(stage))

    def settle(self, stage: int) -> None:
        """Wait until another look of the controller changes nothing in the cases of that stage.

        Raises:
            WaitTimeout: it keeps changing; the message says what.
        """
        self.seen = self._controller.settle(self.names[n].case for n in self._of_stage(stage))

    def _of_stage(self, stage: int) -> list[int]:
        return [n for n, case in enumerate(self._cases) if stage < len(case.stages)]

    def look(self) -> BatchState:
        """Return the PVs and PVCs as they are now."""
        self.seen = self._controller.see()
        return self.seen

    def look_again(self) -> list[Outcome]:
        """Have the controller look at everything once more; return the outcomes after that."""
        everything = {naming.case for naming in self.names}
        self.seen = self._controller.look_again(self.seen.unpaired(everything))
        return self.outcomes()

    def outcomes(self) -> list[Outcome]:
        """Return how each case ended, in its own names."""
        pvs: list[set[PvState]] = [set() for _ in self._cases]
        pvcs: list[set[PvcState]] = [set() for _ in self._cases]
        numbers = {naming.case: number for number, naming in enumerate(self.names)}
        for obj in self.seen.objects:
            number = numbers[obj["metadata"]["labels"][CASE_LABEL]]
            if obj["kind"] == KINDS["pv"]:
                pvs[number].add(_pv_state(obj, self.names[number].prefix))
            else:
                pvcs[number].add(_pvc_state(obj, self.names[number].prefix))
        return [
            Outcome(frozenset(v), frozenset(c), frozenset(r))
            for v, c, r in zip(pvs, pvcs, self._refused, strict=True)
        ]

    def events(self) -> list[list[str]]:
        """Return the events about each case's objects; they are evidence and may come late."""
        texts: list[dict[str, None]] = [{} for _ in self._cases]
        # events of PVs, which have no namespace, are in `default`
        for event in self._kube.events(self._batch.namespace) + self._kube.events("default"):
            about = str(event["involvedObject"].get("name"))
            for number, naming in enumerate(self.names):
                if about.startswith(naming.prefix):
                    text = f"{about}: {event['reason']}: {event.get('message', '')}"
                    texts[number][text.replace(naming.prefix, "")] = None
        return [list(of_case) for of_case in texts]

    def _send(self, stage: int, number: int) -> None:
        ops, naming = self._cases[number].stages[stage], self.names[number]
        if BindingCase((ops,)).makes_default_class:
            wait_for_another_second(self._kube, self._batch)
        for op in ops:
            if isinstance(op, Delete):
                self._delete(op, naming)
                continue
            try:
                self._kube.create(naming.object(op.obj))
            except KubeError as error:
                if error.code not in (409, 422):
                    raise
                fields = error.fields or ("metadata.name",)
                self._refused[number] |= {Refusal(op.obj.kind, op.obj.name, f) for f in fields}

    def _delete(self, op: Delete, naming: Naming) -> None:
        kind, name = KINDS[op.kind], naming.prefix + op.name
        namespace = naming.namespace if op.kind == "pvc" else None
        if self._kube.delete(kind, name, namespace) and op.force:
            try:
                self._kube.patch(kind, name, {"metadata": {"finalizers": None}}, namespace)
            except KubeError as error:
                if error.code != 404:  # no finalizer held it
                    raise

    def remove(self) -> None:
        """Remove everything.

        Raises:
            WaitTimeout: something could not be removed.
        """
        selector = f"{BATCH_LABEL}={self._batch.labels[BATCH_LABEL]}"
        namespace = self._batch.namespace

        def left() -> list[Object]:
            found = self._kube.list(KINDS["pvc"], namespace, labels=selector)  # they protect PVs
            for kind in (KINDS["pv"], KINDS["class"]):
                found += self._kube.list(kind, labels=selector)
            return found

        side_by_side(
            lambda obj: self._kube.delete(
                obj["kind"], obj["metadata"]["name"], obj["metadata"].get("namespace")
            ),
            left(),
        )
        wait_until(
            "PVs, PVCs and classes of the binding cases to be gone",
            left,
            until=lambda objects: not objects,
            timeout=timeouts.GONE,
            describe=lambda objects: ", ".join(obj["metadata"]["name"] for obj in objects[:5]),
        )


def _pv_state(obj: Object, prefix: str) -> PvState:
    owner = obj["spec"].get("claimRef")
    return PvState(
        name=obj["metadata"]["name"].removeprefix(prefix),
        phase=PvPhase(obj["status"]["phase"]),
        claim_ref=owner["name"].removeprefix(prefix) if owner else None,
        deleting="deletionTimestamp" in obj["metadata"],
    )


def _pvc_state(obj: Object, prefix: str) -> PvcState:
    volume = obj["spec"].get("volumeName")
    return PvcState(
        name=obj["metadata"]["name"].removeprefix(prefix),
        phase=PvcPhase(obj["status"]["phase"]),
        volume=volume.removeprefix(prefix) if volume else None,
    )
