"""Compiles the machines' kernel: User-Mode Linux, from Debian's package of Linux' source."""

import os
import platform
from pathlib import Path

from landfast import paths, process, timeouts
from landfast.errors import BadInput, LandfastError
from landfast.kit import debian
from landfast.kit.cache import Cache, digest
from landfast.progress import Progress

NAME = "linux"
"""The kernel among the kit's programs."""
_SUITE = "trixie-backports"
_COMPILERS = ["gcc", "make", "flex", "bison", "bc", "m4", "libfl-dev", "libc6-dev", "xz-utils"]
_PROCESSOR = "x86_64"  # the only one that User-Mode Linux runs on
_SIGNALS = "arch/um/os-Linux/signal.c"
_IDLE = "arch/um/os-Linux/time.c"
_EVENTS = "arch/um/os-Linux/irq.c"
_NETWORK = "arch/um/drivers/vector_user.c"
_OPEN = "rxfd = create_raw_fd(iface, ETH_P_ALL, ETH_P_ALL);"
_BUFFER = "setsockopt(rxfd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){8 << 20}, sizeof(int));"
_PROCESSORS = "arch/um/kernel/um_arch.c"
_CLOCK = r'seq_puts(m, "cpu MHz\t\t: 2000.000\n");'
_LOCKS = "kernel/Kconfig.locks"
_SPIN = "config MUTEX_SPIN_ON_OWNER\n\tdef_bool "
_BOGOMIPS = 'seq_printf(m, "bogomips'
MENDS = (
    # Linux 7.3 sleeps over a disk's or network's signal that comes when an idle processor has
    # switched interrupts off, but does not sleep yet: there it looks only for signals of timers,
    # and only those wake it. The device then waits for whatever wakes the processor next.
    (_SIGNALS, "!!(signals_pending & SIGALRM_MASK)", "!!signals_pending"),
    (_IDLE, "os_idle_sleep(void)\n{\n", "os_idle_sleep(void)\n{\n\tsigset_t old;\n"),
    (
        _IDLE,
        "sigaddset(&set, SIGALRM);",
        "sigaddset(&set, SIGALRM); sigaddset(&set, SIGIO); sigaddset(&set, SIGCHLD);",
    ),
    (_IDLE, "sigprocmask(SIG_BLOCK, &set, NULL)", "sigprocmask(SIG_BLOCK, &set, &old)"),
    (_IDLE, "sigprocmask(SIG_UNBLOCK, &set, NULL)", "sigprocmask(SIG_SETMASK, &old, NULL)"),
    # A handler of devices' signals that is interrupted by itself, in a softirq, overwrites the list
    # of events that the outer one works on: what that had not come to is never handled.
    (
        _EVENTS,
        "(struct epoll_event *) &epoll_events, MAX_EPOLL_EVENTS, 0)",
        "(struct epoll_event *) &epoll_events, 1, 0)",
    ),
    # A socket's usual buffer overflows with two of an NFS client's writes of 128 KiB, and TCP then
    # waits for seconds.
    (_NETWORK, _OPEN, f"{_OPEN}\n\t{_BUFFER}"),
    # Without a processor's clock speed cAdvisor, and so the kubelet, does not start.
    (_PROCESSORS, _BOGOMIPS, f"{_CLOCK}\n\t{_BOGOMIPS}"),
    # User-Mode Linux holds a mutex of a process while one of its threads runs. A second processor
    # that has another thread of it would spin all that time instead of running something else.
    (_LOCKS, f"{_SPIN}y", f"{_SPIN}n"),
)
"""What is changed in the source: in a file, one text by another."""


def key(version: str) -> str:
    """Return the hash of what the kernel of a version (`7.3`) is made from."""
    return digest(_SUITE, version, _config(), repr(MENDS))


def build(store: Cache, progress: Progress, version: str) -> Path:
    """Return the kernel, an executable file; compile it if the cache lacks it: 13 CPU minutes.

    Raises:
        BadInput: this host has another processor, or cannot install the compiler.
        LandfastError: the source lacks what is to be changed in it.
        ProcessError: Debian has no such source, or it does not compile.
    """
    if platform.machine() != _PROCESSOR:
        raise BadInput(
            f"machines need a processor of type {_PROCESSOR}: User-Mode Linux, their kernel, does "
            f"not run on {platform.machine()}"
        )

    def compile_in(target: Path) -> None:
        package, source = f"linux-source-{version}", target / "source"
        debian.install(*_COMPILERS)
        with progress.phase(f"kit: source of Linux {version}"):
            debian.unpack(_SUITE, [package], source)
            archive = source / "usr" / "src" / f"{package}.tar.xz"
            process.run(["tar", "-xf", archive, "-C", source], timeout=timeouts.APT)
        with progress.phase(f"kit: compile Linux {version} for machines"):
            tree = source / package
            mend(tree)
            _make(tree, target, "x86_64_defconfig")
            config = tree / ".config"
            config.write_text(config.read_text() + _config().read_text())
            _make(tree, target, "olddefconfig")
            _make(tree, target, f"-j{os.cpu_count()}", NAME)
            (tree / NAME).rename(target / NAME)
        process.run(["rm", "-r", source], timeout=timeouts.APT)

    return store.artifact(NAME, key(version), compile_in) / NAME


def _config() -> Path:
    return paths.KIT / "linux" / "config"


def mend(tree: Path) -> None:
    """Change the source in a folder.

    Raises:
        LandfastError: it lacks a text that is to be changed.
    """
    for name, old, new in MENDS:
        file = tree / name
        text = file.read_text()
        if old not in text:
            raise LandfastError(f"the kernel's {name} has no {old!r}: is it mended already?")
        file.write_text(text.replace(old, new))


def _make(tree: Path, target: Path, *arguments: str) -> None:
    log = target / "build.log"
    process.run(["make", "-s", "ARCH=um", *arguments], timeout=timeouts.BUILD, log=log, cwd=tree)
    log.unlink()
