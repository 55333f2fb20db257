"""The class that is judged: that of `--storage-class`, or one of the reference's provisioner."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fixtures.verdicts import Judgement
from landfast.environment import Environment
from landfast.kube.pods import wait_for_service_account
from landfast.kube.restricted import restricted
from landfast.settings import Settings
from landfast.stack import Change, Stack, temporary_stack, throw_away_overlay
from landfast.subject import Subject, resolve
from suites.conformance.storageclass.judged import Judged
from suites.objects import patched

_CLEANS_UP = {"onDelete": "delete"}
"""Nothing of a test's volumes may stay on the export of the provisioner that the tests share."""


_SHOWN = "noatime"
"""A mount option that the mounts of every NFS client show."""


@pytest.fixture(scope="session")
def given(env: Environment, settings: Settings) -> Subject | None:
    """The class of `--storage-class`, if there is one."""
    if settings.storage_class is None:
        return None
    return resolve(env.cluster.kube, settings.storage_class, contract=settings.provisioner_contract)


@pytest.fixture
def judged(
    env: Environment,
    given: Subject | None,
    changes: list[Change],
    judgement: Judgement,
    request: pytest.FixtureRequest,
) -> Iterator[Judged]:
    """A namespace for volumes of the class; at the end its volumes are reclaimed."""
    overlay = throw_away_overlay(env, "class")
    name = given.storage_class if given else overlay.name("StorageClass", "nfs-ssd")
    with temporary_stack(env, replace(overlay, storage_class=name)) as stack:
        judgement.stacks.append(stack)
        if given is None:
            stack.changes.append(_of(request.getfixturevalue("shared_provisioner")))
        stack.changes += [restricted, *changes]
        stack.create_namespace()
        wait_for_service_account(stack.kube, stack.namespace)
        yield Judged(stack, judgement.steps, given)


def _of(provisioner: Stack) -> Change:
    """Return the change that lets another stack's provisioner serve a class."""
    (obj,) = provisioner.objects("storageclass")
    own = {"provisioner": obj["provisioner"], "mountOptions": [*obj["mountOptions"], _SHOWN]}
    return patched("StorageClass", {**own, "parameters": _CLEANS_UP})
