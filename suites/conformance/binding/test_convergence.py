"""The controller is killed in the middle of binding: in the end every claim has one volume."""

from collections import Counter
from functools import partial

import pytest

from fixtures.verdicts import Judgement
from landfast.binding.model import Create, Pv, Pvc, PvcPhase, Scenario
from landfast.binding.settling import Seen
from landfast.binding.trial import Trial
from landfast.environment import Environment
from landfast.verdict import Unknown
from landfast.waiting import wait_until
from suites.conformance.binding.controller_manager import controller_manager

CLAIMS = 200
KILLED_AT = (10, 60, 110, 160)  # Bound claims
_BIND_SECONDS = 60
_NAMES = [f"{number:03}" for number in range(CLAIMS)]
SCENARIO = Scenario(
    (
        tuple(Create(Pv(name, storage_class="x")) for name in _NAMES),
        tuple(Create(Pvc(name, storage_class="x")) for name in _NAMES),
    )
)


@pytest.mark.exclusive
@pytest.mark.claim("binding.killed-controller-binds-each-claim-once")
def test_killed_controller_binds_each_claim_once(
    env: Environment, trial: Trial, judgement: Judgement
) -> None:
    step, observe = judgement.steps.step, judgement.steps.observe
    manager = controller_manager(env)
    with trial.batch([SCENARIO]) as batch:
        with step(f"create {CLAIMS} volumes, then {CLAIMS} claims"):
            batch.send(0)
            batch.settle(0)
            batch.send(1)
        for count in KILLED_AT:
            with step(f"kill kube-controller-manager when {count} claims are Bound"):
                seen = wait_until(
                    f"{count} claims to be Bound",
                    batch.look,
                    until=partial(at_least, count),
                    timeout=_BIND_SECONDS,
                    interval=0.05,
                    describe=lambda seen: f"{bound(seen)} are",
                )
                killed, successor = manager.kill()
            if bound(seen) == CLAIMS:
                raise Unknown(f"every claim was Bound before {count} were seen to be")
            observe(
                f"with {bound(seen)} Bound, process {killed} killed; {successor} took its place"
            )
        with step("wait until all is settled"):
            batch.settle(1)
        problems = misbound(batch.seen)
        observe(f"{bound(batch.seen)} of {CLAIMS} claims Bound; problems: {problems or 'none'}")
        assert not problems, "; ".join(problems[:5])


def at_least(count: int, seen: Seen) -> bool:
    """Whether so many claims are Bound."""
    return bound(seen) >= count


def bound(seen: Seen) -> int:
    """Count the claims that are Bound."""
    return sum(pvc["status"].get("phase") == PvcPhase.BOUND for pvc in seen.pvcs.values())


def misbound(seen: Seen) -> list[str]:
    """Say of every claim that is not Bound to a volume which is bound to it and to no other."""
    found = []
    volumes = Counter(pvc["spec"].get("volumeName") for pvc in seen.pvcs.values())
    for name, pvc in seen.pvcs.items():
        phase, volume = pvc["status"].get("phase"), pvc["spec"].get("volumeName")
        if phase != PvcPhase.BOUND:
            found.append(f"claim {name} is {phase}")
        elif volumes[volume] > 1:
            found.append(f"volume {volume} has {volumes[volume]} claims, {name} among them")
        elif (uid := owner_uid(seen, volume)) != pvc["metadata"]["uid"]:
            found.append(f"claim {name} has volume {volume}, which has a claim of uid {uid}")
    return found


def owner_uid(seen: Seen, volume: str) -> str | None:
    """Give the uid of the claim that a volume is bound to."""
    claim: dict[str, str] = seen.pvs[volume]["spec"].get("claimRef") or {}
    return claim.get("uid")
