"""Every fault that there is, and every scenario of the chaos suite, held against each other."""

import inspect
import re
from collections import Counter
from typing import get_args

import pytest

from landfast import faults, timeouts
from landfast.faults.base import FAULTS, Fault, Lasting
from landfast.faults.clone import NodeCloned
from landfast.faults.lease import NfsLeaseOver
from landfast.faults.network import NfsLoss, NfsOneWay, NfsPortDropped, NfsReset
from landfast.faults.nfs_server import NfsFreeze, NfsMoved
from landfast.faults.nodes import NodePause, NodePauseEvicted
from landfast.nfs.server import LEASE_SECONDS
from landfast.results import Tier
from landfast.survival.scenario import Scenario
from suites.chaos import scenarios
from suites.chaos.sabotage import EARLY, SABOTAGES, UNJUDGED, without_injection

faults.load()
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MOST_SECONDS = 180  # one scenario by name, on two cores
ALL = sorted(FAULTS.values(), key=lambda fault: fault.name)
SCENARIOS = [
    row
    for value in vars(scenarios).values()
    if isinstance(value, list)
    for row in value
    if isinstance(row, Scenario)
]

each_fault = pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
each_scenario = pytest.mark.parametrize("row", SCENARIOS, ids=lambda row: row.name)


def test_there_are_as_many_faults_as_promised() -> None:
    assert len(FAULTS) >= 25


@each_fault
def test_a_fault_has_a_name_and_says_what_it_breaks(fault: type[Fault]) -> None:
    assert KEBAB.fullmatch(fault.name)
    assert FAULTS[fault.name] is fault
    assert fault.text.strip() == fault.text
    assert len(fault.text) > 8
    assert not fault.text.endswith(".")
    assert not inspect.isabstract(fault)


def test_no_two_faults_read_alike() -> None:
    assert [text for text, n in Counter(fault.text for fault in ALL).items() if n > 1] == []


@each_fault
def test_a_sabotaged_fault_injects_nothing(fault: type[Fault]) -> None:
    twin = without_injection(fault)
    assert issubclass(twin, fault)
    assert twin.name == fault.name  # so that it is healed by its journal, too
    assert twin.prove_effect is fault.prove_effect
    assert twin.heal is fault.heal
    blank = object.__new__(twin)  # it has not even a site
    blank.inject()
    assert FAULTS[fault.name] is fault


@each_fault
def test_a_fault_can_be_made_again_from_its_aim(fault: type[Fault]) -> None:
    aim = {"node": "n", "killed": "1", "replicas": "1", "kept": "x"}
    assert fault(None, aim).aim == aim  # type: ignore[arg-type]


@each_fault
def test_a_fault_is_used_by_a_scenario(fault: type[Fault]) -> None:
    assert [row.name for row in SCENARIOS if row.fault is fault]


@each_scenario
def test_a_scenario_holds_together(row: Scenario) -> None:
    assert KEBAB.fullmatch(row.name)
    assert row.fault is FAULTS[row.fault.name]
    assert 0 <= row.hold < row.seconds <= MOST_SECONDS
    if not row.expected.during:
        assert row.hold < row.expected.gap, "the fault lasts longer than clients may wait"
    assert row.summary().name == row.name
    assert "MUST" in row.claim


def test_clients_and_server_lose_each_other_for_less_than_a_lease_unless_that_is_the_subject() -> (
    None
):
    parting = (NfsFreeze, NfsMoved, NfsLoss, NfsOneWay, NfsPortDropped, NfsReset, NodePause)
    longer = {
        row.name
        for row in SCENARIOS
        if issubclass(row.fault, parting)
        if row.hold + timeouts.EFFECT >= LEASE_SECONDS or row.fault is NfsLeaseOver
    }
    # an evicted pod is replaced, whatever became of its lease
    assert longer - {NodePauseEvicted.name} == {NfsLeaseOver.name}
    ends = {row.name for row in SCENARIOS if row.expected.ends}
    assert ends == {NfsLeaseOver.name, NodeCloned.name, "soft-mount-frozen-server"}


def test_names_of_scenarios_are_unique() -> None:
    names = Counter(row.name for row in SCENARIOS)
    assert [name for name, n in names.items() if n > 1] == []


def test_every_tier_has_a_scenario_that_is_no_control() -> None:
    assert {row.tier for row in scenarios.SCENARIOS} >= set(get_args(Tier))
    assert not any(row.control for row in scenarios.SCENARIOS)


def test_every_fault_that_lasts_is_ended_in_its_hold_by_a_sabotage() -> None:
    lasting = {f"chaos.{row.name}" for row in SCENARIOS if issubclass(row.fault, Lasting)}
    assert set(EARLY) == lasting
    assert {row.fault for row in SCENARIOS if row.hold} == {
        fault for fault in ALL if issubclass(fault, Lasting)
    }
    assert lasting <= UNJUDGED & set(SABOTAGES)
