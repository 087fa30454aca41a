"""Metrics between two log points, gathered on the device so that no step waits for the host."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int32

NEVER = jnp.iinfo(jnp.int32).max


class NonFiniteError(Exception):
    """A metric or the state is no number any more: the message is one line for the user."""


class Window(NamedTuple):
    """Sums over the steps since the last log point, and the first step of each non-finite metric.

    One vector over the metrics in the order of their sorted names: a few operations a step, and
    not a few for each metric. Part of what is checkpointed: a run stopped between two log points
    resumes to equal lines.
    """

    totals: Float32[Array, " metric"]
    count: Int32[Array, ""]
    first_non_finite: Int32[Array, " metric"]


def empty(num_metrics: int) -> Window:
    return Window(
        totals=jnp.zeros(num_metrics, jnp.float32),
        count=jnp.zeros((), jnp.int32),
        first_non_finite=jnp.full(num_metrics, NEVER, jnp.int32),
    )


def observe(window: Window, metrics: dict[str, Float[Array, ""]], step: Int32[Array, ""]) -> Window:
    """The window with the metrics of one more step; `step` counts from 1."""
    values = jnp.stack([metrics[name].astype(jnp.float32) for name in sorted(metrics)])
    found = jnp.where(jnp.isfinite(values), NEVER, step)
    return Window(
        totals=window.totals + values,
        count=window.count + 1,
        first_non_finite=jnp.minimum(window.first_non_finite, found),
    )


def means(window: Window, names: list[str]) -> dict[str, float]:
    """The mean of each metric over the window; waits for the device. Raises NonFiniteError."""
    refuse_non_finite(window, names)
    totals, count = jax.device_get((window.totals, window.count))
    return {name: float(total) / int(count) for name, total in zip(names, totals, strict=True)}


def refuse_non_finite(window: Window, names: list[str]) -> None:
    """Raises NonFiniteError with the metric and the first step that was not finite."""
    steps = jax.device_get(window.first_non_finite)
    step, name = min(zip(steps.tolist(), names, strict=True))
    if step < NEVER:
        raise NonFiniteError(f"{name} is not finite at step {step}")


@jax.jit
def has_nan(state) -> Array:
    """Whether any floating-point array holds NaN. Infinity may be meant, as in a best-so-far."""
    floating = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.any(jnp.array([jnp.isnan(leaf).any() for leaf in floating]))
