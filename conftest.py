"""Landfast's pytest plugins."""

pytest_plugins = [
    "fixtures.session",
    "fixtures.verdicts",
    "fixtures.stacks",
    "fixtures.sabotage",
    "fixtures.schedule",
    "fixtures.provisioner",
    "fixtures.chaos",
]
