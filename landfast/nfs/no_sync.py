"""Run a program whose syncs do nothing: `python3 no_sync.py PROGRAM ARGUMENT ...`.

Imports nothing of Landfast: it is copied to where the NFS server runs. A system call filter answers
fsync and its like with success without executing them, for the program and all its children. A
preloaded library is not enough: Ganesha loads its file system module with RTLD_DEEPBIND, which
bypasses preloaded symbols.
"""

import ctypes
import os
import struct
import sys

# Linux' numbers of fsync, fdatasync, sync_file_range, msync, sync, syncfs
_CALLS = {
    "x86_64": (0xC000003E, (74, 75, 277, 26, 162, 306)),
    "aarch64": (0xC00000B7, (82, 83, 84, 227, 81, 267)),
}
# linux/seccomp.h, linux/filter.h, linux/prctl.h
_ALLOW, _ERRNO_0 = 0x7FFF0000, 0x00050000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _instructions(architecture: int, calls: tuple[int, ...]) -> list[bytes]:
    def one(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, operand)

    checks = [
        one(_JUMP_IF_EQUAL, call, if_true=len(calls) - place) for place, call in enumerate(calls)
    ]
    return [
        one(_LOAD, _ARCHITECTURE_AT),
        one(_JUMP_IF_EQUAL, architecture, if_false=len(calls) + 1),
        one(_LOAD, _NUMBER_AT),
        *checks,
        one(_RETURN, _ALLOW),
        one(_RETURN, _ERRNO_0),
    ]


def main() -> None:
    """Install the filter and become the program."""
    code = _instructions(*_CALLS[os.uname().machine])
    program = _Program(len(code), b"".join(code))
    libc = ctypes.CDLL(None, use_errno=True)
    for argv in ((_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, ctypes.byref(program))):
        if libc.prctl(*argv):
            sys.exit(f"no filter of system calls: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - that is what it is for


if __name__ == "__main__":
    main()
