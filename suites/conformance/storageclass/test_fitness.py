"""Whether the class is fast enough for a database. The thresholds are Landfast's own: SHOULD."""

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

_ROUNDS = 3
_OPERATIONS = 300
_FILES = 10_000
_COMMITS = 200
_CONNECTIONS = 8
# EPOCHREALTIME needs no process, and the shell no second one for dd: the figures have one fork each
# each operation of the volume follows the same one on a tmpfs, which shows how busy the node is
_LOOP = """
head -c 16384 /dev/urandom >/dev/shm/block
once() {{
    before=$EPOCHREALTIME
    {operation} || exit
    echo $1 $before $EPOCHREALTIME
}}
[ -n "$EPOCHREALTIME" ] || {{ echo no clock; exit; }}
{prepare}
for round in 1 2 3; do
    i=0
    while [ $i -lt {operations} ]; do
        cd /dev/shm; direct=; once 0
        cd /nfs; direct=iflag=direct; once $round
        i=$((i+1))
    done
done
"""
_WRITE = "dd if=/dev/shm/block of=fit bs=16k count=1 seek=$i conv=notrunc,fsync status=none"
# tmpfs knows no O_DIRECT
_READ = "dd if=fit of=/dev/null bs=4k count=1 skip=$((i * 37 % 2048)) $direct status=none"


def measure(
    judged: Judged, test: Steps, alone: Alone, what: str, *, operation: str, prepare: str
) -> Latencies:
    """Let a pod measure an operation while no other test runs, and record what it found."""
    judged.volume(size="64Mi")
    with test.step("run a pod with it"):
        judged.run("user")
    script = _LOOP.format(operations=_OPERATIONS, operation=operation, prepare=prepare)
    with alone(), test.step(f"{_ROUNDS} rounds of {_OPERATIONS}: {what}"):
        output = judged.say("user", script)
    if output == "no clock":
        raise MissingCapability("image.clock", "the image's shell has no EPOCHREALTIME")
    found = parse(output, _ROUNDS)
    test.observe(f"{what}: {found}")
    test.attach(f"histogram of {what}", histogram(found.all))
    return found


@pytest.mark.claim("storageclass.fsync-is-fast")
def test_16_kib_are_written_and_synced_fast(judged: Judged, test: Steps, alone: Alone) -> None:
    what = "write and fsync of 16 KiB"
    expect(measure(judged, test, alone, what, operation=_WRITE, prepare=":"), p50=10, p99=50)


@pytest.mark.claim("storageclass.reads-are-fast")
def test_4_kib_are_read_fast(judged: Judged, test: Steps, alone: Alone) -> None:
    prepare = "dd if=/dev/urandom of=fit bs=1M count=8 conv=fsync status=none; cp fit /dev/shm/fit"
    what = "read of 4 KiB"
    expect(measure(judged, test, alone, what, operation=_READ, prepare=prepare), p50=5, p99=25)


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
