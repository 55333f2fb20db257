"""Step 1: what the server itself says of its export."""

import re

import pytest

from landfast.stack import Stack
from landfast.steps import Steps
from landfast.verdict import MissingCapability


@pytest.mark.claim("walkthrough.export-is-listed")
def test_export_is_listed_with_the_options_of_the_reference(stack: Stack, test: Steps) -> None:
    env = stack.env
    engine, server = env.engine, env.export.container
    if engine is None or server is None or env.kernel_server is None:
        raise MissingCapability("nfs.exportfs", "only the kernel's server has /etc/exports")
    with test.step("ask the server what it exports"):
        listed = engine.execute(server, "showmount", "-e", "localhost").stdout
        exported = engine.execute(server, "exportfs", "-s").stdout
    line = next((line for line in exported.splitlines() if line.startswith("/data/share ")), "")
    test.observe(f"showmount: {listed.strip()}; exportfs: {line or 'no such export'}")
    assert "\n/data/share *" in re.sub(" +", " ", listed), "showmount does not list it"
    options = set(line.partition("(")[2].rstrip(")").split(","))
    assert {"rw", "sync", "no_subtree_check", "no_root_squash"} <= options
