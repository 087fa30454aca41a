"""Metrics between two log points, gathered on the device so that no step waits for the host."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int32

NEVER = jnp.iinfo(jnp.int32).max


class NonFiniteError(Exception):
    """A metric or the state is no number any more: the message is one line for the user."""


class Window(NamedTuple):
    """Sums over the steps since the last log point, and the first step of each non-finite metric.

    Part of what is checkpointed: a run stopped between two log points resumes to equal lines.
    """

    totals: dict[str, Float[Array, ""]]
    count: Int32[Array, ""]
    first_non_finite: dict[str, Int32[Array, ""]]


def empty(metric_names: list[str]) -> Window:
    return Window(
        totals={name: jnp.zeros((), jnp.float32) for name in metric_names},
        count=jnp.zeros((), jnp.int32),
        first_non_finite={name: jnp.full((), NEVER, jnp.int32) for name in metric_names},
    )


def observe(window: Window, metrics: dict[str, Float[Array, ""]], step: Int32[Array, ""]) -> Window:
    """The window with the metrics of one more step; `step` counts from 1."""
    return Window(
        totals={name: window.totals[name] + metrics[name] for name in metrics},
        count=window.count + 1,
        first_non_finite={
            name: jnp.where(
                jnp.isfinite(metrics[name]),
                window.first_non_finite[name],
                jnp.minimum(window.first_non_finite[name], step),
            )
            for name in metrics
        },
    )


def means(window: Window) -> dict[str, float]:
    """The mean of each metric over the window; waits for the device. Raises NonFiniteError."""
    on_host = jax.device_get(window)
    refuse_non_finite(on_host)
    count = int(on_host.count)
    return {name: float(total) / count for name, total in on_host.totals.items()}


def refuse_non_finite(window: Window) -> None:
    """Raises NonFiniteError with the metric and the first step that was not finite."""
    found = jax.device_get(window.first_non_finite)
    step, name = min((int(step), name) for name, step in found.items())
    if step < NEVER:
        raise NonFiniteError(f"{name} is not finite at step {step}")


@jax.jit
def has_nan(state) -> Array:
    """Whether any floating-point array holds NaN. Infinity may be meant, as in a best-so-far."""
    floating = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.any(jnp.array([jnp.isnan(leaf).any() for leaf in floating]))
