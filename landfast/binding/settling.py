"""Waits until the volume controller has looked at everything, without guessing how long it takes.

kube-controller-manager has one worker for PVCs and one for PVs, each with one queue, first in first
out (Kubernetes 1.37, pv_controller_base.go: claimWorker, volumeWorker, enqueueWork), and its
informers pass on the events of one kind in order. So once a *sentinel* that was created last has
been dealt with, everything before it has been. The controller looks at an object again when it
changes (AddEventHandler), or every 15 seconds (resync). Here an annotation changes it, so nothing
waits for the resync. That concerns a PVC that found nothing, and a PV whose PVC was deleted while
they were being bound: only a look releases it (deleteClaim).
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from landfast import timeouts
from landfast.binding.model import Class, Pv, Pvc, PvPhase
from landfast.binding.objects import CASE_LABEL, KINDS, Naming
from landfast.kube import Kube, KubeError, Object
from landfast.kube.default_classes import default_classes
from landfast.parallel import side_by_side
from landfast.waiting import WaitTimeout, wait_until

BATCH_LABEL = "landfast/batch"
_ASKED_TO_PROVISION = "volume.kubernetes.io/storage-provisioner"
_MOST_LOOKS = 50  # far more than any case has changes to go through
_POLL_SECONDS = 0.02
_NEW = ("Pending", None)  # a PV that the controller has not seen; older servers set no phase


@dataclass(frozen=True)
class BatchState:
    """The PVs and PVCs of a batch by name, as the API server has them."""

    pvs: Mapping[str, Object]
    pvcs: Mapping[str, Object]

    @property
    def objects(self) -> list[Object]:
        """Both kinds."""
        return [*self.pvs.values(), *self.pvcs.values()]

    def states(self) -> Mapping[str, frozenset[tuple[object, ...]]]:
        """Return, by case, whatever a look of the controller may change."""
        states: dict[str, set[tuple[object, ...]]] = defaultdict(set)
        for obj in self.objects:
            states[_case(obj)].add(
                (
                    obj["metadata"]["uid"],
                    obj["metadata"].get("deletionTimestamp"),
                    _phase(obj),
                    obj["spec"].get("storageClassName"),
                    *_bond(obj),
                )
            )
        return {case: frozenset(state) for case, state in states.items()}

    def in_motion(self, cases: Container[str]) -> list[Object]:
        """Return the objects of these cases that change without another look.

        Those are PVs that are still Pending, and deleted objects that nothing protects: a PV is
        protected while it is Bound, a PVC only while a pod uses it, and no pod does.
        """
        return [
            obj
            for obj in self.objects
            if _case(obj) in cases
            and (
                (obj["kind"] == KINDS["pv"] and _phase(obj) in _NEW)
                or (
                    "deletionTimestamp" in obj["metadata"]
                    and (obj["kind"] == KINDS["pvc"] or _phase(obj) != PvPhase.BOUND)
                )
            )
        ]

    def unpaired(self, cases: Container[str]) -> list[Object]:
        """Return the objects of these cases that another look might change.

        Those are all but Available PVs, and a PV and a PVC bound to each other.
        """
        pairs = set(map(_bond, self.pvs.values())) & set(map(_bond, self.pvcs.values()))
        return [
            obj
            for obj in self.objects
            if _case(obj) in cases
            and _phase(obj) != PvPhase.AVAILABLE
            and not (_phase(obj) == PvPhase.BOUND and _bond(obj) in pairs)
        ]


def _bond(obj: Object) -> tuple[str | None, str | None]:
    """Return the uid of the PVC and the name of the PV that the object says are bound."""
    if obj["kind"] == KINDS["pv"]:
        return (obj["spec"].get("claimRef") or {}).get("uid"), obj["metadata"]["name"]
    return obj["metadata"]["uid"], obj["spec"].get("volumeName")


def _case(obj: Object) -> str:
    return str(obj["metadata"]["labels"][CASE_LABEL])


def _phase(obj: Object) -> str | None:
    phase: str | None = obj["status"].get("phase")
    return phase


def _described(objects: Sequence[Object]) -> str:
    return ", ".join(
        f"{obj['kind']} {obj['metadata']['name']} {_phase(obj)}"
        f"{', being deleted' if 'deletionTimestamp' in obj['metadata'] else ''}"
        for obj in objects[:5]
    )


class VolumeController:
    """The volume controller at work on one batch.

    `naming` is that of the sentinels: they have the batch's labels, and are removed with it.
    """

    def __init__(self, kube: Kube, naming: Naming) -> None:
        self._kube = kube
        self._naming = naming
        batch = f"{BATCH_LABEL}={naming.labels[BATCH_LABEL]}"
        self._selector = f"{batch},{CASE_LABEL}!={naming.case}"
        self._sentinels = 0

    def settle(self, cases: Iterable[str]) -> BatchState:
        """Wait until another look at these cases changes nothing; return what exists then.

        Raises:
            WaitTimeout: they keep changing; the message says what.
        """
        moving = set(cases)
        self._look([])
        before = self._at_rest(moving)
        for _ in range(_MOST_LOOKS):
            self._look(before.unpaired(moving))
            after = self._at_rest(moving)
            was, now = before.states(), after.states()
            moving = {case for case in moving if was.get(case) != now.get(case)}
            if not moving:
                return after
            before = after
        raise WaitTimeout(
            f"the volume controller has not settled after {_MOST_LOOKS} looks; it still changes "
            + _described(before.unpaired(moving))
        )

    def _at_rest(self, cases: Container[str]) -> BatchState:
        """Wait until what changes without another look has done so; return what exists then."""
        return wait_until(
            "PVs to be seen and unprotected objects to go",
            self.see,
            until=lambda state: not state.in_motion(cases),
            timeout=timeouts.GONE,
            interval=_POLL_SECONDS,
            describe=lambda state: _described(state.in_motion(cases)),
        )

    def look_again(self, objects: Sequence[Object]) -> BatchState:
        """Wait until the controller has looked at new objects and at these; return what exists.

        Raises:
            WaitTimeout: the controller does not work at all.
        """
        self._look(objects)
        return self.see()

    def see(self) -> BatchState:
        """Return the batch's PVs and PVCs."""
        namespace = self._naming.namespace
        pvs = self._kube.list(KINDS["pv"], labels=self._selector)
        pvcs = self._kube.list(KINDS["pvc"], namespace, labels=self._selector)
        return BatchState(
            *({obj["metadata"]["name"]: obj for obj in found} for found in (pvs, pvcs))
        )

    def _look(self, objects: Sequence[Object]) -> None:
        side_by_side(self._touch, objects)
        self._wait_for_sentinels()

    def _touch(self, obj: Object) -> None:
        look = {"metadata": {"annotations": {"landfast/look": str(self._sentinels)}}}
        meta = obj["metadata"]
        try:
            self._kube.patch(obj["kind"], meta["name"], look, meta.get("namespace"))
        except KubeError as error:
            if error.code != 404:  # it was about to go
                raise

    def _wait_for_sentinels(self) -> None:
        """Wait until PVs, classes and PVCs that were created before have been looked at.

        The last PVC finds only a PV that is too small, so the controller asks for a provisioner by
        an annotation: it knows the class, and has reached the end of its queue.
        """
        self._sentinels += 1
        name = f"sentinel-{self._sentinels}"
        self._kube.create(self._naming.object(Class(name)))
        pv = self._naming.object(Pv(name, storage_class=name))
        self._kube.create(pv)
        wait_until(
            "the volume controller to reach the end of its PVs",
            lambda: self._kube.get(pv["kind"], pv["metadata"]["name"])["status"],
            until=lambda status: status.get("phase") == PvPhase.AVAILABLE,
            timeout=timeouts.CONTROLLER_OBSERVES,
            interval=_POLL_SECONDS,
        )
        pvc = self._naming.object(Pvc(name, request=2, storage_class=name))
        self._kube.create(pvc)
        meta = pvc["metadata"]
        wait_until(
            "the volume controller to reach the end of its PVCs",
            lambda: self._kube.get(pvc["kind"], meta["name"], meta["namespace"])["metadata"],
            until=lambda meta: _ASKED_TO_PROVISION in meta.get("annotations", {}),
            timeout=timeouts.CONTROLLER_OBSERVES,
            interval=_POLL_SECONDS,
        )


