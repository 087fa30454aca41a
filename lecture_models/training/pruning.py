"""Lets a sweep follow a run while it trains, and stop it."""

from collections.abc import Callable
from typing import NamedTuple


class PruningCallback(NamedTuple):
    """Tells a sweep how a run does.

    Attributes:
        evaluated: `evaluated(count, metrics)` is called at evaluation number `count`, from 1, with
            the last value of each metric by the name `train/NAME` or `eval/NAME`. It returns True
            if the run must stop there.
        failed: `failed(error)` is called with the error that ended the run.
    """

    evaluated: Callable[[int, dict[str, float]], bool]
    failed: Callable[[BaseException], None]


NO_PRUNING = PruningCallback(lambda count, metrics: False, lambda error: None)


class Pruned(Exception):  # noqa: N818 - nothing went wrong.
    """Ends a run at an evaluation, because other runs of the sweep do better."""
