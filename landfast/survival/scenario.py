"""A scenario as a row of data: workload x fault x timing, and what must come of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from landfast.faults.base import Fault, Lasting
from landfast.nfs.own_server import Mode
from landfast.results import ScenarioSummary, Tier

When = Literal["steady", "recovering", "provisioning"]


@dataclass(frozen=True)
class Expected:
    """What clients of a database on a `hard` mount may notice. Nothing acknowledged is ever lost.

    Attributes:
        gap: the longest time without an acknowledged write, in seconds.
        errors: whether operations may end in an error: if MySQL itself goes, its connections do.
        during: whether writes are acknowledged while the fault is in effect.
        ends: whether mysqld must end: it lost its lock, so another one may have its files. Then its
            pod is deleted: a restart may not do (see `survive`).
        fenced: whether another mysqld takes over while the old one may still run. The fault itself
            complains if the old one is not fenced (see `SplitBrain`).
    """

    gap: float
    errors: bool = True
    during: bool = False
    ends: bool = False
    fenced: bool = False

    def __str__(self) -> str:
        errors = "" if self.errors else ", no error"
        during = ", writes go on" if self.during else ""
        ends = ", mysqld notices and ends" if self.ends else ""
        fenced = ", the new mysqld waits for the lock, the old one gets errors for its later writes"
        return (
            f"nothing acknowledged is lost{errors}{during}{ends}{fenced if self.fenced else ''}, "
            f"no gap over {self.gap:g} s"
        )


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario.

    Attributes:
        fault: what is broken.
        name: in kebab case, unique, the fault's by default; the claim is `chaos.<name>`.
        hold: seconds to hold it once the effect is proven; 0 for faults that do not last.
        expected: what must come of it; a control must lose something.
        seconds: how long the scenario typically takes.
        telling: how much it says of a cluster: a budget takes the most telling ones first.
        tier: the crash tier that it belongs to.
        when: under a steady load, while MySQL recovers from losing its pod, or while the
            provisioner makes volumes.
        mode: how the NFS server runs.
        variables: MySQL's global variables, set before the workload begins.
        mount_options: of MySQL's volume, in place of its own.
        control: whether it must end in FAIL, to show that what goes wrong is found.
        finds: what a control must find; losses by default.
    """

    fault: type[Fault]
    name: str = ""
    hold: float = 0
    expected: Expected
    seconds: int
    telling: int = 0
    tier: Tier | None = None
    when: When = "steady"
    mode: Mode = "honest"
    variables: dict[str, str] = field(default_factory=dict)
    mount_options: tuple[str, ...] = ()
    control: bool = False
    finds: str = "what is lost"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.fault.name)
        if issubclass(self.fault, Lasting) != (self.hold > 0):
            raise ValueError(f"{self.name}: faults that last, and only those, have a hold")

    @property
    def text(self) -> str:
        """What is broken, in words."""
        how = [f"{name}={value}" for name, value in self.variables.items()]
        if self.mount_options:
            how.append(f"mounted with {','.join(self.mount_options)}")
        if self.mode == "lying":
            how.append("the server lies about stable storage")
        if self.when == "recovering":
            how.append("while MySQL recovers")
        return self.fault.text + (f" ({', '.join(how)})" if how else "")

    @property
    def requirement(self) -> str:
        """What must come of it, in words."""
        return f"a FAIL: Landfast finds {self.finds}" if self.control else str(self.expected)

    @property
    def claim(self) -> str:
        """The claim's text."""
        if self.control:
            return f"Landfast MUST find {self.finds} when this breaks: {self.text}."
        return f"MySQL MUST survive when this breaks: {self.text}; {self.expected}."

    @property
    def source(self) -> str:
        """Where the expectation comes from."""
        if self.control:
            return "a negative control: a checker that never saw a loss proves nothing"
        tier = f"crash tier {self.tier}; " if self.tier else ""
        return f"{tier}nfs(5), mount option hard; MySQL's innodb_flush_log_at_trx_commit=1"

    def at_pace(self, pace: float) -> "Scenario":
        """Return the scenario for nodes or a server that take so many times longer for all."""
        return replace(self, expected=replace(self.expected, gap=self.expected.gap * pace))

    def summary(self) -> ScenarioSummary:
        """Return the scenario as the journal holds it."""
        return ScenarioSummary(
            name=self.name,
            fault=self.fault.name,
            tier=self.tier,
            text=self.text,
            expected=self.requirement,
            hold=self.hold,
            control=self.control,
        )


def within(rows: list[Mapping[str, Any]], budget: float) -> list[Mapping[str, Any]]:
    """Return the most telling scenarios that fit into `budget` seconds, in their own order.

    A row has a scenario's `seconds`, and how `telling` it is.
    """
    chosen: set[int] = set()  # places: two scenarios may be equal
    left = budget
    for place, row in sorted(enumerate(rows), key=lambda r: (-r[1]["telling"], r[1]["seconds"])):
        if row["seconds"] <= left:
            chosen.add(place)
            left -= row["seconds"]
    return [row for place, row in enumerate(rows) if place in chosen]