def wait_for_another_second(kube: Kube, naming: Naming) -> None:
    """Wait until a class created now is newer than every default class.

    A creationTimestamp has whole seconds, and the newest default class is the one that counts.
    """
    newest = next((c["metadata"]["creationTimestamp"] for c in default_classes(kube)), "")
    probe = naming.object(Class("probe"))
    wait_until(
        f"the API server's clock to pass {newest}",
        lambda: kube.create(probe, dry_run=True)["metadata"]["creationTimestamp"],
        until=lambda now: now > newest,
        timeout=timeouts.CONTROLLER_OBSERVES,
        interval=_POLL_SECONDS,
    )


def wait_for_default_class(kube: Kube, naming: Naming) -> None:
    """Wait until the API server's admission plugin knows which default class there is, if any.

    It reads classes from an informer, some time after they were created.
    Source: plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
    """
    default = next((c["metadata"]["name"] for c in default_classes(kube)), None)
    probe = naming.object(Pvc("probe"))
    wait_until(
        f"new PVCs to get {f'the class {default}' if default else 'no class'}",
        lambda: kube.create(probe, dry_run=True)["spec"].get("storageClassName"),
        until=lambda name: name == default,
        timeout=timeouts.CONTROLLER_OBSERVES,
        interval=_POLL_SECONDS,
    )
