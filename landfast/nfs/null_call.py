"""Whether an NFS server answers a NULL call (RFC 5531, procedure 0): from here, or from a pod."""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from landfast.errors import LandfastError

PORT = 2049
_SECONDS = 1
_ANSWER = 28  # bytes of the shortest reply that was accepted
# record mark, transaction, call, RPC version 2, program 100003, version 4, procedure 0, no
# credentials
_CALL = bytes.fromhex(
    "80000028 6c667374 00000000 00000002 000186a3 00000004 00000000" + " 00000000" * 4
)
# $1 is the server, $2 its port. Some servers do not answer one who has ended his side.
_FROM_POD = (
    f"{{ printf '{''.join(f'{chr(92)}{byte:03o}' for byte in _CALL)}'; sleep {_SECONDS}; }} | "
    f'timeout {2 * _SECONDS} nc "$1" "$2" | head -c {_ANSWER} | wc -c'
)
Execute = Callable[[Sequence[str]], str]
"""Runs a program in a pod and returns its output."""


def answers(server: str, port: int = PORT) -> bool:
    """Whether a server answers this host within a second or two."""
    with suppress(OSError), socket.create_connection((server, port), _SECONDS) as connection:
        connection.settimeout(_SECONDS)
        connection.sendall(_CALL)
        with connection.makefile("rb") as reply:
            return len(reply.read(_ANSWER)) == _ANSWER
    return False


def answers_pod(execute: Execute, server: str, port: int = PORT) -> bool:
    """Whether a server answers a pod within two seconds."""
    with suppress(LandfastError):
        said = execute(["sh", "-c", _FROM_POD, "sh", server, str(port)])
        return said.strip() == str(_ANSWER)
    return False
