"""What Recycle does where the nodes cannot have the recycler's image."""

import contextlib
from collections.abc import Iterator

import pytest

from landfast.environment import Environment
from landfast.kube.client import Object
from landfast.provisioning.volumes import Volume, prepared
from landfast.stack import Stack
from landfast.steps import ObserveFunction, StepFunction
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until
from suites.conformance.reclaim.recycling import RECYCLE, RECYCLER_NAMESPACE, keep, recycler

_BLOCKED_SECONDS = 40
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff")


@contextlib.contextmanager
def image_away(env: Environment, image: str) -> Iterator[None]:
    """Let no node have an image under its name, until the end.

    Raises:
        MissingCapability: the nodes are somebody's, or could pull it again.
    """
    env.cluster.require("cluster.node-shell")
    if env.engine is None or env.images.source != "kit":
        raise MissingCapability("nodes.offline", "the nodes would pull the recycler's image again")
    away = f"{image}-away"

    def rename(old: str, new: str) -> None:
        assert env.engine is not None
        for node in env.cluster.nodes:
            images = ["exec", node, "ctr", "--namespace", "k8s.io", "images"]
            env.engine.docker(*images, "tag", "--force", old, new)
            env.engine.docker(*images, "rm", "--sync", old)

    rename(image, away)
    try:
        yield
    finally:
        rename(away, image)


def waiting_reason(pod: Object) -> str:
    """Say why a pod's container does not run; empty if nothing is known."""
    statuses = pod.get("status", {}).get("containerStatuses", [{}])
    return str(statuses[0].get("state", {}).get("waiting", {}).get("reason", ""))


def remove_recycler(volume: Volume) -> None:
    """Remove a volume's recycler pod, once nobody would make it again."""
    keep(volume)
    name = f"recycler-for-{volume.name}"
    volume.stack.kube.delete("Pod", name, RECYCLER_NAMESPACE, grace_seconds=0)
    volume.stack.wait_gone("Pod", name, RECYCLER_NAMESPACE)


@pytest.mark.exclusive
@pytest.mark.claim("reclaim.recycle-without-its-image-keeps-the-data")
def test_recycle_without_its_image_keeps_the_data(
    provisioner: Stack, step: StepFunction, observe: ObserveFunction
) -> None:
    with (
        image_away(provisioner.env, provisioner.env.images.recycler),
        prepared(provisioner, "no-image", RECYCLE) as volume,
    ):
        volume.write()
        try:
            with step("delete the claim while no node has the recycler's image"):
                volume.delete_claim()
                pod = wait_until(
                    "the recycler pod to miss its image",
                    lambda: recycler(volume) or {},
                    until=lambda pod: waiting_reason(pod) in _NO_IMAGE,
                    give_up=lambda _: (
                        "the volume was recycled" if volume.phase() == "Available" else None
                    ),
                    timeout=_BLOCKED_SECONDS,
                    describe=waiting_reason,
                )
                volume.wait_for("Released")
            seen = volume.look()
            observe(f"the recycler pod waits: {waiting_reason(pod)}; {seen}")
            observe(f"events: {list(seen.events)}")
        finally:
            remove_recycler(volume)
    assert seen.data == (volume.directory,), "the data was scrubbed"
    assert seen.intact, "the data was changed"
