"""A pod that holds a lock on a file of an NFS volume, and a pod that asks for it.

flock(1) of busybox asks for a flock(2) lock, which an NFS client asks the server for as a
byte-range lock on the whole file.
"""

import shlex
from typing import Any

from landfast import timeouts
from landfast.kube.client import Object
from landfast.stack import Stack
from landfast.waiting import wait_until
from suites.objects import SLEEP, of_pvc, pod, prepare, pv, pvc, shell

HOLDER, SECOND = "holder", "second"
LOCKED = f"{HOLDER}/locked"
"""The file on the server."""
REFUSED, WRITTEN = "refused", "written"

FILE = "/nfs/locked"
_HOLDS = "holds the lock"
UNDER_LOCK = ">&9"
# A loop keeps the descriptor with the lock, and writes through it each text that it is sent.
_HOLD = f"""
exec 9>>{FILE} && flock -n 9 || exit
mkfifo /dev/shm/text /dev/shm/said && echo {_HOLDS}
while read -r text </dev/shm/text; do
    {{ echo "$text" | dd conv=fsync status=none {UNDER_LOCK} && echo {WRITTEN}; }} \
        >/dev/shm/said 2>&1
done
"""
_SEND = "echo {text} >/dev/shm/text && cat /dev/shm/said"
_TRY = f"""
exec 2>&1 9>>{FILE}
if flock -n 9
then echo {SECOND} | dd conv=fsync status=none {UNDER_LOCK} && echo {WRITTEN}
else echo {REFUSED}
fi || true
"""


def hold(stack: Stack, **spec: Any) -> Object:
    """Create a volume, and a pod that holds the lock on a file of it; return the pod."""
    stack.export.make_folder(HOLDER)
    prepare(stack, pv(HOLDER, f"/data/share/{HOLDER}"))
    stack.make(pvc("data"))
    stack.wait_for_pvc("data")
    stack.make(pod(HOLDER, shell(_HOLD), volume=of_pvc("data"), **spec))
    running = stack.wait_for_pod(HOLDER, "Running")
    wait_until(
        f"pod {HOLDER} to hold the lock",
        lambda: stack.kube.logs(stack.namespace, HOLDER),
        until=lambda log: _HOLDS in log,
        timeout=timeouts.POD_UNDER_TEST,
    )
    return running


def start_second(stack: Stack, **spec: Any) -> None:
    """Start the pod that will ask for the lock."""
    stack.make(pod(SECOND, SLEEP, volume=of_pvc("data"), **spec))
    stack.wait_for_pod(SECOND, "Running")


def write_as_holder(stack: Stack, text: str) -> str:
    """Let the holder write a line under its lock; return `written`, or what its shell says."""
    argv = shell(_SEND.format(text=shlex.quote(text)))
    return stack.kube.execute(stack.namespace, HOLDER, argv).strip()


def try_lock(stack: Stack) -> str:
    """Let the second pod try the lock, and write the line `second` under it if it gets it.

    Return `refused`, `written`, or what its shell says.
    """
    return stack.kube.execute(stack.namespace, SECOND, shell(_TRY)).strip()


def wait_for_lock(stack: Stack, *, timeout: float) -> None:
    """Wait until the second pod gets the lock, for a moment.

    Raises:
        WaitTimeout: it is refused all the time, or cannot write under the lock.
    """
    wait_until(
        f"pod {SECOND} to get the lock",
        lambda: try_lock(stack),
        until=lambda said: said == WRITTEN,
        timeout=timeout,
        interval=1,
    )
