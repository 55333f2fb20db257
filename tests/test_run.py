"""Run records: by them, and by nothing else, is known what belongs to whom."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import die

from landfast import paths, process, run
from landfast.errors import BadInput, LandfastError
from landfast.run import RunRecord, new_record, new_run_id, records


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")


def test_a_run_is_alive_while_its_process_is() -> None:
    record = new_record(run_id="r1")
    assert record.alive
    assert records() == [record]


RUN = """
import sys
from pathlib import Path
from landfast import paths, run
paths.cache = lambda: Path(sys.argv[1])
run.new_record(run_id="r1")
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other() -> Iterator["subprocess.Popen[bytes]"]:
    """A run of another process."""
    argv = [sys.executable, "-c", RUN, str(paths.cache())]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_the_run_of_another_process_is_alive_until_that_is_killed(
    other: "subprocess.Popen[bytes]",
) -> None:
    (record,) = records()
    assert (record.pid, record.alive) == (other.pid, True)
    assert record.alive, "the question changes nothing"
    other.kill()
    other.wait()
    assert not record.alive


def test_a_run_is_alive_where_processes_cannot_be_looked_up(
    other: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "start_time", lambda _: None)
    mine = new_record(run_id="r2")
    assert [known.alive for known in records()] == [True, True]
    mine.forget()
    assert [known.run_id for known in records()] == ["r1"]


def test_a_program_that_a_run_starts_does_not_keep_it_alive(tmp_path: Path) -> None:
    record = new_record(run_id="r1")
    pid = process.start_daemon(["sleep", "60"], log=tmp_path / "log", env={})
    die(record)
    assert not record.alive
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_the_record_of_an_older_version_is_known_by_its_process() -> None:
    record = new_record(run_id="r1")
    (record.folder / "alive").unlink()
    assert record.alive
    record.pid_started -= 1
    assert not record.alive


def test_a_lock_that_may_not_be_asked_is_one_sentence() -> None:
    record = new_record(run_id="r1")
    (record.folder / "alive").unlink()
    (record.folder / "alive").mkdir()
    with pytest.raises(LandfastError, match=r"r1/alive cannot be locked: Is a directory$"):
        _ = record.alive


def test_names_are_made_of_the_id() -> None:
    record = RunRecord(run_id="1123-201502-9f3a", pid=1, pid_started=1)
    assert record.name == "landfast-1123-201502-9f3a"
    assert record.docker_label == "landfast.run=1123-201502-9f3a"


def test_a_record_survives_as_it_was() -> None:
    kept = new_record(existing=(Path("/a/config"), "staging"), run_id="r1")
    (found,) = records()
    assert found == kept
    assert found.existing == (Path("/a/config"), "staging")


def test_records_come_oldest_first_and_can_be_forgotten() -> None:
    later, earlier = new_record(run_id="1124-1"), new_record(run_id="1123-1")
    assert [r.run_id for r in records()] == ["1123-1", "1124-1"]
    earlier.forget()
    earlier.forget()
    assert records() == [later]


def test_a_record_that_was_being_written_is_not_there_yet() -> None:
    folder = paths.records() / "r1"
    folder.mkdir(parents=True)
    (folder / "record.json.part").write_text('{"run_id": "r1"')
    assert records() == []


def test_saving_again_replaces_the_record_as_a_whole() -> None:
    record = new_record(run_id="r1")
    before = (record.folder / "record.json").stat().st_ino
    record.kept = True
    record.save()
    assert (record.folder / "record.json").stat().st_ino != before
    assert records()[0].kept
    assert sorted(path.name for path in record.folder.iterdir()) == ["alive", "record.json"]


def test_a_run_that_ends_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    new_record(run_id="r1")
    new_record(run_id="r2")
    read = Path.read_text

    def vanish(path: Path) -> str:
        if "r1" in path.parts:
            raise FileNotFoundError(path)
        return read(path)

    monkeypatch.setattr(Path, "read_text", vanish)
    assert [r.run_id for r in records()] == ["r2"]


def test_a_record_that_is_none_is_named() -> None:
    new_record(run_id="r1")
    path = paths.records() / "r1" / "record.json"
    path.write_text("{}")
    with pytest.raises(
        LandfastError, match=r"r1/record.json is not the record of a run; look at it"
    ):
        records()


def test_a_cache_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "file")
    with pytest.raises(BadInput, match="cannot be written: Not a directory$"):
        new_record(run_id="r1")


def test_a_kept_cluster_is_used_by_one_run_at_a_time() -> None:
    record = new_record(run_id="r1")
    in_use = pytest.raises(BadInput, match=r"landfast-r1 is in use .* omit --keep")
    assert not record.in_use
    with record.lock():
        assert record.in_use
        with in_use, record.lock():
            pass
    assert not record.in_use


def test_ids_sort_by_time_and_fit_into_names() -> None:
    ids = [new_run_id() for _ in range(50)]
    assert len(set(ids)) > 45  # two of 50 are equal in one try of 50; five pairs never are
    for run_id in ids:
        assert len(f"landfast-{run_id}-control-plane") < 64
        assert run_id.replace("-", "").isalnum()
        assert run_id == run_id.lower()
