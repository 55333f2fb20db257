"""Tries scenarios on a cluster, many side by side, and sees how each ends."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from landfast.binding.api import kind_of
from landfast.binding.model import (
    Delete,
    Outcome,
    PvcPhase,
    PvcState,
    PvPhase,
    PvState,
    Refusal,
    Scenario,
)
from landfast.binding.objects import (
    KINDS,
    SCENARIO_LABEL,
    Naming,
    makes_default_class,
    uses_default_class,
)
from landfast.binding.settling import (
    BATCH_LABEL,
    Controller,
    Seen,
    in_threads,
    wait_for_another_second,
    wait_for_default_class,
)
from landfast.kube import Kube, KubeError
from landfast.kube.client import Object
from landfast.nfs.export import Export
from landfast.waiting import wait_until

_REMOVE_SECONDS = 120


class Trial:
    """Where scenarios are tried: a cluster, and a namespace and labels of the run's."""

    def __init__(
        self, kube: Kube, namespace: str, labels: Mapping[str, str], export: Export
    ) -> None:
        self._kube = kube
        self._naming = Naming(
            namespace=namespace, labels=labels, server=export.server, path=export.path
        )

    @contextlib.contextmanager
    def batch(self, scenarios: Sequence[Scenario]) -> Iterator["Batch"]:
        """Give scenarios side by side, of which nothing is done yet; remove all of it at the end.

        Raises:
            ValueError: one of several makes a default class, which would be that of all.
            WaitTimeout: something does not go.
        """
        if len(scenarios) > 1 and any(map(makes_default_class, scenarios)):
            raise ValueError("a scenario that makes a default class is tried by itself")
        batch = Batch(self._kube, self._naming, scenarios)
        try:
            yield batch
        finally:
            batch.remove()

    @contextlib.contextmanager
    def applied(self, scenarios: Sequence[Scenario]) -> Iterator["Batch"]:
        """Give scenarios after their last stage, settled; remove all of it at the end.

        Raises:
            ValueError: see `batch`.
            WaitTimeout: the controller does not settle, or something does not go.
        """
        with self.batch(scenarios) as batch:
            for stage in range(max(len(scenario.stages) for scenario in scenarios)):
                batch.send(stage)
                batch.settle(stage)
            yield batch


