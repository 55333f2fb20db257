"""Machines as such, each with a kernel of its own: `nox -s machine-tests`."""
