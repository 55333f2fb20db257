"""Faults: things that can be broken on purpose, each with proof that it took effect and healed."""

import importlib
import pkgutil


def load() -> None:
    """Import every module of faults, so that `base.FAULTS` has them all by name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
