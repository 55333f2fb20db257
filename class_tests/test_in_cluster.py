"""Runs inside the cluster, as a Job and as a plugin of Sonobuoy: they judge as one outside does."""

import base64
import io
import json
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from class_tests.foreign import STORAGE_CLASS, Foreign
from class_tests.in_cluster import Administrator
from class_tests.running import judge
from landfast import process, timeouts
from landfast.journal import TestFinished, read_journal
from landfast.kube.client import Object
from landfast.kube.placement import LINUX, OS
from landfast.verdict import Verdict
from landfast.waiting import wait_until

_SPACE = "landfast"
_PIECES = '{{range .items}}{{index .binaryData "landfast.tar.gz"}}{{end}}'  # docs/in-cluster.md
_STATUS = {Verdict.PASS: "passed", Verdict.SKIPPED: "skipped"}


@pytest.fixture(scope="module")
def outside(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """The verdicts of a run outside the cluster."""
    return judge(foreign, "conformance", tmp_path_factory.mktemp("outside"))


def _objects(image: str, *arguments: str) -> str:
    """Return what `landfast job` prints."""
    program = Path(sys.executable).with_name("landfast")
    asked: list[str | Path] = [program, "job", "--images", "kit", "--image", image, *arguments]
    return process.run(asked, timeout=timeouts.COMMAND).stdout


def _ended(administrator: Administrator, suite: str) -> Object:
    """Wait for the end of a Job, and return the state of its container."""

    def look() -> list[Object]:
        asked = administrator.kubectl(
            *["get", "pods", "-n", _SPACE, "-l", f"job-name=landfast-{suite}", "-o", "json"]
        )
        pods: list[Object] = json.loads(asked.stdout)["items"]
        return [c["state"] for pod in pods for c in pod["status"].get("containerStatuses", ())]

    states = wait_until(
        "the Job's pod to end",
        look,
        until=lambda found: len(found) == 1 and "terminated" in found[0],
        timeout=timeouts.RUN,
        interval=2,
    )
    return dict(states[0]["terminated"])


def _summary(administrator: Administrator, suite: str) -> dict[str, str]:
    asked = administrator.kubectl(
        "get", "configmap", "-n", _SPACE, f"landfast-{suite}", "-o", "json"
    )
    return dict(json.loads(asked.stdout)["data"])


def _verdicts(folder: Path) -> dict[str, Verdict]:
    (journal,) = folder.rglob("journal.jsonl")
    events = [event for event in read_journal(journal) if isinstance(event, TestFinished)]
    return {event.claim: event.verdict for event in events}


def _unpack(archive: bytes, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def test_job_judges_as_a_run_outside_does(
    foreign: Foreign,
    administrator: Administrator,
    image: str,
    outside: dict[str, Verdict],
    tmp_path: Path,
) -> None:
    """Its ConfigMaps hold the report, and nothing is left once they are deleted."""
    before = foreign.dump()
    objects = _objects(image, "--storage-class", STORAGE_CLASS)
    administrator.kubectl("apply", "-f", "-", text=objects)
    try:
        ended = _ended(administrator, "conformance")
        assert ended["exitCode"] == 0, _log(administrator, "conformance")
        summary = _summary(administrator, "conformance")
        assert summary["exit-code"] == "0"
        assert summary["verdict"] == "PASS"
        assert "landfast conformance" in summary["summary.md"]
        label = "landfast/results=conformance"
        pieces = administrator.kubectl(
            *["get", "configmap", "-n", _SPACE, "-l", label, "-o", f"go-template={_PIECES}"]
        )
        folder = _unpack(base64.b64decode(pieces.stdout), tmp_path)
        assert list(folder.rglob("report.html"))
        assert _verdicts(folder) == outside
    finally:
        administrator.kubectl("delete", "-f", "-", text=objects)
    assert foreign.dump() == before


def test_job_of_a_class_that_is_not_there_fails_with_landfasts_exit_code(
    administrator: Administrator, image: str
) -> None:
    """As the command itself does."""
    objects = _objects(image, "--storage-class", "no-such-class", "smoke")
    administrator.kubectl("apply", "-f", "-", text=objects)
    try:
        ended = _ended(administrator, "smoke")
        assert ended["exitCode"] == 4, _log(administrator, "smoke")
        assert _summary(administrator, "smoke")["exit-code"] == "4"
    finally:
        administrator.kubectl("delete", "-f", "-", text=objects)


def _log(administrator: Administrator, suite: str) -> str:
    return administrator.kubectl("logs", "-n", _SPACE, f"job/landfast-{suite}").stdout


def test_sonobuoy_shows_the_verdicts_of_a_run_outside(
    foreign: Foreign,
    administrator: Administrator,
    image: str,
    outside: dict[str, Verdict],
    tmp_path: Path,
) -> None:
    """`sonobuoy retrieve` brings the report, `sonobuoy results` its testcases."""
    before = foreign.dump()
    plugin = tmp_path / "landfast.yaml"
    plugin.write_text(_objects(image, "--storage-class", STORAGE_CLASS, "--sonobuoy"))
    # by itself it gives its workers an IPv4 address in brackets, which Go 1.26 refuses in a URL
    address, config = "sonobuoy-aggregator:8080", tmp_path / "config.json"
    config.write_text(json.dumps({"Server": {"advertiseaddress": address}}))
    sonobuoy = administrator.bring_sonobuoy()
    try:
        administrator.sonobuoy(
            *["run", "--config", str(config), "--plugin", str(plugin), "--wait=30"],
            *["--sonobuoy-image", sonobuoy, "--image-pull-policy", "IfNotPresent"],
            *["--aggregator-node-selector", f"{OS}:{LINUX}", "--skip-preflight=true"],
        )
        administrator.sonobuoy("retrieve", str(tmp_path), "--filename", "results.tar.gz")
        results = tmp_path / "results.tar.gz"
        shown = administrator.sonobuoy("results", str(results), "--plugin=landfast", "--mode=dump")
    finally:
        administrator.sonobuoy("delete", "--wait")
    folder = _unpack(results.read_bytes(), tmp_path / "results")
    assert _verdicts(folder) == outside, shown.stdout
    (junit,) = folder.rglob("junit.xml")
    assert Counter(_leaves(yaml.safe_load(shown.stdout))) == Counter(_cases(junit))
    assert foreign.dump() == before


def _leaves(item: Any) -> list[tuple[str, str]]:
    """Return name and status of each testcase that Sonobuoy shows."""
    if below := item.get("items"):
        return [leaf for child in below for leaf in _leaves(child)]
    return [(item["name"], item["status"])]


def _cases(junit: Path) -> list[tuple[str, str]]:
    """Return name and status of each testcase, as Sonobuoy should show its verdict."""
    cases = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - of our own report
    return [(case.attrib["name"], _status(case)) for case in cases]


def _status(case: ET.Element) -> str:
    (verdict,) = [p.attrib["value"] for p in case.iter("property") if p.get("name") == "verdict"]
    return _STATUS.get(Verdict(verdict), "failed")
