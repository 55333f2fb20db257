"""Waits until the controller has looked at everything, without a guess at how long that takes.

kube-controller-manager has one worker for claims and one for volumes, each with one queue, first
in first out (Kubernetes 1.37, pv_controller_base.go: claimWorker, volumeWorker, enqueueWork), and
informers that hand on the events of one kind in their order. So when a *sentinel* that was made
last has been dealt with, everything before it has been. What is once done with is looked at again
when it changes (AddEventHandler), or every 15 seconds (resync): here it is changed, by an
annotation, and nothing waits for the resync. That goes for a claim that found nothing, and for a
volume whose claim was deleted while they were being bound: only a look releases it (deleteClaim).
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from landfast.binding.model import Class, Pv, Pvc, PvPhase
from landfast.binding.objects import KINDS, SCENARIO_LABEL, Naming
from landfast.kube import Kube, KubeError
from landfast.kube.client import Object
from landfast.kube.default_classes import default_classes
from landfast.waiting import wait_until

T = TypeVar("T")

BATCH_LABEL = "landfast/batch"
_ASKED_TO_PROVISION = "volume.kubernetes.io/storage-provisioner"
_SETTLE_SECONDS = 120
_BARRIER_SECONDS = 60
_POLL_SECONDS = 0.02
_THREADS = 8
_NEW = ("Pending", None)  # a volume that the controller has not seen; older servers give no phase


@dataclass(frozen=True)
class Seen:
    """The volumes and claims of a batch by name, as the API server has them."""

    pvs: Mapping[str, Object]
    pvcs: Mapping[str, Object]

    def states(self) -> Mapping[str, frozenset[tuple[object, ...]]]:
        """Give by scenario what a look of the controller may change."""
        states: dict[str, set[tuple[object, ...]]] = defaultdict(set)
        for obj in (*self.pvs.values(), *self.pvcs.values()):
            states[_scenario(obj)].add(
                (
                    obj["metadata"]["uid"],
                    obj["metadata"].get("deletionTimestamp"),
                    _phase(obj),
                    obj["spec"].get("storageClassName"),
                    *_bond(obj),
                )
            )
        return {scenario: frozenset(state) for scenario, state in states.items()}

    def in_motion(self) -> set[str]:
        """Give scenarios with a volume that is still Pending, or something deleted that is free.

        A volume is protected as long as it is Bound; no claim is without a pod that uses it.
        """
        new = [pv for pv in self.pvs.values() if _phase(pv) in _NEW]
        going = [
            obj
            for obj in (*self.pvs.values(), *self.pvcs.values())
            if "deletionTimestamp" in obj["metadata"]
            and (obj["kind"] == KINDS["pvc"] or _phase(obj) != PvPhase.BOUND)
        ]
        return {_scenario(obj) for obj in new + going}

    def unpaired(self, scenarios: Container[str]) -> list[Object]:
        """Give the volumes and claims of these scenarios that another look might change.

        That is all but volumes which are Available, and a volume and a claim bound to each other.
        """
        pairs = set(map(_bond, self.pvs.values())) & set(map(_bond, self.pvcs.values()))
        return [
            obj
            for obj in (*self.pvs.values(), *self.pvcs.values())
            if _scenario(obj) in scenarios
            and _phase(obj) != PvPhase.AVAILABLE
            and not (_phase(obj) == PvPhase.BOUND and _bond(obj) in pairs)
        ]


def _bond(obj: Object) -> tuple[str | None, str | None]:
    """Give the uid of the claim and the name of the volume that, by the object, are bound."""
    if obj["kind"] == KINDS["pv"]:
        return (obj["spec"].get("claimRef") or {}).get("uid"), obj["metadata"]["name"]
    return obj["metadata"]["uid"], obj["spec"].get("volumeName")


def _scenario(obj: Object) -> str:
    return str(obj["metadata"]["labels"][SCENARIO_LABEL])


def _phase(obj: Object) -> str | None:
    phase: str | None = obj["status"].get("phase")
    return phase


def _said(obj: Object) -> str:
    deleted = ", being deleted" if "deletionTimestamp" in obj["metadata"] else ""
    return f"{obj['kind']} {obj['metadata']['name']} {_phase(obj)}{deleted}"


class Controller:
    """The controller at work on one batch.

    `naming` is that of the sentinels: they have the batch's labels, and are removed with it.
    """

    def __init__(self, kube: Kube, naming: Naming) -> None:
        self._kube = kube
        self._naming = naming
        batch = f"{BATCH_LABEL}={naming.labels[BATCH_LABEL]}"
        self._selector = f"{batch},{SCENARIO_LABEL}!={naming.scenario}"
        self._sentinels = 0

    def settle(self, scenarios: Iterable[str]) -> Seen:
        """Wait until another look at these scenarios changes nothing, and give what there is then.

        Raises:
            WaitTimeout: it goes on changing; the message says what.
        """
        seen, moving = self.look_again([]), set(scenarios)

        def still_moving() -> list[Object]:
            nonlocal seen, moving
            before, seen = seen, self.look_again(seen.unpaired(moving))
            was, now, in_motion = before.states(), seen.states(), seen.in_motion()
            moving = {s for s in moving if was.get(s) != now.get(s) or s in in_motion}
            return seen.unpaired(moving)

        wait_until(
            "the volume controller to settle",
            still_moving,
            until=lambda _: not moving,
            timeout=_SETTLE_SECONDS,
            interval=0,
            describe=lambda objects: ", ".join(map(_said, objects[:5])),
        )
        return seen

    def look_again(self, objects: Sequence[Object]) -> Seen:
        """Wait until what is new and these objects have been looked at; give what there is then.

        Raises:
            WaitTimeout: the controller does not work at all.
        """
        in_threads(self._touch, objects)
        self._wait_for_sentinels()
        return self.see()

    def see(self) -> Seen:
        """Give the batch's volumes and claims."""
        namespace = self._naming.namespace
        pvs = self._kube.list("PersistentVolume", labels=self._selector)
        pvcs = self._kube.list("PersistentVolumeClaim", namespace, labels=self._selector)
        return Seen(*({obj["metadata"]["name"]: obj for obj in found} for found in (pvs, pvcs)))

    def _touch(self, obj: Object) -> None:
        look = {"metadata": {"annotations": {"landfast/look": str(self._sentinels)}}}
        meta = obj["metadata"]
        try:
            self._kube.patch(obj["kind"], meta["name"], look, meta.get("namespace"))
        except KubeError as error:
            if error.code != 404:  # it was on its way out
                raise

    def _wait_for_sentinels(self) -> None:
        """Wait until volumes, classes and claims that were made before have been looked at.

        The last claim finds only a volume that is too small, so that a provisioner is asked for one
        by an annotation: the controller knows the class, and has come to the end of its queue.
        """
        self._sentinels += 1
        name = f"sentinel-{self._sentinels}"
        self._kube.create(self._naming.object(Class(name)))
        pv = self._kube.create(self._naming.object(Pv(name, storage_class=name)))
        wait_until(
            "the controller to come to the end of its volumes",
            lambda: self._kube.get("PersistentVolume", pv["metadata"]["name"])["status"],
            until=lambda status: status.get("phase") == PvPhase.AVAILABLE,
            timeout=_BARRIER_SECONDS,
            interval=_POLL_SECONDS,
        )
        pvc = self._naming.object(Pvc(name, request=2, storage_class=name))
        self._kube.create(pvc)
        meta = pvc["metadata"]
        wait_until(
            "the controller to come to the end of its claims",
            lambda: self._kube.get(pvc["kind"], meta["name"], meta["namespace"])["metadata"],
            until=lambda meta: _ASKED_TO_PROVISION in meta.get("annotations", {}),
            timeout=_BARRIER_SECONDS,
            interval=_POLL_SECONDS,
        )


