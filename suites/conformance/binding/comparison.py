"""The cluster and the oracle on the same scenarios; where they differ, the smallest that does."""

from collections.abc import Iterable

from landfast.binding.model import Outcome, Scenario
from landfast.binding.objects import as_yaml, makes_default_class
from landfast.binding.oracle import expect
from landfast.binding.trial import Trial
from suites.conformance.binding.generation import Scenarios, shrink
from suites.conformance.binding.show import show

_BATCH = 100
_TRIES = 40


class Comparison:
    """What a cluster made of scenarios, beside what the oracle allows."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._observed: dict[Scenario, Outcome] = {}

    def try_all(self, scenarios: Iterable[Scenario]) -> None:
        """Try scenarios on the cluster, side by side where a default class is not in the way."""
        new = [scenario for scenario in dict.fromkeys(scenarios) if scenario not in self._observed]
        alone = [[scenario] for scenario in new if makes_default_class(scenario)]
        together = [scenario for scenario in new if not makes_default_class(scenario)]
        batches = [together[start : start + _BATCH] for start in range(0, len(together), _BATCH)]
        for batch in batches + alone:
            with self._trial.applied(batch) as applied:
                self._observed |= zip(batch, applied.outcomes(), strict=True)

    def agrees(self, scenario: Scenario) -> bool:
        """Whether the oracle allows what the cluster makes of the scenario, tried once."""
        self.try_all([scenario])
        return self._observed[scenario] in expect(scenario).allowed

    def disagreements(self) -> list[Scenario]:
        """Give the scenarios whose outcome the oracle does not allow."""
        return [scenario for scenario in self._observed if not self.agrees(scenario)]

    def smallest(self, scenarios: Scenarios, count: int, seed: int) -> Scenario:
        """Give the smallest scenario found on the cluster that disagrees.

        Args:
            scenarios: the strategy from which `count` were drawn with `seed`; one disagrees.
            count: how many were drawn.
            seed: what they were drawn with.
        """
        tries = _TRIES

        def agrees(scenario: Scenario) -> bool:
            nonlocal tries
            if scenario not in self._observed:
                if tries == 0:
                    return True
                tries -= 1
            return self.agrees(scenario)

        return shrink(scenarios, count, seed, agrees)

    def describe(self, scenario: Scenario) -> str:
        """Give a scenario as YAML; what the oracle allows and what was observed are comments."""
        expected = expect(scenario)
        allowed = "\n#   or: ".join("; ".join(show(outcome)) for outcome in expected.allowed)
        why = f" ({expected.undetermined})" if expected.undetermined else ""
        observed = "; ".join(show(self._observed[scenario]))
        return f"{as_yaml(scenario)}# allowed{why}:\n#   {allowed}\n# observed:\n#   {observed}"
