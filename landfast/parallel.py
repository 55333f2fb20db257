"""Does one thing to many items side by side."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_THREADS = 8


def side_by_side(do: Callable[[T], R], items: Collection[T]) -> list[R]:
    """Do something to every item in a few threads, and return the results in the items' order.

    The first error is raised once all threads have ended.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(do, items))
