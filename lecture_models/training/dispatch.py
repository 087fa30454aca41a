"""Sends steps to the device: one at a time on the CPU, many at once on an accelerator."""

import bisect
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from lecture_models.experiment import Experiment, Step
from lecture_models.training import metric_window
from lecture_models.training.devices import ONE_DEVICE, Devices
from lecture_models.training.metric_window import MetricWindow


class Position(NamedTuple):
    """Holds where a run stands.

    Attributes:
        step: number of steps done.
        state: the experiment's state.
        window: the metrics since the last log point.
    """

    step: int
    state: Any
    window: MetricWindow


# Takes a position and the step that must not be passed, and returns the next position.
Advance = Callable[[Position, int], Position]


def make_advance(
    experiment: Experiment,
    key: jax.Array,
    most: int,
    steps_per_dispatch: int | None = None,
    devices: Devices = ONE_DEVICE,
) -> Advance:
    """Returns the function that advances a run on its devices.

    A step's key is fold_in(key, step), so the numbers do not depend on the steps per dispatch, to
    float tolerance.

    Args:
        experiment: what is trained.
        key: from which the keys of all steps are derived.
        most: the most steps of one dispatch on an accelerator.
        steps_per_dispatch: number of steps of one dispatch; None for one on the CPU and `most` on
            an accelerator. Batches without `arrays`, whose shapes may differ, are always sent one
            by one.
        devices: places the arrays.
    """
    if steps_per_dispatch is None:
        steps_per_dispatch = 1 if jax.default_backend() == "cpu" else most
    if not hasattr(experiment.batches, "arrays"):
        steps_per_dispatch = 1
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


def _step_and_observe(train_step: Step, state, window, batch, step, key):
    state, metrics = train_step(state, batch, jax.random.fold_in(key, step))
    return state, metric_window.observe(window, metrics, step + 1)


def _one_by_one(devices: Devices, train_step: Step, batches_from, key: jax.Array) -> Advance:
    """Dispatches single steps.

    On the CPU convolution gradients are 40 to 170 times slower in a scan.
    """
    one_step = devices.jit(functools.partial(_step_and_observe, train_step))
    batches, expected = None, None

    def advance(position: Position, until: int) -> Position:
        nonlocal batches, expected
        step, state, window = position
        if step != expected:
            batches = batches_from(step)
        state, window = one_step(state, window, next(batches), np.int32(step), key)
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
    """Dispatches a scan over several steps, which gathers its batches from arrays on the device."""

    def many_steps(state, window, arrays, indices, first_step, key):
        def body(carry, batch_indices):
            state, window, step = carry
            batch = devices.constrain(jax.tree.map(lambda array: array[batch_indices], arrays))
            state, window = _step_and_observe(train_step, state, window, batch, step, key)
            return (state, window, step + 1), None

        (state, window, _), _ = jax.lax.scan(body, (state, window, first_step), indices)
        return state, window

    many_steps = devices.jit(many_steps)

    def advance(position: Position, until: int) -> Position:
        step, state, window = position
        count = min(steps_per_dispatch, until - step)
        indices = np.stack([batches_from.indices(step + i) for i in range(count)])
        placed = devices.indices(indices)
        state, window = many_steps(state, window, arrays, placed, np.int32(step), key)
        return Position(step + count, state, window)

    return advance
