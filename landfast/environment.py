"""The environment of a run: a cluster, an export, images. Brought up once, removed at its end."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from landfast.cluster.existing_provider import ExistingProvider
from landfast.cluster.kind_provider import KindProvider
from landfast.cluster.provider import Environment, Provider
from landfast.progress import Progress
from landfast.run import new_run_id
from landfast.settings import Settings

__all__ = ["PROVIDERS", "Environment", "environment", "sweep"]

PROVIDERS: Mapping[str, Provider] = {"kind": KindProvider(), "existing": ExistingProvider()}


def environment(
    settings: Settings, progress: Progress, *, run_id: str | None = None
) -> AbstractContextManager[Environment]:
    """Bring up what the settings ask for (see `Provider.bring_up`).

    With `keep`, use a cluster that an earlier run kept if it has the same images, and keep it.
    """
    return PROVIDERS[settings.cluster].bring_up(settings, progress, run_id or new_run_id())


def sweep(progress: Progress, *, kept: bool = False) -> list[str]:
    """Remove what dead runs left anywhere, and return their ids (see `Provider.sweep`)."""
    return [
        run_id for provider in PROVIDERS.values() for run_id in provider.sweep(progress, kept=kept)
    ]
