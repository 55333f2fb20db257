"""What the API server lets nobody change."""

import re

import pytest

from landfast.kube.client import KubeError, Object
from landfast.stack import Stack
from landfast.steps import Steps
from suites.conformance.protection.immutable import ROWS, Immutable
from suites.conformance.protection.objects import bound_pvc
from suites.tables import each


def refusal(stack: Stack, kind: str, name: str, patch: Object) -> str | None:
    """Ask for a change of an object; return the API server's refusal, None if it is changed.

    Raises:
        KubeError: it refuses for another reason than what is asked for.
    """
    namespace = None if kind in ("PersistentVolume", "StorageClass") else stack.namespace
    try:
        stack.kube.patch(kind, stack.overlay.name(kind, name), patch, namespace)
    except KubeError as error:
        if error.reason not in ("Invalid", "Forbidden"):
            raise
        return error.message
    return None


@pytest.mark.xdist_group("protection-settled")
@each("row", ROWS)
def test_change_is_refused(settled: Stack, row: Immutable, sabotaged: bool, test: Steps) -> None:
    row = row.twin() if sabotaged else row
    with test.step(f"ask for a change of {row.kind} {row.object}: {row.patch}"):
        said = refusal(settled, row.kind, row.object, row.patch)
    test.observe(f"the API server says: {said}")
    assert said is not None, "the change was accepted"
    assert re.search(row.says, said), f"the refusal does not say {row.says!r}: {said}"


@pytest.mark.claim("protection.resize-needs-the-class")
def test_larger_request_is_refused_where_the_class_does_not_allow_expansion(
    stack: Stack, test: Steps
) -> None:
    with test.step("bind a PVC of a class that does not mention expansion, ask for more"):
        stack.create("storageclass")
        bound_pvc(stack)
        more = {"spec": {"resources": {"requests": {"storage": "5Mi"}}}}
        said = refusal(stack, "PersistentVolumeClaim", "data", more)
    test.observe(f"the API server says: {said}")
    assert said is not None, "the larger request was accepted"
    assert "storageclass that provisions the pvc must support resize" in said
