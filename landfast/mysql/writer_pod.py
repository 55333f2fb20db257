"""What a pod of `--writers` runs: its writers, and then nothing, until their history was fetched.

`python -m landfast.mysql.writer_pod TASKS`: a JSON list with the task of each pod of the Job, but
for the password. Writes into the folder that it is started in.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from landfast import process
from landfast.mysql.writers import Task

END_SECONDS = 10
PID = Path("pid")
"""It holds the number of the process that SIGTERM is for."""
ENDED = Path("ended")
"""It is there once nothing is added to the history any more."""


def main() -> None:
    """Write until SIGTERM; then stay, so that the history can be fetched.

    Raises:
        ProcessError: the writers failed.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    PID.write_text(str(os.getpid()))
    found = json.loads(sys.argv[1])[int(os.environ["JOB_COMPLETION_INDEX"])]
    task = Task(**found, password=os.environ["MYSQL_ROOT_PASSWORD"])
    with process.running(
        [sys.executable, "-m", "landfast.mysql.writers"],
        log=Path("writers.log"),
        text=task.model_dump_json(),
        end_seconds=END_SECONDS * task.patience,
    ):
        stop.wait()
    ENDED.touch()
    threading.Event().wait()


if __name__ == "__main__":
    main()
