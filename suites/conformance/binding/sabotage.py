"""For every claim of the binding suite one way to make it untrue.

A row of the table has its twin; a generated scenario is held to an oracle that has a rule wrong.
"""

import contextlib
from collections.abc import Iterator
from unittest import mock

from fixtures.sabotage import Sabotage, Target
from landfast.binding import api, controller, matching
from landfast.kube import Kube
from landfast.kube.client import Object
from suites.conformance.binding.rules import RULES


@contextlib.contextmanager
def size_is_not_looked_at(_target: Target) -> Iterator[None]:
    """The oracle takes every volume for large enough."""
    with mock.patch.object(matching, "_is_large_enough", return_value=True):
        yield


@contextlib.contextmanager
def default_class_is_not_given(_target: Target) -> Iterator[None]:
    """The oracle knows of no default class, neither in the API server nor in the controller."""
    with (
        mock.patch.object(api, "default_class", return_value=None),
        mock.patch.object(controller, "default_class", return_value=None),
    ):
        yield


@contextlib.contextmanager
def one_claim_asks_for_too_much(_target: Target) -> Iterator[None]:
    """The last of the claims is larger than any volume."""
    create = Kube.create

    def create_larger(kube: Kube, obj: Object, *, dry_run: bool = False) -> Object:
        if obj["kind"] == "PersistentVolumeClaim" and obj["metadata"]["name"].endswith("-199"):
            obj["spec"]["resources"]["requests"]["storage"] = "2Mi"
        return create(kube, obj, dry_run=dry_run)

    with mock.patch.object(Kube, "create", create_larger):
        yield


SABOTAGES = {
    **{rule.claim.id: Sabotage("one input of the row is flipped: its twin") for rule in RULES},
    "binding.generated-scenarios-agree-with-the-oracle": Sabotage(
        "the oracle takes every volume for large enough", size_is_not_looked_at
    ),
    "binding.generated-default-classes-agree-with-the-oracle": Sabotage(
        "the oracle knows of no default class", default_class_is_not_given
    ),
    "binding.killed-controller-binds-each-claim-once": Sabotage(
        "one of the claims is larger than any volume", one_claim_asks_for_too_much
    ),
}
