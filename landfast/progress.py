"""Shows what a run is waiting for, and for how long: live on a terminal, else in plain lines."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.status import Status

_HEARTBEAT_SECONDS = 30.0


class Progress:
    """Prints phases to standard error, and reports the seconds that each took to `on_phase`."""

    def __init__(
        self,
        console: Console | None = None,
        on_phase: Callable[[str, float], None] = lambda _name, _seconds: None,
    ) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self.on_phase = on_phase
        self._live: Status | None = None

    def say(self, text: str) -> None:
        """Print one line."""
        self.console.print(escape(text))

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Show `name` while the body runs; print how long it took, unless it raised."""
        started = time.monotonic()
        done = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(name, started, done), daemon=True)
        outermost = self._live is None and self.console.is_terminal
        if outermost:
            self._live = self.console.status("")
            self._live.start()
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
            if outermost and self._live is not None:
                self._live.stop()
                self._live = None
        seconds = time.monotonic() - started
        self.console.print(f"[dim]{seconds:7.1f} s[/]  {escape(name)}")
        self.on_phase(name, seconds)

    def _tick(self, name: str, started: float, done: threading.Event) -> None:
        period = 0.5 if self.console.is_terminal else _HEARTBEAT_SECONDS
        while True:
            elapsed = time.monotonic() - started
            if self._live is not None:
                self._live.update(f"{escape(name)} [dim]{elapsed:.0f} s[/]")
            elif elapsed >= _HEARTBEAT_SECONDS:
                self.console.print(f"[dim]{elapsed:7.0f} s[/]  … {escape(name)}")
            if done.wait(period):
                return
