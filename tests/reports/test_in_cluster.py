"""What the pod of `landfast job` leaves: everything of a run, and its exit code."""

import base64
import io
import sys
import tarfile
from pathlib import Path

import pytest
from fakes import FakeKube, refusal
from hypothesis import given
from hypothesis import strategies as st
from report_sample import write_run

from landfast import cli, in_cluster
from landfast.kube import Object
from reports import render

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with its reports."""
    made = write_run(tmp_path / "1123-201502-9f3a")
    render(made)
    return made


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKube:
    """The API server of the pod's cluster; the pod is in the namespace `judges`."""
    account, fake = tmp_path / "account", FakeKube()
    account.mkdir()
    (account / "namespace").write_text("judges")
    monkeypatch.setattr(in_cluster, "kubeconfig_path", lambda *_: account)
    monkeypatch.setattr(in_cluster, "Kube", lambda *_: fake)
    return fake


def config_maps(kube: FakeKube) -> dict[str, Object]:
    found = kube.list("ConfigMap", "judges")
    return {obj["metadata"]["name"]: obj for obj in sorted(found, key=str)}


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getnames()


def joined(pieces: list[str]) -> bytes:
    """Join pieces as the command of docs/in-cluster.md does."""
    return base64.b64decode("".join(pieces), validate=True)


class TestSummary:
    def test_says_verdict_counts_and_what_is_not_pass(self, folder: Path, kube: FakeKube) -> None:
        in_cluster.to_config_maps("smoke", 1, folder)
        data = config_maps(kube)["landfast-smoke"]["data"]
        assert data["exit-code"] == "1"
        assert data["verdict"] == "FAIL"
        assert [line.split()[0] for line in data["counts"].splitlines()] == [
            *("FAIL", "UNKNOWN", "SKIPPED", "PASS")
        ]
        assert data["not-passed"].startswith("FAIL ")
        assert data["summary.md"].startswith("# FAIL: ")

    def test_run_that_did_not_begin_has_only_an_exit_code(self, kube: FakeKube) -> None:
        in_cluster.to_config_maps("smoke", 4, None)
        assert config_maps(kube)["landfast-smoke"]["data"] == {"exit-code": "4"}


class TestArchive:
    def test_has_the_whole_folder(self, folder: Path, kube: FakeKube) -> None:
        in_cluster.to_config_maps("conformance", 1, folder)
        piece = config_maps(kube)["landfast-conformance-000"]["binaryData"]["landfast.tar.gz"]
        found = names(joined([piece]))
        there = {f"{folder.name}/{p.relative_to(folder)}" for p in folder.rglob("*")}
        assert there | {folder.name, "exit-code"} == set(found)

    @given(st.binary(max_size=64), st.integers(1, 8))
    def test_pieces_join_to_the_archive(self, content: bytes, size: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(in_cluster, "archive", lambda *_: content)
            patch.setattr(in_cluster, "_PIECE", 3 * size)
            _, *pieces = in_cluster.config_maps("smoke", 0, None)
        assert sorted(p["metadata"]["name"] for p in pieces) == [
            p["metadata"]["name"] for p in pieces
        ]
        assert joined([p["binaryData"]["landfast.tar.gz"] for p in pieces]) == content

    def test_each_piece_fits_into_a_config_map(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(in_cluster, "archive", lambda *_: bytes(2 * MIB))
        _, *pieces = in_cluster.config_maps("smoke", 0, None)
        sizes = [len(joined([p["binaryData"]["landfast.tar.gz"]])) for p in pieces]
        assert sum(sizes) == 2 * MIB
        assert max(sizes) <= MIB


def test_an_earlier_runs_results_are_replaced_and_nobody_elses(
    folder: Path, kube: FakeKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(in_cluster, "_PIECE", 999)
        in_cluster.to_config_maps("smoke", 0, folder)
        in_cluster.to_config_maps("chaos", 0, folder)
    chaos = [name for name in config_maps(kube) if "chaos" in name]
    assert len(chaos) > 2
    in_cluster.to_config_maps("smoke", 0, folder)
    assert [*config_maps(kube)] == [*chaos, "landfast-smoke", "landfast-smoke-000"]


def test_sonobuoys_worker_is_told_of_a_complete_archive(folder: Path, tmp_path: Path) -> None:
    in_cluster.to_sonobuoy(0, folder, tmp_path)
    file = Path((tmp_path / "done").read_text())
    assert f"{folder.name}/junit.xml" in names(file.read_bytes())


class TestMain:
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
        monkeypatch.setattr(sys, "argv", [])

    def ends(self, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
        def end() -> None:
            raise SystemExit(code)

        monkeypatch.setattr(cli, "main", end)

    @pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 130])
    def test_pod_ends_as_landfast_does(
        self, code: int, kube: FakeKube, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.ends(monkeypatch, code)
        assert in_cluster.main(["configmaps", "smoke", "--storage-class=s"]) == code
        assert config_maps(kube)["landfast-smoke"]["data"]["exit-code"] == str(code)

    def test_suite_runs_on_the_pods_own_cluster(
        self, kube: FakeKube, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        self.ends(monkeypatch, 0)
        in_cluster.main(["configmaps", "smoke", "--storage-class=s"])
        assert sys.argv == [
            *("landfast", "smoke", "--cluster=existing", "--context=in-cluster"),
            *(f"--out={tmp_path / 'out'}", "--storage-class=s"),
        ]

    @pytest.mark.parametrize(("code", "ends"), [(0, 1), (2, 2)])
    def test_results_that_cannot_be_delivered_are_no_success(
        self,
        code: int,
        ends: int,
        kube: FakeKube,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def refuse(*_: str) -> None:
            raise refusal(403, "configmaps is forbidden")

        self.ends(monkeypatch, code)
        kube.before["create"] = refuse
        assert in_cluster.main(["configmaps", "smoke"]) == ends
        assert "the results cannot be delivered: " in capsys.readouterr().err
