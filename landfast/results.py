"""The results of one scenario as values: the journal holds them, the report draws them. Pure.

Times are seconds since the workload began, unless stated otherwise.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from landfast.verdict import Verdict

Tier = Literal["L1", "L2", "L3", "L4", "L5", "L6", "L7"]
"""The crash tiers: L1 pod delete, L2 mysqld killed, L3 node power-off, L4 NFS server crash,
L5 NFS server power loss, L6 partition during commit, L7 outage longer than lease and eviction."""
Interval = Literal["before", "during", "after"]
"""When something happened, as seen from the fault."""
Table = Literal["insert", "transfer", "register"]
"""What an operation that writes does; each kind has a table of its own."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Marks(_Value):
    """When a fault reached each stage; None: it did not reach it."""

    injected: float = Field(description="the injection began")
    proven: float | None = Field(None, description="its effect was proven")
    healed: float | None = Field(None, description="it was proven to be healed")
    ended: float = Field(description="the workload was stopped")


class LostRun(_Value):
    """Consecutive acknowledged operations of one writer that are no longer there."""

    kind: Table
    writer: int
    first: int
    last: int
    acknowledged_from: float = Field(description="when the first of them was acknowledged")
    acknowledged_to: float


class LedgerCounts(_Value):
    """The number of operations by what became of them."""

    attempted: int
    acknowledged: int
    failed: int = Field(description="refused for certain")
    uncertain: int = Field(description="ended in an error, or not at all: may or may not be there")
    stable: int = Field(description="acknowledged, and there")
    lost: int = Field(description="acknowledged, and not there")
    recovered: int = Field(description="uncertain, and there")
    never_read: int = Field(description="uncertain, and not there: no loss")
    unexpected: int = Field(description="there, but never attempted, or refused for certain")
    duplicate: int = Field(description="there more than once")
    torn: int = Field(description="an invariant of the transfers or of a row's content is broken")


class IntervalLosses(_Value):
    """How many operations were acknowledged in an interval, and how many of them are lost."""

    interval: Interval
    acknowledged: int
    lost: int


class LedgerCheck(_Value):
    """The checker's verdict on the data."""

    verdict: Verdict
    reasons: tuple[str, ...] = Field(description="why it is not PASS; empty for PASS")
    counts: LedgerCounts
    lost: tuple[LostRun, ...]
    by_interval: tuple[IntervalLosses, ...]


class Latency(_Value):
    """Latency of acknowledged operations in one interval, in milliseconds; None: there were none.

    An operation belongs to the interval in which it was acknowledged.
    """

    interval: Interval
    acknowledged: int
    errors: int
    rate: float = Field(description="acknowledged operations a second")
    p50: float | None
    p99: float | None
    p999: float | None
    worst: float | None


class Bin(_Value):
    """A slice of the timeline."""

    acknowledged: int
    errors: int
    p50: float | None = Field(description="ms, of operations acknowledged in it")
    worst: float | None = Field(description="ms")


class Availability(_Value):
    """How long the database was unavailable, as its clients saw it."""

    gap: float = Field(description="longest time without an acknowledgement, seconds")
    gap_from: float = Field(description="when it began")
    gaps: int = Field(description="how many times of a second or more had no acknowledgement")
    errors: int = Field(description="operations and connections that ended in an error")
    rto_first: float | None = Field(
        description="seconds from injection to the first acknowledged write after the outage; "
        "0: there was no outage; None: none came"
    )
    rto_steady: float | None = Field(
        description="seconds from injection until 80 % of the rate before was reached again; "
        "None: it was not reached"
    )
    intervals: tuple[Latency, ...]
    bin_seconds: float
    bins: tuple[Bin, ...]


class Span(_Value):
    """A state, and how long something was in it."""

    start: float
    end: float
    state: str
    good: bool


class Lane(_Value):
    """The states of one thing around the workload: a pod, a node, a PV."""

    name: str
    spans: tuple[Span, ...]


class Happening(_Value):
    """An event of the cluster."""

    at: float
    text: str


