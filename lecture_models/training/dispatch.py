"""How steps reach the device: one at a time on the CPU, many at once on an accelerator."""

import bisect
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from lecture_models.experiment import Experiment, Step
from lecture_models.training import metric_window as windows
from lecture_models.training.devices import ONE_DEVICE, Devices


class Position(NamedTuple):
    """Where a run stands: the number of steps done, the state, the metrics since the last log."""

    step: int
    state: Any
    window: windows.Window


Advance = Callable[[Position, int], Position]  # A position and a step not to pass -> the next.


def make_advance(
    experiment: Experiment,
    key: jax.Array,
    most: int,
    steps_per_dispatch: int | None = None,
    devices: Devices = ONE_DEVICE,
) -> Advance:
    """The way to advance that suits the device; `steps_per_dispatch` forces one.

    A step's key is fold_in(key, step), so both ways give the same numbers, to float tolerance.
    `most` bounds the steps of one dispatch where nothing is forced.
    """
    if steps_per_dispatch is None:
        holds_arrays = hasattr(experiment.batches, "arrays")
        on_accelerator = jax.default_backend() != "cpu" and holds_arrays
        steps_per_dispatch = most if on_accelerator else 1
    key = devices.replicate(key)
    if steps_per_dispatch == 1:
        make, batches = _one_by_one, devices.batches(experiment.batches)
    else:
        arrays = devices.replicate(jax.tree.map(jax.device_put, experiment.batches.arrays))
        make = functools.partial(_many_at_once, arrays, steps_per_dispatch)
        batches = experiment.batches
    advances = [make(devices, phase.step, batches, key) for phase in experiment.phases]
    enters = [devices.jit(phase.enter) for phase in experiment.phases]
    starts = [phase.first_step for phase in experiment.phases]

    def advance(position: Position, until: int) -> Position:
        current = bisect.bisect_right(starts, position.step) - 1
        if position.step == starts[current]:
            position = position._replace(state=enters[current](position.state))
        end = starts[current + 1] if current + 1 < len(starts) else until
        return advances[current](position, min(until, end))

    return advance


def _tick(train_step: Step, state, window, batch, step, key):
    state, metrics = train_step(state, batch, jax.random.fold_in(key, step))
    return state, windows.observe(window, metrics, step + 1)


def _one_by_one(devices: Devices, train_step: Step, batches_from, key: jax.Array) -> Advance:
    """XLA's convolution gradients are 40 to 170 times slower inside a scan on the CPU."""
    tick = devices.jit(functools.partial(_tick, train_step))
    batches, expected = None, None

    def advance(position: Position, until: int) -> Position:
        nonlocal batches, expected
        step, state, window = position
        if step != expected:
            batches = batches_from(step)
        state, window = tick(state, window, next(batches), np.int32(step), key)
        expected = step + 1
        return Position(step + 1, state, window)

    return advance


def _many_at_once(
    arrays,
    steps_per_dispatch: int,
    devices: Devices,
    train_step: Step,
    batches_from,
    key: jax.Array,
) -> Advance:
    def ticks(state, window, arrays, indices, first_step, key):
        def body(carry, chosen):
            state, window, step = carry
            batch = devices.constrain(jax.tree.map(lambda array: array[chosen], arrays))
            state, window = _tick(train_step, state, window, batch, step, key)
            return (state, window, step + 1), None

        (state, window, _), _ = jax.lax.scan(body, (state, window, first_step), indices)
        return state, window

    ticks = devices.jit(ticks)

    def advance(position: Position, until: int) -> Position:
        step, state, window = position
        count = min(steps_per_dispatch, until - step)
        indices = np.stack([batches_from.indices(step + i) for i in range(count)])
        placed = devices.indices(indices)
        state, window = ticks(state, window, arrays, placed, np.int32(step), key)
        return Position(step + count, state, window)

    return advance
