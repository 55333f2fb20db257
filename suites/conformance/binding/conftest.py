"""Where binding cases are tried: a namespace for each process, no default classes but theirs."""

import secrets
from collections.abc import Iterator

import pytest

from fixtures.session import Run
from landfast import manifests
from landfast.binding.trial import Trial
from landfast.environment import Environment
from landfast.faults.programs import Program
from landfast.kube.default_classes import no_default_classes
from landfast.run import RUN_LABEL
from landfast.verdict import Unknown


@pytest.fixture(scope="session")
def namespace(env: Environment, run: Run) -> Iterator[str]:
    """A namespace for the PVCs of this process; the names of binding cases keep them apart."""
    kube = env.cluster.kube
    name = f"landfast-binding-{run.worker}-{secrets.token_hex(2)}"
    kube.create(manifests.namespace(name, {RUN_LABEL: env.run_id}))
    yield name
    kube.delete("Namespace", name)  # nobody waits for it: see Stack.remove


@pytest.fixture(scope="session")
def trial(env: Environment, namespace: str) -> Trial:
    """Tries binding cases on the run's cluster."""
    return Trial(env.cluster.kube, namespace, {RUN_LABEL: env.run_id}, env.export)


@pytest.fixture
def own_default_classes(env: Environment) -> Iterator[None]:
    """Leave only the default classes that the test creates; tests that use this are one group."""
    env.cluster.require("cluster.default-class")
    with no_default_classes(env.cluster.kube, env.run_id):
        yield


@pytest.fixture
def controller_manager(env: Environment) -> Program:
    """kube-controller-manager, on the control plane of a cluster that the run owns."""
    env.cluster.require("cluster.owned")
    env.cluster.require("cluster.node-shell")
    if env.engine is None:
        raise Unknown("the run's own cluster has no engine")
    node = next(name for name in env.cluster.nodes if name.endswith("-control-plane"))
    return Program(env.engine, node, "kube-controller-manager")
