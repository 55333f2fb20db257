"""Rules for what a database's pods do to its files, from the start to the end."""

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from landfast.audit.directories import is_below
from landfast.audit.engines import Kind
from landfast.audit.findings import Hit, Rule, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.place import Path
from landfast.audit.pods import Container
from landfast.audit.rules.sources import FORCE_DELETE, POSTGRESQL_LOCK
from landfast.audit.servers import Server, commands_of, mounts

_EVERYTHING = re.compile(r"(/\.?\?*\*|/\{[^}]*\*[^}]*\}|/)+$")
_LOCKS = re.compile(
    r"postmaster\.(pid|opts)|mongod\.lock|WiredTiger\.lock|.*\.lock|.*\.pid|lock|store_lock"
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
_FILTERS = {"-name", "-iname", "-path", "-regex", "-mtime", "-mmin", "-newer", "-size", "-user"}
_CONDITIONS = {"[", "[[", "test", "case", "fi"}  # a script's `if` is known by its end
_SHORT = 30  # seconds: Kubernetes' own default
_HASTY = 60


def _beside(server: Server) -> Iterator[tuple[Container, Path, set[str]]]:
    """Yield the containers of a server's pod, with where its data is mounted in each of them.

    A volume beside the one with its data, for its backups perhaps, is not meant.
    """
    stays = [m for m in server.mounts if m.stays]
    of_data = [m for m in stays if any(m.is_around(path) for path in server.engine.data)]
    volumes = {m.mount.name for m in of_data or stays}
    for container in server.workload.pod.all_containers:
        at = {m.path for m in mounts(server.workload, container) if m.mount.name in volumes}
        if at:
            yield container, server.workload.container_at(container), at


def _removed(container: Container) -> Iterator[tuple[str, bool]]:
    """Yield the absolute paths that a container removes, and whether with what is in them."""
    env = {variable.name: variable.value for variable in container.env}

    def known(found: re.Match[str]) -> str:
        return env.get(found[1] or found[2]) or found[0]

    folder = "/"
    for first, *words in commands_of(container):
        given = [_VARIABLE.sub(known, word) for word in words if not word.startswith("-")]
        options = "".join(word for word in words if word.startswith("-"))
        match posixpath.basename(first):
            case "cd":
                folder = posixpath.join(folder, *given[:1])
            case "rm":
                deep = "r" in options.lower()
                yield from ((_joined(folder, word), deep or "*" in word) for word in given)
            case "find" if ("-delete" in words or "rm" in words) and not _FILTERS & set(words):
                yield from ((_joined(folder, word), True) for word in given[:1])


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


@Rule(
    "audit.data-wiped-at-start",
    Severity.ERROR,
    "A container that empties a database's volume whenever its pod starts",
    reason=(
        "It is meant for the first start, and runs at every one: after an update, after the loss "
        "of a node, after a crash. Then the database begins anew, empty."
    ),
    fix="Remove it. If the directory must be empty at first, let the server's image make it.",
    example="""
        initContainers:
          - name: without-lost-and-found
            image: busybox:1.36
            command: [rmdir, /var/lib/mysql/lost+found]   # of ext4; and nothing else
    """,
    source="Kubernetes documentation, Init Containers: they run again whenever the pod restarts",
)
def data_wiped_at_start(inventory: Inventory) -> Iterator[Hit]:
    """Find `rm -r` and `find -delete` on the whole volume; under a condition it is a warning."""
    for server in inventory.servers:
        for container, at, folders in _beside(server):
            conditional = any(_CONDITIONS & set(words) for words in commands_of(container))
            for path, deep in _removed(container):
                whole = posixpath.normpath(_EVERYTHING.sub("", path) or "/")
                hit = next((f for f in sorted(folders) if is_below(f, whole)), None)
                if deep and (hit or (whole in server.engine.data and _in(whole, folders))):
                    said = f"container {container.name} removes {path} before {server} starts"
                    said += ", under a condition" if conditional else ""
                    severity = Severity.WARNING if conditional else None
                    yield Hit(server.workload, said, at, severity)


def _in(path: str, folders: set[str]) -> bool:
    return any(is_below(path, folder) for folder in folders)


@Rule(
    "audit.lock-file-removed",
    Severity.WARNING,
    "A container that removes a database's lock file",
    reason=(
        "The file is what tells a second server that the first still runs, on a node that nobody "
        "reaches, for instance. Without it both write, and the data is destroyed."
    ),
    fix=(
        "Remove the command. A server that has really ended leaves a lock that the next one "
        "recognises; where it does not, look whether the old pod is gone and remove it by hand."
    ),
    source=POSTGRESQL_LOCK,
)
def lock_file_removed(inventory: Inventory) -> Iterator[Hit]:
    for server in inventory.servers:
        for container, at, folders in _beside(server):
            for path, _ in _removed(container):
                if _LOCKS.fullmatch(posixpath.basename(path)) and _in(path, folders):
                    said = f"container {container.name} removes {path} of {server}"
                    yield Hit(server.workload, said, at)


@Rule(
    "audit.durability-off",
    Severity.WARNING,
    "A database that was told not to sync",
    reason=(
        "It acknowledges what is in memory only. A crash of the pod, the node or the NFS server "
        "loses it, or leaves files that the server cannot repair."
    ),
    fix="Leave the option out: the server's default is safe.",
    example="""
        containers:
          - name: mysql
            image: mysql:8.4
            args: [--innodb-flush-log-at-trx-commit=1, --sync-binlog=1]
    """,
    source="the server's own documentation of the option",
)
def durability_off(inventory: Inventory) -> Iterator[Hit]:
    """Find such arguments; what stands in a configuration file is not read."""
    for server in inventory.servers:
        found = [
            f"{argument}, which costs {unsafe.costs}"
            for argument in dict.fromkeys(_arguments(server.container))
            for unsafe in server.engine.unsafe
            if re.fullmatch(unsafe.argument.replace("_", "-"), argument)
        ]
        if found:
            at = (*server.workload.container_at(server.container), "args")
            yield Hit(server.workload, f"{server} runs with {'; '.join(found)}", at)


def _arguments(container: Container) -> Iterator[str]:
    """Yield arguments as one writes them, in lower case: without dashes in front, `=` between."""
    env = [word for variable in container.env for word in variable.value.split()]
    given = [*container.args, *container.command]
    words = [*env, *(word for text in given for word in text.split())]
    for word, after in pairwise([*words, "-"]):
        name = re.sub(r"^(--?(c(?=\w+=))?D?)", "", word)
        yield _spelt(name)
        if "=" not in name and word.startswith("--") and not after.startswith("-"):
            yield f"{_spelt(name)}={_spelt(after)}"


def _spelt(argument: str) -> str:
    return argument.strip("\"'").lower().replace("_", "-")


@Rule(
    "audit.grace-period-short",
    Severity.WARNING,
    "A database that gets no time to shut down",
    reason=(
        "With 0 seconds the pod's name is free at once, while its server may still run and write: "
        "the next pod starts on another node, and NFS attaches volumes to no node. With a few "
        "seconds the server is killed at every update, and has to recover."
    ),
    fix="Give it at least what a shutdown under load takes; a minute or two do not hurt.",
    example="""
        spec:
          template:
            spec:
              terminationGracePeriodSeconds: 120
    """,
    source=FORCE_DELETE,
)
def grace_period_short(inventory: Inventory) -> Iterator[Hit]:
    """Find them, once for each pod template; more than 0 is a note."""
    seen = set()
    for server in inventory.servers:
        workload, on_volume = server.workload, any(m.stays for m in server.mounts)
        seconds = workload.pod.termination_grace_period_seconds
        if seconds is None or seconds >= _SHORT or not on_volume or workload.title in seen:
            continue
        seen.add(workload.title)
        at = (*workload.template_at, "spec", "terminationGracePeriodSeconds")
        said = f"{server} is killed {seconds} s after it was asked to end"
        yield Hit(workload, said, at, None if seconds <= 0 else Severity.NOTE)


@Rule(
    "audit.liveness-probe-hasty",
    Severity.NOTE,
    "A liveness probe that can end a database's recovery",
    reason=(
        "After a crash a database recovers before it answers, and while the NFS server stalls it "
        "does not answer at all. The probe then kills it, and it has to begin again."
    ),
    fix="Add a startupProbe that allows for minutes, and let the liveness probe be patient.",
    example="""
        startupProbe:
          tcpSocket: {port: 3306}
          periodSeconds: 10
          failureThreshold: 90     # 15 minutes to recover
        livenessProbe:
          tcpSocket: {port: 3306}
          periodSeconds: 30
          failureThreshold: 10     # 5 minutes of a stalled NFS server
    """,
    source="Kubernetes documentation, Configure Liveness, Readiness and Startup Probes",
)
def liveness_probe_hasty(inventory: Inventory) -> Iterator[Hit]:
    for server in inventory.servers:
        probe = server.container.liveness_probe
        recovers = server.engine.kind is not Kind.EMBEDDED and not server.engine.volume_optional
        if probe is None or server.container.startup_probe or not recovers:
            continue
        waits = _number(probe, "periodSeconds", 10) * _number(probe, "failureThreshold", 3)
        seconds = _number(probe, "initialDelaySeconds", 0) + waits
        if seconds < _HASTY and any(m.stays for m in server.mounts):
            at = (*server.workload.container_at(server.container), "livenessProbe")
            said = f"{server} is killed if it does not answer {seconds} s after its start"
            yield Hit(server.workload, said, at)


def _number(probe: object, field: str, default: int) -> int:
    value = probe.get(field, default) if isinstance(probe, dict) else default
    return value if isinstance(value, int) else default
