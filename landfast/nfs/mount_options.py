"""Mount options of NFS: which of them say the same, and how one replaces another."""

from collections.abc import Iterable

_SAME = {"soft": "hard", "softerr": "hard", "nolock": "lock", "nfsvers": "vers"}


def family(option: str) -> str:
    """Return what an option decides: `hard` for `soft`, `vers` for `nfsvers=4`. Source: nfs(5)."""
    key = option.partition("=")[0]
    return _SAME.get(key, key)


def with_options(options: Iterable[str], more: Iterable[str]) -> list[str]:
    """Return mount options with others, each of which replaces those of its family."""
    more = list(more)
    given = {family(option) for option in more}
    return [*(option for option in options if family(option) not in given), *more]
