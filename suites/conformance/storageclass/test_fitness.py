"""Whether the class is fast enough for a database. The thresholds are Landfast's own: SHOULD."""

import shlex
import time

import pytest

from fixtures.schedule import Alone
from landfast.mysql.client import MysqlServer
from landfast.parallel import side_by_side
from landfast.steps import Steps
from landfast.verdict import MissingCapability
from suites.conformance.storageclass.fitness import Latencies, expect, histogram, parse
from suites.conformance.storageclass.judged import Judged
from suites.conformance.storageclass.mysql import start_mysql

_ROUNDS = 30
_OPERATIONS = 30
_FILES = 10_000
_COMMITS = 200
_CONNECTIONS = 8
# One dd does all operations of a round: the start of a program can take longer than one of them.
# It has a pipe to this shell, which sees it take the next block, or bring it, once one is done. The
# first ten tell nothing: dd starts, and the pipe holds a few blocks. Each round follows one on a
# tmpfs, which shows how busy the node is.
_SCRIPT = """
export LC_ALL=C
block=$(head -c 12288 /dev/urandom | base64 -w 0)
count=$((10 + {operations}))
found=
run() {{
    cd $2; {prepare}
    {dd}
    for ((i = 0; i < count; i++)); do
        {operation} || exit
        now=${{EPOCHREALTIME/./}}
        ((i < 10)) || found+="$round $1 $((now - before))"$'\\n'
        before=$now
    done
    exec 3>&-
    wait $! || exit
}}
for ((round = 0; round < {rounds}; round++)); do
    direct=fullblock; run tmpfs /dev/shm
    direct=direct; run volume /nfs
done
printf %s "$found"
"""
_WRITE = {
    "prepare": ":",
    "dd": "exec 3> >(exec dd of=fit bs=16k iflag=fullblock oflag=sync conv=notrunc status=none)",
    "operation": 'printf %s "$block" >&3',
}
# tmpfs knows no O_DIRECT
_READ = {
    "prepare": 'for ((i = 0; i < 16; i++)); do printf %s "$block"; done >fit; sync fit',
    "dd": "exec 3< <(exec dd if=fit bs=4k count=$count iflag=$direct status=none)",
    "operation": "read -r -N 4096 -u 3 _",
}


def measure(
    judged: Judged, test: Steps, alone: Alone, what: str, program: dict[str, str]
) -> Latencies:
    """Let a pod measure an operation while no other test runs, and record what it found."""
    judged.volume(size="64Mi")
    with test.step("run a pod with it"):
        judged.run("user", image="mysql")  # for its bash and its dd
    if "." not in judged.say("user", "LC_ALL=C bash -c 'echo $EPOCHREALTIME'"):
        raise MissingCapability("image.clock", "MySQL's image has no bash 5, which has a clock")
    script = shlex.quote(_SCRIPT.format(rounds=_ROUNDS, operations=_OPERATIONS, **program))
    with alone(), test.step(f"{_ROUNDS} rounds of {_OPERATIONS}: {what}"):
        output = judged.say("user", f"bash -c {script}")
    found = parse(output, _ROUNDS)
    test.observe(f"{what}: {found}")
    test.attach(f"histogram of {what}", histogram(found.all))
    return found


@pytest.mark.claim("storageclass.fsync-is-fast")
def test_16_kib_are_written_and_synced_fast(judged: Judged, test: Steps, alone: Alone) -> None:
    what = "write and fsync of 16 KiB"
    expect(measure(judged, test, alone, what, _WRITE), p50=10, p99=50)


@pytest.mark.claim("storageclass.reads-are-fast")
def test_4_kib_are_read_fast(judged: Judged, test: Steps, alone: Alone) -> None:
    expect(measure(judged, test, alone, "read of 4 KiB", _READ), p50=5, p99=25)


@pytest.mark.claim("storageclass.large-directories-are-fast")
def test_directory_of_10000_files_is_made_and_listed_fast(
    judged: Judged, test: Steps, alone: Alone
) -> None:
    judged.volume(size="64Mi")
    with test.step("run a pod with it"):
        judged.run("user")
    script = (
        f"mkdir many; cd many; a=$EPOCHREALTIME; i=0; while [ $i -lt {_FILES} ]; do : >f$i; "
        "i=$((i+1)); done; b=$EPOCHREALTIME; n=$(ls | wc -l); c=$EPOCHREALTIME; echo $n $a $b $c; "
        "cd ..; rm -r many"
    )
    with alone(), test.verify(f"it makes {_FILES} files and lists them"):
        said = judged.say("user", script).split()
    assert said[0] == str(_FILES), f"{said[0]} files are listed"
    begun, made, listed = map(float, said[1:])
    test.observe(f"{_FILES} files: made in {made - begun:.1f} s, listed in {listed - made:.1f} s")
    assert made - begun <= 120, "to make them takes longer than 120 s"
    assert listed - made <= 10, "to list them takes longer than 10 s"


@pytest.mark.claim("storageclass.commits-are-fast")
def test_mysql_commits_fast(judged: Judged, test: Steps, alone: Alone) -> None:
    mysql = start_mysql(judged, test)
    with test.step("make a procedure that commits again and again"):
        for statement in _PROCEDURE:
            mysql.query(statement)
    with alone(), test.step(f"commit with one connection, then with {_CONNECTIONS}"):
        single = _commits(mysql, 1)
        together = _commits(mysql, _CONNECTIONS)
    test.observe(f"{single:.0f} commits a second, {together:.0f} with {_CONNECTIONS} connections")
    assert single >= 50, "fewer than 50 commits a second"
    assert together >= 150, f"fewer than 150 with {_CONNECTIONS} connections"


_PROCEDURE = (
    "CREATE DATABASE fit",
    "CREATE TABLE fit.row (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200))",
    "CREATE PROCEDURE fit.run(n INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < n DO "
    "INSERT INTO fit.row (text) VALUES (REPEAT('x', 100)); SET i = i + 1; END WHILE; END",
)


def _commits(mysql: MysqlServer, connections: int) -> float:
    """Return how many transactions a second are committed; none crosses the network."""
    started = time.monotonic()
    side_by_side(lambda _: mysql.query(f"CALL fit.run({_COMMITS})"), range(connections))
    return connections * _COMMITS / (time.monotonic() - started)
