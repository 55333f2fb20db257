"""Volumes on a fake API and a folder for an export."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes import FakeKube
from obedient_provisioner import PV, PVC, Provisioner

from fixtures.provisioner import Bench
from landfast import timeouts
from landfast.environment import Environment
from landfast.images import Images
from landfast.journal import Journal
from landfast.manifests import Overlay
from landfast.nfs.export import Export
from landfast.nfs.inspector import ExportInspector
from landfast.provisioning.contract import ClassSettings, Fate, Line, PvcMeta, Reclaimed
from landfast.provisioning.detection import detect
from landfast.provisioning.observed import GONE, ObservedVolume
from landfast.provisioning.volumes import (
    BoundVolume,
    clear,
    create_pvcs,
    prepared,
    provisioned,
    volumes_of_class,
)
from landfast.stack import Stack
from landfast.steps import Refuted, Steps
from landfast.verdict import MissingCapability
from landfast.waiting import NotStable, WaitTimeout

IMAGES = Images("kit", "node", "nfs", "provisioner", "mysql", "busybox", "recycler")


def execute(argv: Sequence[str]) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


@pytest.fixture
def stack(kube: FakeKube, tmp_path: Path) -> Stack:
    (tmp_path / "run" / "one").mkdir(parents=True)
    inspector = ExportInspector(execute, PurePosixPath(tmp_path), "here", own="run")
    export = Export(server="10.0.0.1", path="/export", kind="external")
    env = SimpleNamespace(
        cluster=SimpleNamespace(kube=kube, owned=True), inspector=inspector, export=export
    )
    overlay = Overlay(
        export, IMAGES, "r", subtree="run/one", suffix="-one", namespace="landfast-one"
    )
    return Stack(cast("Environment", env), overlay)


Start = Callable[[Line], Provisioner]


@pytest.fixture
def start(stack: Stack, kube: FakeKube, tmp_path: Path) -> Start:
    return lambda line: Provisioner(stack, kube, tmp_path / "run" / "one", line)


@pytest.mark.parametrize("line", Line)
def test_detection_names_the_line_that_the_provisioner_obeys(
    line: Line, stack: Stack, start: Start, kube: FakeKube, tmp_path: Path
) -> None:
    start(line)
    lease = ("Lease", stack.system_namespace, "nfs-client-one")
    if line is Line.LEASES:
        kube.put({"kind": "Lease", "metadata": {"name": lease[2], "namespace": lease[1]}})
    found = detect(stack)
    assert found.line is line, str(found)
    assert set(kube.objects) <= {lease}
    assert list((tmp_path / "run" / "one").iterdir()) == []


@pytest.mark.parametrize("line", Line)
def test_neither_line_is_detected_where_classes_are_ignored(
    line: Line, stack: Stack, start: Start, kube: FakeKube
) -> None:
    start(line)
    ignore = {"parameters": {"onDelete": "retain"}}
    stack.changes.append(lambda obj: {**obj, **ignore} if obj["kind"] == "StorageClass" else obj)
    assert detect(stack).line is None


def test_volume_is_removed_before_its_pvc_so_that_nobody_reclaims_it(
    stack: Stack, start: Start, kube: FakeKube
) -> None:
    start(Line.V402)
    with provisioned(stack, "data", ClassSettings()) as volume:
        volume.write()
        assert volume.look() == ObservedVolume("Bound", ("landfast-one-data-pvc-data",), True, True)
    deleted = [(kind, name) for verb, kind, name in kube.verbs if verb == "delete"]
    assert deleted == [(PV, "pvc-data"), (PVC, "data"), ("StorageClass", "data-one")]
    clear(stack)
    assert stack.export.list() == {}


@pytest.mark.parametrize("owned", [True, False])
def test_recycler_pod_of_a_prepared_volume_is_removed_from_an_owned_cluster(
    owned: bool, stack: Stack, start: Start, kube: FakeKube
) -> None:
    stack.env.cluster.owned = owned  # type: ignore[misc]
    stack.env.cluster.require = lambda capability: None  # type: ignore[method-assign]
    start(Line.V402)
    kube.before["list"] = kube.before["create"] = lambda *_: None
    made: list[Any] = []

    def available(kind: str, name: str) -> None:
        pv = kube.objects.get((PV, None, "data-one"))
        if kind == PV and pv is not None and "status" not in pv:
            pv["status"] = {"phase": "Available"}
        bind(kind, name)

    bind, kube.before["get"] = kube.before["get"], available
    with prepared(stack, "data", ClassSettings("Recycle")) as volume:
        made = [kube.objects["StorageClass", None, "data-one"]["reclaimPolicy"]]
        made.append(kube.objects[PV, None, volume.name]["spec"]["persistentVolumeReclaimPolicy"])
        assert volume.directory == "data"
    assert made == ["Delete", "Recycle"]
    assert (("delete", "Pod", "recycler-for-data-one") in kube.verbs) is owned


def test_nothing_is_recycled_where_that_would_run_a_pod_of_root_in_default(
    stack: Stack, kube: FakeKube
) -> None:
    def refuse(capability: str) -> None:
        raise MissingCapability(capability, "no consent")

    stack.env.cluster.require = refuse  # type: ignore[method-assign]
    before = [*kube.objects]
    with (
        pytest.raises(MissingCapability, match="cluster.recycler"),
        prepared(stack, "data", ClassSettings("Recycle")),
    ):
        pass
    assert [*kube.objects] == before


def volume_in(stack: Stack, kube: FakeKube, phase: str) -> BoundVolume:
    kube.put({"kind": PV, "metadata": {"name": "v"}, "spec": {}, "status": {"phase": phase}})
    return BoundVolume(stack, "v", PvcMeta("landfast-one", "data"), "/export/run/one/team/data")


def test_wait_ends_early_where_the_phase_cannot_come(stack: Stack, kube: FakeKube) -> None:
    volume = volume_in(stack, kube, "Released")
    event = {
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default", "creationTimestamp": "2026"},
        "involvedObject": {"name": "v"},
        "reason": "VolumeFailedDelete",
        "message": "device or resource busy",
    }
    kube.put(event)
    with pytest.raises(WaitTimeout, match="device or resource busy"):
        volume.wait_for(GONE)
    kube.delete(PV, "v")
    with pytest.raises(WaitTimeout, match="no longer exists"):
        volume.wait_for("Released")


def test_phase_that_does_not_last_is_an_error(stack: Stack, kube: FakeKube) -> None:
    volume = volume_in(stack, kube, "Released")
    phases = iter(["Released", "Released", "Available"])
    kube.before["get"] = lambda *_: kube.objects[PV, None, "v"]["status"].update(phase=next(phases))
    with pytest.raises(NotStable, match="Available"):
        volume.wait_for("Released")


def test_wait_runs_out_with_the_last_phase(
    stack: Stack, kube: FakeKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "RECLAIM", 0.01)
    with pytest.raises(WaitTimeout, match="volume v to be gone; last state: 'Bound'"):
        volume_in(stack, kube, "Bound").wait_for(GONE)


@pytest.mark.parametrize(
    ("settings", "seen", "fate"),
    [
        (ClassSettings(), ("gone", (), False), Fate(Reclaimed.REMOVED, None)),
        (ClassSettings(), ("gone", (), True), Fate(Reclaimed.EMPTIED, None)),
        (ClassSettings(), ("gone", ("archived-x",), False), Fate(Reclaimed.ARCHIVED, "archived-x")),
        (ClassSettings(), ("gone", ("team/data",), True), Fate(Reclaimed.LEAKED, "team/data")),
        (
            ClassSettings(on_delete="retain"),
            ("gone", ("team/data",), True),
            Fate(Reclaimed.KEPT, "team/data"),
        ),
        (
            ClassSettings("Retain"),
            ("Released", ("team/data",), True),
            Fate(Reclaimed.KEPT, "team/data", "Released"),
        ),
        (
            ClassSettings(),
            ("Released", ("team/data",), True),
            Fate(Reclaimed.FAILED, "team/data", "Released"),
        ),
    ],
)
def test_observation_shows_a_fate(
    stack: Stack,
    kube: FakeKube,
    settings: ClassSettings,
    seen: tuple[str, tuple[str, ...], bool],
    fate: Fate,
) -> None:
    phase, data, directory = seen
    volume = volume_in(stack, kube, "Bound")
    observed = ObservedVolume(phase, data, intact=True, directory=directory)
    assert volume.observed_fate(settings, observed) == fate


def test_fate_in_words_names_no_object(stack: Stack, kube: FakeKube) -> None:
    volume = BoundVolume(stack, "pvc-1", PvcMeta("landfast-one", "data"), "/export/run/one/x")
    words = volume.in_words(Fate(Reclaimed.ARCHIVED, "archived-landfast-one-data-pvc-1"))
    assert words == "archived as archived-NAMESPACE-PVC-VOLUME, volume gone"


def test_volume_outside_the_export_has_no_directory(stack: Stack) -> None:
    volume = BoundVolume(stack, "v", PvcMeta("landfast-one", "data"), "/export/run")
    assert not volume.on_export
    with pytest.raises(ValueError, match="subpath"):
        _ = volume.directory


def test_many_pvcs_are_of_the_stacks_class(stack: Stack, kube: FakeKube) -> None:
    assert create_pvcs(stack, 3) == ["pvc-00", "pvc-01", "pvc-02"]
    classes = {obj["spec"]["storageClassName"] for obj in kube.objects.values()}
    assert classes == {stack.storage_class} == {"nfs-ssd-one"}
    volume_in(stack, kube, "Bound")
    assert volumes_of_class(stack, stack.storage_class) == []


@pytest.fixture
def bench(stack: Stack, tmp_path: Path) -> Bench:
    return Bench(stack, Steps(Journal(tmp_path / "journal.jsonl"), "test"), lambda: Line.V402)


def test_volume_with_the_expected_fate_passes(bench: Bench, start: Start) -> None:
    start(Line.V402)
    with bench.volume("data", ClassSettings()) as volume:
        seen = bench.reclaim(volume, volume.fate(Line.V402, ClassSettings()))
    assert seen.data == (f"archived-{volume.directory}",)
    assert bench.steps.observed == 1


def test_volume_whose_end_takes_its_neighbours_along_fails(
    bench: Bench, start: Start, tmp_path: Path
) -> None:
    start(Line.V402)
    export = tmp_path / "run" / "one"

    def take_along() -> None:
        with bench.volume("data", ClassSettings()) as volume:
            for folder in export.glob(f"{volume.directory}*"):
                shutil.rmtree(folder)

    def overwrite() -> None:
        with bench.volume("data", ClassSettings()):
            (export / "unrelated-bystander" / "bystander.txt").write_text("mine now")

    with pytest.raises(pytest.fail.Exception, match="of others are gone: .*-data-bystander"):
        take_along()
    with pytest.raises(pytest.fail.Exception, match="of others has changed: unrelated-bystander"):
        overwrite()


def test_bystanders_are_not_asked_for_where_everything_may_go(
    bench: Bench, start: Start, tmp_path: Path
) -> None:
    start(Line.V402)
    with bench.volume("data", ClassSettings(), spares=False):
        assert not list((tmp_path / "run" / "one").glob("*bystander*"))


def test_volume_with_another_fate_fails(bench: Bench, start: Start) -> None:
    start(Line.V402)
    with bench.volume("data", ClassSettings()) as volume:
        with pytest.raises(Refuted, match="not nowhere"):
            bench.reclaim(volume, Fate(Reclaimed.REMOVED, None))
        with pytest.raises(pytest.fail.Exception, match="not in here"):
            bench.judge(volume, Fate(Reclaimed.KEPT, "here"))


@pytest.mark.usefixtures("impatient")
def test_only_the_end_of_the_volume_is_a_verdict(bench: Bench, start: Start) -> None:
    with pytest.raises(WaitTimeout), bench.volume("data", ClassSettings()):
        pass
    start(Line.V402)
    seen: list[ObservedVolume] = []
    with (
        bench.volume("data", ClassSettings()) as volume,
        pytest.raises(Refuted, match="no longer exists"),
    ):
        bench.reclaim(volume, Fate(Reclaimed.KEPT, None, "Released"), seen.append)
    assert [found.phase for found in seen] == [GONE]
