"""The CSI driver on a cluster: what is created, when it counts as there, what is left of it."""

from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEngine, FakeKube

from landfast import registry
from landfast.cluster.base import Cluster
from landfast.environment import Environment
from landfast.errors import BadInput
from landfast.images import Images
from landfast.kit.images import ImageBuilder
from landfast.nfs.export import Export
from landfast.progress import Progress
from landfast.provisioning.csi import DRIVER, Options
from landfast.provisioning.csi_driver import CsiDriver, bring_images, csi_driver
from landfast.verdict import MissingCapability
from landfast.waiting import WaitTimeout

NODES = ("c-control-plane", "c-worker")
IMAGES = {name: f"landfast/{name}:1" for name in ("nfs-csi", "csi-provisioner", "csi-resizer")}
OBJECTS = CsiDriver(IMAGES, "1a2b", defect="expansion-lies").objects()


def environment(kube: FakeKube, engine: FakeEngine | None, **missing: str) -> Environment:
    cluster = Cluster(
        provider="kind", name="c", kubeconfig=Path("none"), context="c", nodes=NODES, **missing
    )
    cluster.__dict__["kube"] = kube
    return Environment(
        run_id="1a2b",
        cluster=cluster,
        export=Export(server="nfs", path="/", kind="external"),
        images=Images("kit", *["image"] * 6),
        nfs_client="fuse",
        engine=engine,
    )


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """Build images in no time, and return what is loaded into nodes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(ImageBuilder, "image", lambda _, name: IMAGES[name])
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(registry, "load_into_nodes", lambda *call: calls.append(call[1:]))
    return calls


def node(name: str, *drivers: str) -> dict[str, Any]:
    spec = {"drivers": [{"name": driver} for driver in drivers]}
    return {"kind": "CSINode", "metadata": {"name": name}, "spec": spec}


def obeying(kube: FakeKube, ready: int = 2) -> FakeKube:
    """Have the cluster do what its controllers do: pods run, kubelets know the driver."""

    def started(kind: str, name: str) -> None:
        if found := kube.objects.get((kind, "csi-nfs", name)):
            ready_of = {"Deployment": {"availableReplicas": 1}}
            found["status"] = ready_of.get(
                kind, {"numberAvailable": ready, "desiredNumberScheduled": 2}
            )

    kube.before["get"] = started
    return kube


def containers() -> list[dict[str, Any]]:
    specs = [
        obj["spec"]["template"]["spec"] for obj in OBJECTS if "template" in obj.get("spec", {})
    ]
    return [container for spec in specs for container in spec["containers"]]


def test_everything_has_the_runs_label_and_an_image_of_the_kit() -> None:
    labelled = [obj["metadata"]["labels"] for obj in OBJECTS]
    labelled += [
        obj["spec"]["template"]["metadata"]["labels"]
        for obj in OBJECTS
        if "template" in obj.get("spec", {})
    ]
    assert {labels["landfast/run"] for labels in labelled} == {"1a2b"}
    assert {container["image"] for container in containers()} == set(IMAGES.values())


def test_a_defect_is_planted_in_the_driver_on_controller_and_nodes() -> None:
    variables = [v for container in containers() for v in container.get("env", ())]
    planted = [v["value"] for v in variables if v["name"] == "DEFECT"]
    assert planted == ["expansion-lies", "expansion-lies"]


def test_the_driver_has_the_released_ones_name_and_only_it_is_privileged() -> None:
    (driver,) = [obj for obj in OBJECTS if obj["kind"] == "CSIDriver"]
    assert driver["metadata"]["name"] == DRIVER
    assert driver["spec"]["attachRequired"] is False
    privileged = [c["image"] for c in containers() if c["securityContext"].get("privileged")]
    assert set(privileged) == {IMAGES["nfs-csi"]}


def test_it_is_there_while_the_body_runs_and_nothing_stays(loaded: list[tuple[Any, ...]]) -> None:
    kube = obeying(FakeKube(*[node(name, "other", DRIVER) for name in NODES]))
    with csi_driver(environment(kube, FakeEngine()), Progress()) as driver:
        created = {kind for verb, kind, _ in kube.changes() if verb == "create"}
        assert {"CSIDriver", "DaemonSet", "Deployment"} < created
        assert driver.defect == ""
    plugin, *sidecars = IMAGES.values()
    assert loaded == [([plugin], list(NODES)), (sidecars, [NODES[0]])]
    assert {kind for kind, _, _ in kube.objects} == {"CSINode"}


@pytest.mark.usefixtures("loaded", "impatient")
@pytest.mark.parametrize(
    ("drivers", "ready", "said"),
    [
        ((DRIVER,), 1, "DaemonSet csi-nfs-node is not available"),
        ((), 2, "the kubelet of c-worker does not know it"),
    ],
)
def test_what_does_not_come_is_said_and_nothing_stays(
    drivers: tuple[str, ...], ready: int, said: str
) -> None:
    kube = obeying(FakeKube(node(NODES[0], DRIVER), node(NODES[1], *drivers)), ready)
    with (
        pytest.raises(WaitTimeout, match=said),
        csi_driver(environment(kube, FakeEngine()), Progress()),
    ):
        pytest.fail("it was there")
    assert {kind for kind, _, _ in kube.objects} == {"CSINode"}


def test_a_driver_of_somebody_else_stays(loaded: list[tuple[Any, ...]]) -> None:
    theirs = {"kind": "CSIDriver", "metadata": {"name": DRIVER}}
    kube = FakeKube(theirs)
    with (
        pytest.raises(BadInput, match="has a CSI driver nfs.csi.k8s.io already"),
        csi_driver(environment(kube, FakeEngine()), Progress()),
    ):
        pytest.fail("it was replaced")
    assert kube.changes() == []
    assert loaded == []


@pytest.mark.usefixtures("loaded")
def test_what_a_killed_run_left_is_replaced() -> None:
    left = {"kind": "CSIDriver", "metadata": {"name": DRIVER, "labels": {"landfast/run": "dead"}}}
    kube = obeying(FakeKube(left, *[node(name, DRIVER) for name in NODES]))
    with csi_driver(environment(kube, FakeEngine()), Progress()):
        found = kube.find("CSIDriver", DRIVER)
        assert found is not None
        assert found["metadata"]["labels"]["landfast/run"] == "1a2b"


def test_the_drivers_own_options_reach_its_command_line() -> None:
    objects = CsiDriver(IMAGES, "1a2b", Options(default_on_delete="retain")).objects()
    specs = [o["spec"]["template"]["spec"] for o in objects if "template" in o.get("spec", {})]
    commands = {c["image"]: c["args"] for spec in specs for c in spec["containers"]}
    given = {
        image for image, args in commands.items() if "--default-ondelete-policy=retain" in args
    }
    assert given == {IMAGES["nfs-csi"]}


def test_images_of_a_registry_have_no_stand_in() -> None:
    kube = FakeKube()
    env = environment(kube, FakeEngine())
    pulled = env.model_copy(update={"images": Images("registry", *["image"] * 6)})
    with pytest.raises(MissingCapability) as missing, csi_driver(pulled, Progress()):
        pytest.fail("it was made")
    assert missing.value.capability == "csi.driver"
    assert kube.verbs == []


def test_a_cluster_of_somebody_else_gets_none() -> None:
    kube = FakeKube()
    theirs = environment(kube, FakeEngine(), missing={"cluster.owned": "it is yours"})  # type: ignore[arg-type]
    with pytest.raises(MissingCapability), csi_driver(theirs, Progress()):
        pytest.fail("it was made")
    assert kube.verbs == []


def test_without_an_engine_there_are_no_images() -> None:
    with pytest.raises(BadInput, match="can be brought to no node of c"):
        bring_images(environment(FakeKube(), None), Progress())
