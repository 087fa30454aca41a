"""Pools maxima by a factor between 1 and 2, over regions drawn at random.

Graham, "Fractional max-pooling", 2014, section 2.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

Boundaries = Int[Array, " boundary"]


def random_boundaries(key: Key[Array, ""], span: int, num_regions: int) -> Boundaries:
    """Draws boundaries whose steps of 1 and 2 are in random order, each order equally likely.

    0 = a_0 < a_1 < ... = span

    Args:
        key: a random key.
        span: the last boundary, as from `pooling_span`.
        num_regions: the number of regions, which is the pooled side.

    Returns:
        The boundaries a_i, one more than there are regions. Graham, 2014, section 2.

    Raises:
        ValueError: `span` is not from `num_regions` to 2 `num_regions`.
    """
    _require_steps(span, num_regions)
    steps = np.where(np.arange(num_regions) < span - num_regions, 2, 1)
    steps = jax.random.permutation(key, jnp.asarray(steps, jnp.int32))
    return jnp.concatenate([jnp.zeros(1, jnp.int32), jnp.cumsum(steps, dtype=jnp.int32)])


def pseudorandom_boundaries(
    offset: Int[Array, ""] | int, span: int, num_regions: int
) -> Boundaries:
    """Returns boundaries whose steps of 1 and 2 alternate as regularly as possible.

    a_i = ceil(alpha (i + u)) - ceil(alpha u), with alpha = span / num_regions, u = offset / span

    They are computed in whole numbers. The offsets from 1 to `span` give all boundaries that any u
    in (0, 1] gives, each as likely as under a uniform u.

    Args:
        offset: a whole number from 1 to `span`.
        span: the last boundary, as from `pooling_span`.
        num_regions: the number of regions, which is the pooled side.

    Returns:
        The boundaries a_i, one more than there are regions. Graham, 2014, equation 3.

    Raises:
        ValueError: `span` is not from `num_regions` to 2 `num_regions`.
    """
    _require_steps(span, num_regions)
    ceiling = -(-(span * jnp.arange(num_regions + 1) + offset) // num_regions)
    return (ceiling - ceiling[0]).astype(jnp.int32)


def middle_boundaries(span: int, num_regions: int) -> Boundaries:
    """Returns the pseudorandom boundaries of u = 1/2, for an evaluation without a random key.

    Args:
        span: the last boundary, as from `pooling_span`.
        num_regions: the number of regions, which is the pooled side.

    Returns:
        The boundaries, one more than there are regions.

    Raises:
        ValueError: `span` is not from `num_regions` to 2 `num_regions`.
    """
    return pseudorandom_boundaries(-(-span // 2), span, num_regions)


def draw_boundaries(
    key: Key[Array, ""], span: int, num_regions: int, pseudorandom: bool
) -> Boundaries:
    """Draws random or pseudorandom boundaries.

    Args:
        key: a random key.
        span: the last boundary, as from `pooling_span`.
        num_regions: the number of regions, which is the pooled side.
        pseudorandom: whether to draw `pseudorandom_boundaries` of a uniform offset; otherwise
            `random_boundaries`.

    Returns:
        The boundaries, one more than there are regions. Graham, 2014, section 2.

    Raises:
        ValueError: `span` is not from `num_regions` to 2 `num_regions`.
    """
    if not pseudorandom:
        return random_boundaries(key, span, num_regions)
    return pseudorandom_boundaries(jax.random.randint(key, (), 1, span + 1), span, num_regions)


def fractional_max_pool(
    x: Float[Array, "batch height width channel"],
    rows: Boundaries,
    columns: Boundaries,
    overlapping: bool,
) -> Float[Array, "batch pooled_height pooled_width channel"]:
    """Returns the maxima over regions of rows and columns.

    Region i is [a_{i-1}, a_i - 1], or [a_{i-1}, a_i] if regions overlap. Disjoint regions tile the
    maps exactly; overlapping ones share one row or column with the next. Only gathers are used, so
    that boundaries may be drawn under jit. Equal maxima share the gradient.

    Args:
        x: the maps.
        rows: the boundaries of rows, from 0 to `pooling_span` of the height.
        columns: the boundaries of columns, from 0 to `pooling_span` of the width.
        overlapping: whether regions overlap.

    Returns:
        The pooled maps, one value per region and channel. Graham, 2014, section 2.
    """
    for axis, boundaries in ((1, rows), (2, columns)):
        start, end = boundaries[:-1], boundaries[1:]
        last = end if overlapping else end - 1
        places = [start, jnp.minimum(start + 1, last), last] if overlapping else [start, last]
        taken = [jnp.take(x, place, axis, mode="clip") for place in places]
        x = functools.reduce(jnp.maximum, taken)
    return x


def pooling_span(size: int, overlapping: bool) -> int:
    """Returns the last boundary of a side of the maps.

    Args:
        size: the side in pixels.
        overlapping: whether regions overlap.

    Returns:
        The size, or one less if regions overlap.
    """
    return size - 1 if overlapping else size


def pooled_size(size: int, factor: float) -> int:
    """Returns the side of the pooled maps, the whole number nearest to size / factor.

    Args:
        size: the side of the maps in pixels.
        factor: the pooling factor, between 1 and 2.

    Returns:
        The pooled side, which is the number of regions.
    """
    return round(size / factor)


def _require_steps(span: int, num_regions: int) -> None:
    if not 1 <= num_regions <= span <= 2 * num_regions:
        raise ValueError(
            f"{num_regions} regions must span {num_regions} to {2 * num_regions} pixels in steps "
            f"of 1 and 2; the span is {span}"
        )
