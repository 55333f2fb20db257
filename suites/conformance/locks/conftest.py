"""A stack whose NFS server and whose way to it may be broken, without harm to other tests."""

from collections.abc import Iterator

import pytest

from fixtures.verdicts import Judgement
from landfast.environment import Environment
from landfast.faults.base import Site
from landfast.faults.site import open_server
from landfast.nfs.own_server import OwnServer
from landfast.stack import temporary_stack, throw_away_overlay
from suites.conformance.locks.objects import HOLDER


@pytest.fixture(scope="session")
def server(env: Environment) -> Iterator[OwnServer]:
    """An NFS server for this suite alone."""
    with open_server(env, HOLDER) as opened:
        yield opened


@pytest.fixture
def lock_site(env: Environment, server: OwnServer, judgement: Judgement) -> Iterator[Site]:
    """A throw-away stack on that server; faults of a node break the one of the pod `holder`."""
    own = env.served_by(server)
    overlay = throw_away_overlay(own, "locks")
    with temporary_stack(own, overlay) as stack:
        judgement.stacks.append(stack)
        server.inspector.make_folder(overlay.subtree)
        stack.create_namespace()
        yield Site(own, stack, server, HOLDER)
