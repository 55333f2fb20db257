"""What the tests of a run told of themselves, by test: cleaned of what a report must not hold."""

from collections.abc import Iterable
from typing import Any

from landfast.journal import Event, Evidence, MatrixCell, Observation, Step, SurvivalShown
from landfast.survival.model import Survival
from reports.text import clean


class Told:
    """What tests told; of cells and survivals, the last one counts."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.steps: dict[str, list[Step]] = {}
        self.observations: dict[str, list[Observation]] = {}
        self.evidence: dict[str, list[Evidence]] = {}
        self.cells: dict[str, MatrixCell] = {}
        self.survivals: dict[str, Survival] = {}
        for event in events:
            match event:
                case Step():
                    self.steps.setdefault(event.test, []).append(event)
                case Observation():
                    self.observations.setdefault(event.test, []).append(event)
                case Evidence():
                    self.evidence.setdefault(event.test, []).append(event)
                case MatrixCell():
                    self.cells[event.test] = event
                case SurvivalShown():
                    self.survivals[event.test] = clean_survival(event.survival)


def clean_survival(survival: Survival) -> Survival:
    """Give the survival with every text in it cleaned."""
    return Survival.model_validate(_clean_all(survival.model_dump(mode="json")))


def _clean_all(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {key: _clean_all(found) for key, found in value.items()}
        case list():
            return [_clean_all(found) for found in value]
    return value
