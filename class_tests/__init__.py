"""Landfast on a cluster that is not its own, with a class that it did not make."""
