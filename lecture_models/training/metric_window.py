"""Sums metrics on the device between two log points, so that no step waits for the host."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int32

NEVER = jnp.iinfo(jnp.int32).max


class NonFiniteError(Exception):
    """Says, in one line for the user, which metric is not finite or that the state holds NaN."""


class MetricWindow(NamedTuple):
    """Holds what was summed over the steps since the last log point.

    The metrics are one vector, in the order of their sorted names, which takes a few operations per
    step instead of a few for each metric. The window is part of a checkpoint, so that a run that
    was stopped between two log points resumes to the same lines.

    Attributes:
        totals: sum of each metric.
        count: number of steps.
        first_non_finite: first step, counted from 1, at which each metric was not finite; `NEVER`
            if it always was.
    """

    totals: Float32[Array, " metric"]
    count: Int32[Array, ""]
    first_non_finite: Int32[Array, " metric"]


def empty(num_metrics: int) -> MetricWindow:
    """Returns the window of no steps."""
    return MetricWindow(
        totals=jnp.zeros(num_metrics, jnp.float32),
        count=jnp.zeros((), jnp.int32),
        first_non_finite=jnp.full(num_metrics, NEVER, jnp.int32),
    )


def observe(
    window: MetricWindow, metrics: dict[str, Float[Array, ""]], step: Int32[Array, ""]
) -> MetricWindow:
    """Returns the window with the metrics of one more step; `step` counts from 1."""
    values = jnp.stack([metrics[name].astype(jnp.float32) for name in sorted(metrics)])
    non_finite_step = jnp.where(jnp.isfinite(values), NEVER, step)
    return MetricWindow(
        totals=window.totals + values,
        count=window.count + 1,
        first_non_finite=jnp.minimum(window.first_non_finite, non_finite_step),
    )


def means(window: MetricWindow, names: list[str]) -> dict[str, float]:
    """Returns the mean of each metric over the window; waits for the device.

    Raises NonFiniteError if a metric was not finite.
    """
    refuse_non_finite(window, names)
    totals, count = jax.device_get((window.totals, window.count))
    return {name: float(total) / int(count) for name, total in zip(names, totals, strict=True)}


def refuse_non_finite(window: MetricWindow, names: list[str]) -> None:
    """Raises NonFiniteError, with the metric and the step, if a metric was not finite."""
    steps = jax.device_get(window.first_non_finite)
    step, name = min(zip(steps.tolist(), names, strict=True))
    if step < NEVER:
        raise NonFiniteError(f"{name} is not finite at step {step}")


@jax.jit
def has_nan(state) -> Array:
    """Returns True if an array holds NaN; infinity may be intended, as in a best loss so far."""
    floating = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.any(jnp.array([jnp.isnan(leaf).any() for leaf in floating]))
