"""How steps reach the device: one at a time on the CPU, many at once on an accelerator."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from lecture_models.runtime import window as windows
from lecture_models.runtime.experiment import Experiment


class Position(NamedTuple):
    """Where a run stands: the number of steps done, the state, the metrics since the last log."""

    step: int
    state: Any
    window: windows.Window


Advance = Callable[[Position, int], Position]  # A position and a step not to pass -> the next.


def make_advance(
    experiment: Experiment, key: jax.Array, most: int, steps_per_dispatch: int | None = None
) -> Advance:
    """The way to advance that suits the device; `steps_per_dispatch` forces one.

    A step's key is fold_in(key, step), so both ways give the same numbers, to float tolerance.
    `most` bounds the steps of one dispatch where nothing is forced.
    """
    if steps_per_dispatch is None:
        holds_arrays = hasattr(experiment.batches, "arrays")
        on_accelerator = jax.default_backend() != "cpu" and holds_arrays
        steps_per_dispatch = most if on_accelerator else 1
    if steps_per_dispatch == 1:
        return _one_by_one(experiment, key)
    return _many_at_once(experiment, key, steps_per_dispatch)


def _tick(experiment, state, window, batch, step, key):
    state, metrics = experiment.step(state, batch, jax.random.fold_in(key, step))
    return state, windows.observe(window, metrics, step + 1)


def _one_by_one(experiment: Experiment, key: jax.Array) -> Advance:
    """XLA's convolution gradients are 40 to 170 times slower inside a scan on the CPU."""

    def tick(state, window, batch, step, key):
        return _tick(experiment, state, window, batch, step, key)

    tick = jax.jit(tick, donate_argnums=0)
    batches, expected = None, None

    def advance(position: Position, until: int) -> Position:
        nonlocal batches, expected
        step, state, window = position
        if step != expected:
            batches = experiment.batches(step)
        state, window = tick(state, window, next(batches), np.int32(step), key)
        expected = step + 1
        return Position(step + 1, state, window)

    return advance


def _many_at_once(experiment: Experiment, key: jax.Array, steps_per_dispatch: int) -> Advance:
    arrays = jax.tree.map(jax.device_put, experiment.batches.arrays)

    def ticks(state, window, arrays, indices, first_step, key):
        def body(carry, chosen):
            state, window, step = carry
            batch = jax.tree.map(lambda array: array[chosen], arrays)
            state, window = _tick(experiment, state, window, batch, step, key)
            return (state, window, step + 1), None

        (state, window, _), _ = jax.lax.scan(body, (state, window, first_step), indices)
        return state, window

    ticks = jax.jit(ticks, donate_argnums=0)

    def advance(position: Position, until: int) -> Position:
        step, state, window = position
        count = min(steps_per_dispatch, until - step)
        indices = np.stack([experiment.batches.indices(step + i) for i in range(count)])
        state, window = ticks(state, window, arrays, indices, np.int32(step), key)
        return Position(step + count, state, window)

    return advance
