"""Stacks for hazards that the shared provisioner cannot show."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fixtures.stacks import rights
from fixtures.verdicts import Judgement
from landfast.environment import Environment
from landfast.nfs.server import squashed
from landfast.settings import Settings
from landfast.stack import Stack, temporary_stack, throw_away_overlay


@pytest.fixture
def squashed_stack(env: Environment, judgement: Judgement, settings: Settings) -> Iterator[Stack]:
    """A throw-away stack on the export with root_squash; its folder is writable for all users."""
    export = squashed(env.export)
    overlay = throw_away_overlay(env, "squashed")
    with temporary_stack(env, replace(overlay, export=export)) as stack:
        stack.changes += rights(settings)
        judgement.stacks.append(stack)
        env.inspector.make_folder(overlay.subtree)
        stack.create_namespace()
        yield stack
