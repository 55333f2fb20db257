"""Run records: by them, and by nothing else, is known what belongs to whom."""

import os
from pathlib import Path

import pytest

from landfast import paths
from landfast.errors import BadInput, LandfastError
from landfast.process import start_time
from landfast.run import RunRecord, new_record, new_run_id, records


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")


def test_a_run_is_alive_while_its_process_is() -> None:
    record = new_record(run_id="r1")
    assert record.alive
    assert records() == [record]


def test_a_record_of_a_process_that_ended_is_dead() -> None:
    pid = os.fork()
    if pid == 0:
        new_record(run_id="r1")
        os._exit(0)
    os.waitpid(pid, 0)
    (record,) = records()
    assert record.pid == pid
    assert not record.alive


def test_another_process_of_the_same_id_is_not_the_run() -> None:
    mine = start_time(os.getpid())
    assert mine is not None
    record = RunRecord(run_id="r", pid=os.getpid(), pid_started=mine - 1)
    assert not record.alive


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
    assert [path.name for path in record.folder.iterdir()] == ["record.json"]


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
