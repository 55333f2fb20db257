"""The NFS server's fault by its owner's commands: proven by NULL calls, undone by a last will."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fault_place import Place, stat

from landfast import paths
from landfast.errors import LandfastError
from landfast.faults.base import NotProven, ServerCommands, Site
from landfast.faults.server_command import ServerCommand, ServerCommandMysqldKilled
from landfast.nfs import null_call
from landfast.verdict import MissingCapability

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the server answers as long as it exists; only to pods if it says so."""
    file = tmp_path / "there"
    file.touch()
    monkeypatch.setattr(null_call, "answers", lambda _: file.exists() and not file.read_text())
    monkeypatch.setattr(null_call, "answers_pod", lambda *_: file.exists())
    monkeypatch.setattr(paths, "records", lambda: tmp_path)
    (tmp_path / "run").mkdir()
    return file


@pytest.fixture
def site(place: Place, there: Path) -> Site:
    for name, spec in (
        ("PersistentVolume", {"nfs": {"server": "nas", "path": "/vol"}}),
        ("PersistentVolumeClaim", {"volumeName": "pvc-1"}),
    ):
        meta = (
            {"name": "pvc-1"}
            if name == "PersistentVolume"
            else {"name": "mysql-data-mysql-0", "namespace": "default"}
        )
        place.kube.put({"kind": name, "metadata": meta, "spec": spec})
    env = SimpleNamespace(cluster=place.site.env.cluster, run_id="run")
    commands = ServerCommands(f"rm {there}", f"touch {there}")
    return replace(place.site, env=cast(Any, env), own_server=None, commands=commands)


def test_it_is_stopped_and_started_and_the_will_is_revoked(site: Site, there: Path) -> None:
    fault = ServerCommand(site)
    assert fault.aim == {"server": "nas"}
    assert fault.available() is None
    fault.note()
    with pytest.raises(NotProven, match="NFS calls to nas to go unanswered"):
        fault.prove_effect()
    fault.inject()
    assert "NFS calls to nas are not answered" in fault.prove_effect()
    assert fault.still_there()
    fault.heal()
    assert fault.prove_healed() == "NFS calls to nas are answered"
    assert fault.will is None
    assert "carrying out" not in (there.parent / "run" / "server-start.log").read_text()
    fault.heal()


def test_mysqld_is_killed_after_the_server_is_stopped(
    site: Site, place: Place, there: Path
) -> None:
    place.kube.output = stat(7, "mysqld")
    fault = ServerCommandMysqldKilled(site)
    fault.note()
    was_there: list[bool] = []
    place.kube.before["execute"] = lambda *_: was_there.append(there.exists())
    fault.inject()
    assert place.kube.executed[-1] == ("mysql-0", "hand", "kill", "-KILL", "7")
    assert not any(was_there)
    place.kube.output = stat(7, "mysqld", "Z")
    assert fault.prove_effect().endswith("mysqld, process 7, runs no more")
    assert fault.still_there()
    fault.heal()
    place.kube.output = stat(30, "mysqld")
    assert "mysqld is process 30" in fault.prove_healed()


def test_a_server_out_of_reach_from_here_is_asked_from_a_pod(site: Site, there: Path) -> None:
    there.write_text("pods only")
    assert ServerCommand(site).available() is None


def test_a_server_that_nobody_hears_is_not_stopped(site: Site, there: Path) -> None:
    there.unlink()
    assert ServerCommand(site).available() == (
        "nas answers NFS calls neither here nor in MySQL's pod"
    )


def test_a_command_that_fails_is_an_error(site: Site) -> None:
    fault = ServerCommand(replace(site, commands=ServerCommands("exit 3", "true")))
    with pytest.raises(LandfastError, match="exit code 3"):
        fault.inject()


def test_without_commands_it_is_skipped(site: Site) -> None:
    with pytest.raises(MissingCapability, match=r"server\.commands: .*--server-stop"):
        ServerCommand(replace(site, commands=None))


def test_a_volume_that_names_no_server_is_skipped(site: Site, place: Place) -> None:
    meta = {"name": "pvc-1"}
    place.kube.put({"kind": "PersistentVolume", "metadata": meta, "spec": {"csi": {"driver": "x"}}})
    with pytest.raises(MissingCapability, match="PV pvc-1 does not name its server"):
        ServerCommand(site)
