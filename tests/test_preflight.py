"""Every node is asked for the images before the first test; what it lacks is one sentence."""

from collections.abc import Callable

import pytest
from fakes import FakeFencedKube, refusal

from landfast import timeouts
from landfast.cluster import preflight
from landfast.errors import BadInput
from landfast.kube import Object
from landfast.run import RUN_LABEL

RUN, OWN = "r1", "landfast-r1"
IMAGES = ("r/box:1", "r/db:1")


def obj(kind: str, name: str, **fields: object) -> Object:
    labels = {RUN_LABEL: RUN}
    space = {} if kind == "Namespace" else {"namespace": OWN}
    return {"kind": kind, "metadata": {"name": name, "labels": labels, **space}, **fields}


State = Callable[[str], Object]
"""Returns the state of an image's container."""


def started(_image: str) -> Object:
    return {"terminated": {"reason": "StartError", "exitCode": 128}}


def waiting(reason: str, of: str = IMAGES[1]) -> State:
    state = {"waiting": {"reason": reason, "message": "no such host"}}
    return lambda image: state if image == of else started(image)


class Cluster(FakeFencedKube):
    """Starts pods as a kubelet does whose containers get into a state."""

    def __init__(self, state: State) -> None:
        super().__init__(RUN, obj("Namespace", OWN), obj("ServiceAccount", "default"))
        self.state = state
        self.made: list[Object] = []

    def put(self, obj: Object) -> Object:
        kept = super().put(obj)
        if kept["kind"] == "Pod":
            self.made.append(kept)
            images = [container["image"] for container in kept["spec"]["containers"]]
            statuses = [{"name": i, "image": i, "state": self.state(i)} for i in images]
            kept["status"] = {"phase": "Pending", "containerStatuses": statuses}
        return kept


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "POD_CANNOT_START", 0)
    monkeypatch.setattr(timeouts, "IMAGE_PULL", 0.2)


def pull(kube: Cluster) -> None:
    preflight.pull(kube, OWN, ["n1", "n2"], IMAGES)


def test_a_pod_on_each_node_names_every_image_and_is_removed() -> None:
    kube = Cluster(started)
    pull(kube)
    assert [pod["spec"]["nodeName"] for pod in kube.made] == ["n1", "n2"]
    for pod in kube.made:
        assert [c["image"] for c in pod["spec"]["containers"]] == [*IMAGES]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert not [name for kind, _, name in kube.objects if kind == "Pod"]


@pytest.mark.parametrize("reason", ["RunContainerError", "CreateContainerError"])
def test_an_image_whose_program_does_not_start_is_there(reason: str) -> None:
    pull(Cluster(waiting(reason)))


@pytest.mark.parametrize(
    "reason",
    ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "SignatureValidationFailed"],
)
def test_an_image_that_cannot_be_pulled_is_one_sentence(reason: str) -> None:
    with pytest.raises(BadInput) as said:
        pull(Cluster(waiting(reason)))
    text = str(said.value)
    for words in ("node n1 cannot pull r/db:1: ", reason, "no such host", "--pull-secret"):
        assert words in text
    assert "\n" not in text


def test_an_image_that_takes_too_long_is_named() -> None:
    with pytest.raises(BadInput, match="cannot pull r/box:1: waited"):
        pull(Cluster(waiting("ContainerCreating", IMAGES[0])))


@pytest.mark.parametrize(
    "said",
    ["violates PodSecurity", "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"],
)
def test_a_cluster_that_refuses_the_pods_is_bad_input(said: str) -> None:
    kube = Cluster(started)

    def refuse(kind: str, _name: str) -> None:
        if kind == "Pod":
            raise refusal(403, said)

    kube.before["create"] = refuse
    with pytest.raises(BadInput, match="a pod that pulls the images is refused: .*" + said[:12]):
        pull(kube)
