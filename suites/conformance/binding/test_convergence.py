"""The controller is killed while it binds: in the end every PVC still has one PV of its own."""

from collections import Counter
from functools import partial

import pytest

from fixtures.schedule import Alone
from landfast import timeouts
from landfast.binding.model import BindingCase, Pv, Pvc, PvcPhase
from landfast.binding.settling import BatchState
from landfast.binding.trial import Batch, Trial
from landfast.faults.programs import Program
from landfast.steps import Steps
from landfast.verdict import Unknown
from landfast.waiting import wait_until
from suites.conformance.binding.table import change

PVCS = 200
KILLED_AT = (10, 60, 110, 160)  # Bound PVCs
_NAMES = [f"{number:03}" for number in range(PVCS)]
CASE = BindingCase.of(
    [Pv(f"v{name}", storage_class="x") for name in _NAMES],
    [Pvc(f"c{name}", storage_class="x") for name in _NAMES],
)
TWIN = change(f"c{_NAMES[-1]}", request=2)(CASE)


@pytest.mark.claim("binding.killed-controller-binds-each-claim-once")
def test_killed_controller_binds_each_pvc_once(
    controller_manager: Program, trial: Trial, test: Steps, alone: Alone, sabotaged: bool
) -> None:
    with trial.batch([TWIN if sabotaged else CASE]) as batch:
        with test.step(f"create {PVCS} PVs"):
            batch.send(0)
            batch.settle(0)
        with alone():
            kill_amid(batch, controller_manager, test)
        problems = misbound(batch.seen)
        test.observe(f"{bound(batch.seen)} of {PVCS} PVCs Bound; problems: {problems or 'none'}")
        assert not problems, "; ".join(problems[:5])


def kill_amid(batch: Batch, controller_manager: Program, test: Steps) -> None:
    """Create the PVCs, kill the controller again and again while it binds them, and wait."""
    with test.step(f"create {PVCS} PVCs"):
        batch.send(1)
    for kills, count in enumerate(KILLED_AT):
        # that binding goes on after a kill is part of the claim; that it starts is not
        go_on = test.verify if kills else test.step
        with go_on(f"wait until {count} PVCs are Bound, after {kills} kills"):
            seen = wait_until(
                f"{count} PVCs to be Bound",
                batch.look,
                until=partial(at_least, count),
                timeout=timeouts.CONTROLLER_OBSERVES,
                interval=0.05,
                describe=lambda seen: f"{bound(seen)} are",
            )
        with test.step("kill kube-controller-manager"):
            killed = controller_manager.find()
            if killed is None or bound(seen) == PVCS:
                raise Unknown("the controller did not run, or had already bound every PVC")
            controller_manager.kill(killed.pid)
            controller_manager.start_soon()
            successor = controller_manager.wait(other_than=killed.pid)
        test.observe(f"with {bound(seen)} PVCs Bound, {killed} was killed; then {successor}")
    with test.verify("wait until everything is settled"):
        batch.settle(1)


def at_least(count: int, seen: BatchState) -> bool:
    return bound(seen) >= count


def bound(seen: BatchState) -> int:
    return sum(pvc["status"].get("phase") == PvcPhase.BOUND for pvc in seen.pvcs.values())


def misbound(seen: BatchState) -> list[str]:
    """Return a sentence for every PVC that is not Bound to a PV which is bound to it alone."""
    found = []
    owners = {n: (pv["spec"].get("claimRef") or {}).get("uid") for n, pv in seen.pvs.items()}
    pvcs_of = Counter(pvc["spec"].get("volumeName") for pvc in seen.pvcs.values())
    for name, pvc in seen.pvcs.items():
        phase, volume = pvc["status"].get("phase"), pvc["spec"].get("volumeName")
        if phase != PvcPhase.BOUND:
            found.append(f"PVC {name} is {phase}")
        elif pvcs_of[volume] > 1:
            found.append(f"PV {volume} has {pvcs_of[volume]} PVCs, {name} among them")
        elif (uid := owners[volume]) != pvc["metadata"]["uid"]:
            found.append(f"PVC {name} has PV {volume}, which is bound to a PVC with the uid {uid}")
    return found
