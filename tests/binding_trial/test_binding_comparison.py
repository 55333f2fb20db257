"""A cluster that breaks a rule is noticed; the message has the smallest case that shows it."""

import contextlib
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from landfast.binding.model import BindingCase, Outcome
from landfast.binding.oracle import expect
from landfast.binding.settling import BatchState
from landfast.kube import Object
from landfast.waiting import WaitTimeout
from suites.conformance.binding.cases import cases, default_class_cases
from suites.conformance.binding.comparison import Comparison, Oracle
from suites.conformance.binding.generation import draw
from suites.conformance.binding.sabotage import default_blind, size_blind
from suites.conformance.binding.test_convergence import misbound


class Cluster:
    """Ends every case as an oracle allows; `batches` has the sizes of what was tried together."""

    def __init__(self, oracle: Oracle = expect) -> None:
        self.oracle = oracle
        self.batches: list[int] = []

    @contextlib.contextmanager
    def applied(self, tried: Sequence[BindingCase]) -> Iterator[Any]:
        self.batches.append(len(tried))
        yield SimpleNamespace(outcomes=lambda: [self.outcome(case) for case in tried])

    def outcome(self, case: BindingCase) -> Outcome:
        return min(self.oracle(case).allowed, key=str)


def compare(cluster: Any, oracle: Oracle = expect) -> Comparison:
    return Comparison(cluster, oracle)


def test_a_cluster_that_follows_the_rules_agrees() -> None:
    comparison = compare(Cluster())
    comparison.try_all(draw(cases(), 40, seed=7))
    assert comparison.disagreements() == []


@pytest.mark.parametrize(
    ("blind", "strategy"), [(size_blind, cases()), (default_blind, default_class_cases())]
)
def test_a_blind_oracle_disagrees_with_a_good_cluster(blind: Oracle, strategy: Any) -> None:
    comparison = compare(Cluster(), blind)
    comparison.try_all(draw(strategy, 10, seed=7))
    assert comparison.disagreements()


def test_the_smallest_case_that_disagrees_is_described() -> None:
    comparison = compare(Cluster(size_blind))
    comparison.try_all(draw(cases(), 40, seed=7))
    wrong = comparison.disagreements()
    smallest = comparison.smallest(cases(), 40, 7)
    assert not comparison.agrees(smallest)
    assert len(list(smallest.objects())) <= min(len(list(case.objects())) for case in wrong)
    text = comparison.describe(smallest)
    assert "# allowed" in text
    assert "# observed:\n#   PV" in text


def test_a_disagreement_stands_if_the_cluster_stops_answering() -> None:
    cluster = Cluster(size_blind)
    comparison = compare(cluster)
    comparison.try_all(draw(cases(), 40, seed=7))
    tried = len(cluster.batches)

    def stopped(_case: BindingCase) -> Outcome:
        raise WaitTimeout("the controller does not settle")

    cluster.outcome = stopped  # type: ignore[assignment,method-assign]
    assert comparison.smallest(cases(), 40, 7) in comparison.disagreements()
    assert len(cluster.batches) == tried + 1, "it went on asking"


def test_cases_with_default_classes_are_tried_alone_and_none_twice() -> None:
    drawn = draw(default_class_cases(), 10, seed=7)
    alone = sum(case.makes_default_class for case in drawn)
    cluster = Cluster()
    comparison = compare(cluster)
    for _ in range(2):
        comparison.try_all(drawn)
    assert cluster.batches == [10 - alone, *[1] * alone]


def bound_pair(pvc: str, pv: str, *, uid: str = "") -> tuple[Object, Object]:
    owner = {"metadata": {"uid": pvc}, "spec": {"volumeName": pv}, "status": {"phase": "Bound"}}
    return {"spec": {"claimRef": {"uid": uid or pvc}}}, owner


def test_a_pvc_without_a_pv_of_its_own_is_misbound() -> None:
    v, c = bound_pair("c", "v")
    assert misbound(BatchState({"v": v}, {"c": c})) == []
    _, d = bound_pair("d", "v")
    assert misbound(BatchState({"v": v}, {"c": c, "d": d})) == [
        "PV v has 2 PVCs, c among them",
        "PV v has 2 PVCs, d among them",
    ]
    v, c = bound_pair("c", "v", uid="gone")
    assert misbound(BatchState({"v": v}, {"c": c})) == [
        "PVC c has PV v, which is bound to a PVC with the uid gone"
    ]
    assert misbound(BatchState({}, {"c": {**c, "status": {"phase": "Lost"}}})) == ["PVC c is Lost"]
