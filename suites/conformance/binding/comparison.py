"""The cluster and the oracle on the same binding cases; the smallest case where they differ."""

import logging
from collections.abc import Callable, Iterable

from landfast.binding.model import BindingCase, Expectation, Outcome
from landfast.binding.objects import as_yaml
from landfast.binding.trial import Trial
from landfast.errors import LandfastError
from suites.conformance.binding.generation import BindingCases, shrink

_log = logging.getLogger(__name__)
_BATCH = 100
_TRIES = 40

Oracle = Callable[[BindingCase], Expectation]


class Comparison:
    """What a cluster made of binding cases, compared with what an oracle allows."""

    def __init__(self, trial: Trial, oracle: Oracle) -> None:
        self._trial = trial
        self._oracle = oracle
        self._observed: dict[BindingCase, Outcome] = {}

    def try_all(self, cases: Iterable[BindingCase]) -> None:
        """Try cases on the cluster, side by side unless they create default classes."""
        new = [case for case in dict.fromkeys(cases) if case not in self._observed]
        alone = [[case] for case in new if case.makes_default_class]
        together = [case for case in new if not case.makes_default_class]
        batches = [together[start : start + _BATCH] for start in range(0, len(together), _BATCH)]
        for batch in batches + alone:
            with self._trial.applied(batch) as applied:
                self._observed |= zip(batch, applied.outcomes(), strict=True)

    def agrees(self, case: BindingCase) -> bool:
        """Return whether the oracle allows what the cluster makes of the case, tried once."""
        self.try_all([case])
        return self._observed[case] in self._oracle(case).allowed

    def disagreements(self) -> list[BindingCase]:
        """Return the cases whose outcome the oracle does not allow."""
        return [case for case in self._observed if not self.agrees(case)]

    def smallest(self, cases: BindingCases, count: int, seed: int) -> BindingCase:
        """Return the smallest case found on the cluster that disagrees.

        It ends early if the cluster does not settle or answer: a disagreement was found before.

        Args:
            cases: the strategy from which `count` cases were drawn with `seed`; one disagrees.
            count: how many were drawn.
            seed: what they were drawn with.
        """
        tries = _TRIES

        def agrees(case: BindingCase) -> bool:
            nonlocal tries
            if case not in self._observed:
                if tries == 0:
                    return True
                tries -= 1
            try:
                return self.agrees(case)
            except LandfastError as error:
                _log.warning("no smaller case is looked for: %s", error)
                tries = 0
                return True

        return shrink(cases, count, seed, agrees)

    def describe(self, case: BindingCase) -> str:
        """Return a case as YAML; comments say what the oracle allows and what was observed."""
        expected = self._oracle(case)
        allowed = "\n#   or: ".join("; ".join(show(outcome)) for outcome in expected.allowed)
        why = f" ({expected.undetermined})" if expected.undetermined else ""
        observed = "; ".join(show(self._observed[case]))
        return f"{as_yaml(case)}# allowed{why}:\n#   {allowed}\n# observed:\n#   {observed}"


def show(outcome: Outcome) -> list[str]:
    """Return how a binding case ended, in words."""
    states = [
        *(f"{r.kind} {r.name} refused: {r.field}" for r in sorted(outcome.refused)),
        *sorted(
            f"PV {pv.name}: {pv.phase}{f' to {pv.claim_ref}' if pv.claim_ref else ''}"
            f"{', being deleted' if pv.deleting else ''}"
            for pv in outcome.pvs
        ),
        *sorted(
            f"PVC {pvc.name}: {pvc.phase}{f' to {pvc.volume}' if pvc.volume else ''}"
            for pvc in outcome.pvcs
        ),
    ]
    return states or ["no PV and no PVC is left"]
