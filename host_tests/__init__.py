"""Landfast on a host like those of its users: `nox -s host-tests`."""