class NfsClientStats(_Value):
    """What the kit's NFS client of one node counted, since it first mounted the server."""

    node: str
    version: str = Field(description="of the protocol, as negotiated")
    options: str = Field(description="of the mount")
    requests: int
    retransmits: int = Field(description="requests sent again on a new connection")
    reconnects: int
    recoveries: int = Field(description="of a session, a lease, or state after a server's restart")
    locks_held: int
    locks_lost: int
    lease_seconds: int

    def __str__(self) -> str:
        return (
            f"NFSv{self.version} on {self.node} ({self.options}): {self.requests:,} requests, "
            f"retransmits {self.retransmits:,}, reconnects {self.reconnects}, recoveries "
            f"{self.recoveries}, locks held {self.locks_held}, locks lost {self.locks_lost}, "
            f"lease {self.lease_seconds} s"
        )


class ScenarioSummary(_Value):
    """A scenario as the journal holds it: what is broken, and what is expected."""

    name: str
    fault: str
    tier: Tier | None = None
    text: str = Field(description="what is broken, in words")
    expected: str = Field(description="the expected result, in words")
    hold: float = Field(description="seconds that the fault stays once its effect is proven")
    control: bool = Field(
        False, description="a negative control: losses are expected, to show that they are found"
    )


class BudgetPhase(_Value):
    """A part of the time between injection and first acknowledged write."""

    name: str
    seconds: float = Field(description="measured")
    predicted: float | None = Field(description="seconds; None: nothing predicts it")
    basis: str = Field(description="what the prediction rests on, in words")
    shorten: str = Field(description="the setting that shortens it; empty: none does")


class Budget(_Value):
    """Where the seconds of a failover went: its phases, one after the other, without a gap."""

    phases: tuple[BudgetPhase, ...]
    unseen: tuple[str, ...] = Field(description="what was not seen, so that phases are merged")

    @property
    def seconds(self) -> float:
        """The seconds from the injection to the first acknowledged write."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def predicted(self) -> float:
        """The seconds that the predictions add up to, without those of `unpredicted`."""
        return sum(phase.predicted or 0.0 for phase in self.phases)

    @property
    def unpredicted(self) -> tuple[str, ...]:
        """The phases that nothing predicts."""
        return tuple(phase.name for phase in self.phases if phase.predicted is None)

    @property
    def longest(self) -> BudgetPhase | None:
        """The longest phase that a setting shortens; None: no setting does."""
        settable = (phase for phase in self.phases if phase.shorten)
        return max(settable, key=lambda phase: phase.seconds, default=None)

    def __str__(self) -> str:
        phases = ", ".join(f"{phase.name} {phase.seconds:.1f} s" for phase in self.phases)
        return f"failover in {self.seconds:.1f} s, {self.predicted:.1f} s predicted: {phases}"


class Crew(_Value):
    """The ledger's writers in pods."""

    writers: int
    nodes: tuple[str, ...] = Field(description="of each pod")
    clock_error: float = Field(
        description="by how many seconds times of the ledger may be off at most"
    )

    def __str__(self) -> str:
        nodes = ", ".join(sorted(set(self.nodes)))
        return (
            f"{self.writers} writers in {len(self.nodes)} pods on {nodes}; times of the ledger "
            f"are known to ± {self.clock_error:.3f} s"
        )


class Survival(_Value):
    """Everything that one scenario showed."""

    scenario: ScenarioSummary
    verdict: Verdict
    reasons: tuple[str, ...]
    marks: Marks
    effect: str = Field(description="the proof that the fault took effect; empty: there is none")
    healing: str = Field(description="the proof that it healed")
    ledger: LedgerCheck
    availability: Availability
    identity: tuple[str, ...] = Field(description="what was compared before and after, in words")
    client: NfsClientStats | None = Field(
        None, description="the NFS client of MySQL's node at the end; None: the kernel's, or gone"
    )
    lanes: tuple[Lane, ...] = ()
    happenings: tuple[Happening, ...] = ()
    crew: Crew | None = Field(None, description="None: the writers ran on Landfast's host")
    budget: Budget | None = Field(
        None, description="of the failover; None: the scenario has none, or writes never stopped"
    )
