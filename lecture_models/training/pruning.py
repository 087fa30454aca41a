"""What a sweep wants to know of a run while it trains, and how it stops one."""

from collections.abc import Callable
from typing import NamedTuple


class PruningCallback(NamedTuple):
    """`evaluated(count, metrics)` at the count-th evaluation, true where the run shall end there.

    `metrics` are the last of each, named as they are logged; `failed(error)` is told what ended
    the run. `group` is W&B's.
    """

    group: str | None
    evaluated: Callable[[int, dict[str, float]], bool]
    failed: Callable[[BaseException], None]


NO_PRUNING = PruningCallback(None, lambda count, metrics: False, lambda error: None)


class Pruned(Exception):  # noqa: N818 - nothing went wrong.
    """The run was ended at an evaluation, where others do better."""
