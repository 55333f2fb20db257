"""Landfast's pytest plugins."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.session",
    "fixtures.claims",
    "fixtures.verdicts",
    "fixtures.stacks",
    "fixtures.sabotage",
    "fixtures.obstruction",
    "fixtures.schedule",
    "fixtures.provisioner",
    "fixtures.csi",
    "fixtures.chaos",
    "fixtures.plan",
]
