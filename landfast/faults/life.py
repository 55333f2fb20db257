"""The life of a fault, from its entry in the rollback journal to the proof that it healed."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from landfast.errors import LandfastError
from landfast.faults.base import Fault, Lasting, NotProven, Site
from landfast.faults.rollback import Rollback
from landfast.steps import StepFunction
from landfast.verdict import MissingCapability, Unknown
from landfast.waiting import NotStable, WaitTimeout, stays_true

Disguise = Callable[[type[Fault]], type[Fault]]
"""What a sabotage does to a fault's class before a fault is made of it."""
PROVEN_STEP = "prove that it took effect"


def silent(_text: str) -> AbstractContextManager[None]:
    """Narrate nothing."""
    return contextlib.nullcontext()


class NotHealed(Unknown):
    """A fault was healed, but nothing shows that it is gone."""


@dataclass(frozen=True)
class FaultRecord:
    """What became of a fault. Times are monotonic seconds, None if it did not get that far.

    `doubts` say why nothing can be concluded, `failures` what went wrong and what is left of it.
    """

    injected: float
    proven: float | None = None
    healed: float | None = None
    effect: str = ""
    healing: str = ""
    doubts: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


class Life:
    """Takes one fault through its life; `record` says at any time how far it has come.

    The fault is in the rollback journal, synced to disk, before it is injected.

    Raises:
        MissingCapability: the fault cannot be injected here.
    """

    def __init__(
        self, make: type[Fault], site: Site, rollback: Rollback, step: StepFunction
    ) -> None:
        if make.reach == "cluster" and site.own_server is None:
            raise MissingCapability("cluster.owned", f"{make.name} reaches beyond the namespace")
        self.fault = make(site)
        if reason := self.fault.available():
            raise MissingCapability(f"fault.{self.fault.name}", reason)
        self.record = FaultRecord(injected=time.monotonic())
        self._rollback, self._step = rollback, step

    @contextlib.contextmanager
    def in_effect(
        self,
        ready: Callable[[], object] = lambda: None,
        *,
        what: str = "",
        since: float | None = None,
    ) -> Iterator[None]:
        """Break it for the time of the body; heal it whatever happens.

        Args:
            ready: is called just before the injection.
            what: what is broken, in words; the fault's own by default.
            since: when what the record calls the injection began, if it did so before.

        Raises:
            NotProven: nothing shows that it took effect, or it ended before the body did.
            NotHealed: it cannot be healed, or something is left. It stays in the rollback journal.
        """
        self._rollback.enter(self.fault)
        try:
            with self.doubting():
                self._break(ready, what, since)
            yield
            with self.doubting():
                self._require_still_there()
        except BaseException:
            self._heal()
            raise
        self._heal()
        if self.record.healed is None:
            raise NotHealed("; ".join(self.record.doubts + self.record.failures))

    def hold(self, seconds: float) -> None:
        """Watch the fault for `seconds`; a `Momentary` fault is not held.

        Raises:
            NotProven: it ended too early.
        """
        fault = self.fault
        if not isinstance(fault, Lasting):
            return
        with self.doubting(), self._step(f"hold it for {seconds:g} s, and watch it"):
            try:
                stays_true(
                    f"the fault {fault.name}", fault.still_there, seconds=seconds, interval=0.5
                )
            except NotStable as error:
                raise NotProven(f"the fault ended before it was healed: {error}") from error

    @contextlib.contextmanager
    def doubting(self) -> Iterator[None]:
        """Note what goes wrong in the body as a doubt."""
        try:
            yield
        except (NotProven, LandfastError) as error:
            self._note(doubts=(*self.record.doubts, str(error)))
            raise error if isinstance(error, NotProven) else NotProven(str(error)) from error

    def _break(self, ready: Callable[[], object], what: str, since: float | None) -> None:
        self.fault.note()
        ready()
        self._note(injected=since or time.monotonic())
        with self._step(f"break: {what or self.fault.text}"):
            self.fault.inject()
        with self._step(PROVEN_STEP):
            self._note(effect=self.fault.prove_effect())
        self._note(proven=time.monotonic())

    def _require_still_there(self) -> None:
        if isinstance(self.fault, Lasting) and not self.fault.still_there():
            raise NotProven(f"the fault {self.fault.name} ended before it was healed")

    def _heal(self) -> None:
        try:
            self._note(healing=heal(self.fault, self._rollback, self._step))
        except WaitTimeout as error:
            self._note(failures=(*self.record.failures, f"the fault does not heal: {error}"))
        except LandfastError as error:
            doubt = f"nothing shows that the fault is healed: {error}"
            self._note(doubts=(*self.record.doubts, doubt))
        else:
            self._note(healed=time.monotonic())
        self._note(failures=(*self.record.failures, *self.fault.complaints()))

    def _note(self, **changes: object) -> None:
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]


def heal(fault: Fault, rollback: Rollback, step: StepFunction = silent) -> str:
    """Heal a fault, strike it from the rollback journal, and return the proof.

    Raises:
        WaitTimeout: something of it is left.
        LandfastError: it cannot be healed, or nothing shows that it is.
    """
    with step("heal"):
        fault.heal()
    with step("prove that it is healed"):
        try:
            proof = fault.prove_healed()
        except Unknown as unknown:  # MySQL's pod cannot start, for example
            raise LandfastError(str(unknown)) from unknown
    rollback.leave(fault)
    return proof