def wait_for_another_second(kube: Kube, naming: Naming) -> None:
    """Wait until a class that is made now is newer than any default class.

    A creationTimestamp has whole seconds, and the newest default class is the one that counts.
    """
    newest = next((c["metadata"]["creationTimestamp"] for c in default_classes(kube)), "")
    probe = naming.object(Class("probe"))
    wait_until(
        f"the API server's clock to leave {newest}",
        lambda: kube.create(probe, dry_run=True)["metadata"]["creationTimestamp"],
        until=lambda now: now > newest,
        timeout=_BARRIER_SECONDS,
        interval=_POLL_SECONDS,
    )


def wait_for_default_class(kube: Kube, naming: Naming) -> None:
    """Wait until the API server's admission plugin knows the default class, or that there is none.

    It reads classes from an informer, some time after they were made.
    Source: plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
    """
    default = next((c["metadata"]["name"] for c in default_classes(kube)), None)
    probe = naming.object(Pvc("probe"))
    wait_until(
        f"claims to be given the class {default}",
        lambda: kube.create(probe, dry_run=True)["spec"].get("storageClassName"),
        until=lambda given: given == default,
        timeout=_BARRIER_SECONDS,
        interval=_POLL_SECONDS,
    )


def in_threads(do: Callable[[T], object], items: Sequence[T]) -> None:
    """Do something to every item, some at a time; the first error is raised when all have ended."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(do, items):
            pass
