"""What is acknowledged must outlive the server's power; a server that lies about it is found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from class_tests.foreign import Foreign, install_class
from class_tests.power import power_commands
from class_tests.running import judge
from landfast import timeouts
from landfast.faults.site import open_server
from landfast.journal import SurvivalShown, read_journal
from landfast.nfs.own_server import OwnServer
from landfast.verdict import Verdict
from landfast.waiting import wait_until

_CLASS, _MAKER = "on-a-disk", "disk"
_KILLED, _STOPPED = "server-command-mysqld-killed", "server-command"


@pytest.fixture(scope="module")
def server(foreign: Foreign) -> Iterator[OwnServer]:
    """The server of a class of others, whose disk forgets what was not synced."""
    with open_server(foreign.env) as server:
        install_class(foreign.env.with_export(server.export), _CLASS, maker=_MAKER)
        yield server
        _remove_class(foreign)


def _remove_class(foreign: Foreign) -> None:
    """Remove the provisioner, which would wait for the server for ever, and the class."""
    kube, space = foreign.kube, f"nfs-system-{_MAKER}"
    kube.delete("StorageClass", _CLASS)
    kube.delete("Namespace", space)
    wait_until(
        f"the namespace {space} to be gone",
        lambda: kube.find("Namespace", space),
        until=lambda found: found is None,
        timeout=timeouts.GONE,
    )


def test_honest_server_loses_nothing(foreign: Foreign, server: OwnServer, tmp_path: Path) -> None:
    """Its power is cut under MySQL, with mysqld and alone."""
    server.set_mode("honest")
    options = [*power_commands(server), "--scenario", f"{_KILLED},{_STOPPED}"]
    verdicts = judge(foreign, "chaos", tmp_path, *options, storage_class=_CLASS)
    claims = [f"chaos.{name}" for name in (_KILLED, _STOPPED)]
    assert verdicts == dict.fromkeys(claims, Verdict.PASS)


def test_lying_server_is_found(foreign: Foreign, server: OwnServer, tmp_path: Path) -> None:
    """It acknowledges every fsync, and syncs nothing; the losses are counted."""
    server.set_mode("lying")
    options = [*power_commands(server), "--scenario", _KILLED]
    verdicts = judge(foreign, "chaos", tmp_path, *options, storage_class=_CLASS)
    assert verdicts == {f"chaos.{_KILLED}": Verdict.FAIL}
    journal = read_journal(tmp_path / "latest/journal.jsonl")
    (shown,) = (event.survival for event in journal if isinstance(event, SurvivalShown))
    assert shown.effect
    assert shown.ledger.counts.lost > 0, shown.reasons