class Batch:
    """Scenarios side by side, each in names of its own.

    `seen` is what there was of them when it was last looked at.
    """

    def __init__(self, kube: Kube, naming: Naming, scenarios: Sequence[Scenario]) -> None:
        self._kube = kube
        self._scenarios = scenarios
        batch = secrets.token_hex(3)
        labels = {**naming.labels, BATCH_LABEL: batch}
        self._batch = replace(
            naming, prefix=f"landfast-{batch}-", scenario="sentinel", labels=labels
        )
        self.names = [
            replace(self._batch, prefix=f"{self._batch.prefix}{n}-", scenario=f"{batch}-{n}")
            for n in range(len(scenarios))
        ]
        self._refused: list[set[Refusal]] = [set() for _ in scenarios]
        self._controller = Controller(kube, self._batch)
        self._default_class_counts = any(map(uses_default_class, scenarios))
        self.seen = Seen({}, {})

    def send(self, stage: int) -> None:
        """Do what one stage says, in its order, of all scenarios at once."""
        if self._default_class_counts:
            if stage == 0:
                self._controller.look_again([])  # it forgets what the default class was before
            wait_for_default_class(self._kube, self._batch)
        in_threads(partial(self._send, stage), self._of_stage(stage))

    def settle(self, stage: int) -> None:
        """Wait until another look of the controller changes nothing in scenarios of that stage.

        Raises:
            WaitTimeout: it goes on changing; the message says what.
        """
        self.seen = self._controller.settle(self.names[n].scenario for n in self._of_stage(stage))

    def _of_stage(self, stage: int) -> list[int]:
        return [n for n, scenario in enumerate(self._scenarios) if stage < len(scenario.stages)]

    def look(self) -> Seen:
        """Look at the volumes and claims as they are, and give them."""
        self.seen = self._controller.see()
        return self.seen

    def look_again(self) -> list[Outcome]:
        """Have the controller look at everything once more, and give the outcomes after that."""
        everything = {naming.scenario for naming in self.names}
        self.seen = self._controller.look_again(self.seen.unpaired(everything))
        return self.outcomes()

    def outcomes(self) -> list[Outcome]:
        """Give how each scenario ended, in its own names."""
        pvs: list[set[PvState]] = [set() for _ in self._scenarios]
        pvcs: list[set[PvcState]] = [set() for _ in self._scenarios]
        numbers = {naming.scenario: number for number, naming in enumerate(self.names)}
        for obj in (*self.seen.pvs.values(), *self.seen.pvcs.values()):
            number = numbers[obj["metadata"]["labels"][SCENARIO_LABEL]]
            if obj["kind"] == KINDS["pv"]:
                pvs[number].add(_pv_state(obj, self.names[number].prefix))
            else:
                pvcs[number].add(_pvc_state(obj, self.names[number].prefix))
        return [
            Outcome(frozenset(v), frozenset(c), frozenset(r))
            for v, c, r in zip(pvs, pvcs, self._refused, strict=True)
        ]

    def said(self) -> list[list[str]]:
        """Give what controllers said of each scenario's objects: evidence, it may come late."""
        said: list[dict[str, None]] = [{} for _ in self._scenarios]
        # events of volumes, which have no namespace, are in `default`
        for event in self._kube.events(self._batch.namespace) + self._kube.events("default"):
            about = str(event["involvedObject"].get("name"))
            for number, naming in enumerate(self.names):
                if about.startswith(naming.prefix):
                    text = f"{about}: {event['reason']}: {event.get('message', '')}"
                    said[number][text.replace(naming.prefix, "")] = None
        return [list(texts) for texts in said]

    def _send(self, stage: int, number: int) -> None:
        ops, naming = self._scenarios[number].stages[stage], self.names[number]
        if makes_default_class(Scenario((ops,))):
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
                kind, name = kind_of(op.obj), op.obj.name
                self._refused[number] |= {Refusal(kind, name, field) for field in fields}

    def _delete(self, op: Delete, naming: Naming) -> None:
        kind, name = KINDS[op.kind], naming.prefix + op.name
        namespace = naming.namespace if op.kind == "pvc" else None
        if self._kube.delete(kind, name, namespace) and op.force:
            try:
                self._kube.patch(kind, name, {"metadata": {"finalizers": None}}, namespace)
            except KubeError as error:
                if error.code != 404:  # nothing held it
                    raise

    def remove(self) -> None:
        """Remove everything; claims first, as they protect their volumes.

        Raises:
            WaitTimeout: something does not go.
        """
        selector = f"{BATCH_LABEL}={self._batch.labels[BATCH_LABEL]}"
        namespace = self._batch.namespace

        def left() -> list[Object]:
            found = self._kube.list(KINDS["pvc"], namespace, labels=selector)
            for kind in (KINDS["pv"], KINDS["class"]):
                found += self._kube.list(kind, labels=selector)
            return found

        in_threads(
            lambda obj: self._kube.delete(
                obj["kind"], obj["metadata"]["name"], obj["metadata"].get("namespace")
            ),
            left(),
        )
        wait_until(
            "volumes, claims and classes to be gone",
            left,
            until=lambda objects: not objects,
            timeout=_REMOVE_SECONDS,
            describe=lambda objects: ", ".join(obj["metadata"]["name"] for obj in objects[:5]),
        )


def _pv_state(obj: Object, prefix: str) -> PvState:
    owner = obj["spec"].get("claimRef")
    return PvState(
        name=obj["metadata"]["name"].removeprefix(prefix),
        phase=PvPhase(obj["status"]["phase"]),
        claim=owner["name"].removeprefix(prefix) if owner else None,
        deleting="deletionTimestamp" in obj["metadata"],
    )


def _pvc_state(obj: Object, prefix: str) -> PvcState:
    volume = obj["spec"].get("volumeName")
    return PvcState(
        name=obj["metadata"]["name"].removeprefix(prefix),
        phase=PvcPhase(obj["status"]["phase"]),
        volume=volume.removeprefix(prefix) if volume else None,
    )
