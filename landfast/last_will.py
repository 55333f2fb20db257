"""A last will: a shell line that is run once this process is gone, however it went."""

import select
import sys
from pathlib import Path

from landfast import process
from landfast.errors import LandfastError

_REVOKED = "revoked\n"


class LastWill:
    """A program beside this one that waits for the end of a pipe, which a kill -9 ends as well.

    It carries the line out when this process is gone, or after `within` seconds, unless it was
    revoked. It is in a session of its own, so that Ctrl-C does not reach it.
    """

    def __init__(self, line: str, *, within: float, limit: float, log: Path) -> None:
        """Leave the will; it is in force when this returns.

        Args:
            line: what a shell is to run.
            within: seconds after which it is run even if this process still is there.
            limit: seconds that the line may take.
            log: where its output goes.

        Raises:
            LandfastError: it cannot be left.
        """
        argv = [sys.executable, "-m", "landfast.last_will", str(within), str(limit), line]
        self._program = process.outliving(argv, log=log)
        assert self._program.stdout is not None  # noqa: S101 - a pipe
        if self._program.stdout.readline() != b"in force\n":
            self._program.communicate()
            raise LandfastError(f"nobody would run `{line}` after a kill; see {log}")

    def revoke(self) -> None:
        """Have it not carried out; does nothing if that has begun."""
        self._program.communicate(_REVOKED.encode())


def main() -> None:
    """Wait for the end of standard input, and run the line unless it said that it is revoked."""
    within, limit, line = sys.argv[1:]
    sys.stdout.write("in force\n")
    sys.stdout.flush()
    ready, _, _ = select.select([sys.stdin], [], [], float(within))
    if ready and sys.stdin.readline() == _REVOKED:
        return
    sys.stderr.write(f"carrying out: {line}\n")
    done = process.run(["sh", "-c", line], timeout=float(limit))
    sys.stderr.write(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
