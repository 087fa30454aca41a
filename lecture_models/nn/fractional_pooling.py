"""Maximum pooling by a factor between 1 and 2, over regions drawn at random.

Graham, "Fractional max-pooling", 2014, section 2.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

Boundaries = Int[Array, " boundary"]


def random_boundaries(key: Key[Array, ""], span: int, num_regions: int) -> Boundaries:
    """0 = a_0 < a_1 < ... = span: steps of 1 and 2 in an order drawn evenly.

    Raises ValueError where `span` is not from `num_regions` to twice that.
    """
    _require_steps(span, num_regions)
    steps = np.where(np.arange(num_regions) < span - num_regions, 2, 1)
    steps = jax.random.permutation(key, jnp.asarray(steps, jnp.int32))
    return jnp.concatenate([jnp.zeros(1, jnp.int32), jnp.cumsum(steps, dtype=jnp.int32)])


def pseudorandom_boundaries(
    offset: Int[Array, ""] | int, span: int, num_regions: int
) -> Boundaries:
    """a_i = ceil(alpha (i + u)) - ceil(alpha u), with alpha = span / num_regions: equation 3.

    In whole numbers: with u = `offset` / span, `offset` from 1 to span. These are all boundaries
    that any u in (0, 1] gives, each as likely as under an even u. Raises ValueError as above.
    """
    _require_steps(span, num_regions)
    ceiling = -(-(span * jnp.arange(num_regions + 1) + offset) // num_regions)
    return (ceiling - ceiling[0]).astype(jnp.int32)


def middle_boundaries(span: int, num_regions: int) -> Boundaries:
    """The pseudorandom boundaries of u = 1/2: those of an evaluation without a key."""
    return pseudorandom_boundaries(-(-span // 2), span, num_regions)


def draw_boundaries(
    key: Key[Array, ""], span: int, num_regions: int, pseudorandom: bool
) -> Boundaries:
    """Random boundaries, or pseudorandom ones of an even u."""
    if not pseudorandom:
        return random_boundaries(key, span, num_regions)
    return pseudorandom_boundaries(jax.random.randint(key, (), 1, span + 1), span, num_regions)


def fractional_max_pool(
    x: Float[Array, "batch height width channel"],
    rows: Boundaries,
    columns: Boundaries,
    overlapping: bool,
) -> Float[Array, "batch pooled_height pooled_width channel"]:
    """Maxima over regions [a_{i-1}, a_i - 1], or overlapping [a_{i-1}, a_i], of rows and columns.

    Boundaries run from 0 to `pooling_span`: disjoint regions tile the maps exactly, overlapping
    ones share one row or column with the next. Only gathers, so that boundaries may be drawn under
    jit. Equal maxima share the gradient.
    """
    for axis, boundaries in ((1, rows), (2, columns)):
        start, end = boundaries[:-1], boundaries[1:]
        last = end if overlapping else end - 1
        places = [start, jnp.minimum(start + 1, last), last] if overlapping else [start, last]
        taken = [jnp.take(x, place, axis, mode="clip") for place in places]
        x = functools.reduce(jnp.maximum, taken)
    return x


def pooling_span(size: int, overlapping: bool) -> int:
    """What the boundaries of a side must reach: its size, or one less where regions overlap."""
    return size - 1 if overlapping else size


def pooled_size(size: int, factor: float) -> int:
    """The nearest whole number to size / factor: the target size."""
    return round(size / factor)


def _require_steps(span: int, num_regions: int) -> None:
    if not 1 <= num_regions <= span <= 2 * num_regions:
        raise ValueError(
            f"{num_regions} regions over a span of {span}: steps of 1 and 2 reach from "
            f"{num_regions} to {2 * num_regions}"
        )
