"""Walks through the latent space of a generative model."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import scipy.special
from jaxtyping import Array, Float, Int


def interpolate(
    first: Float[Array, " walk latent"], last: Float[Array, " walk latent"], count: int
) -> Float[Array, " point latent"]:
    """`count` evenly spaced latents from each first to its last, ends included, walk by walk.

    A straight line, as in Goodfellow et al., 2014, Fig. 3.
    """
    weights = jnp.linspace(0.0, 1.0, count)[None, :, None]
    walks = (1.0 - weights) * first[:, None, :] + weights * last[:, None, :]
    return walks.reshape(-1, first.shape[-1])


def manifold_grid(
    side: int, latent_dim: int, dims: tuple[int, int] = (0, 1)
) -> Float[Array, " point {latent_dim}"]:
    """The standard normal's quantiles from 5% to 95% over two dimensions, 0 in all others.

    side x side latents, row by row as they are tiled: `dims[0]` grows to the right, `dims[1]`
    upwards. Neighbors are equally far apart in prior probability. Kingma and Welling, 2014,
    Fig. 4.

    Raises ValueError for a side below 2, or dimensions that are equal or not there.
    """
    if side < 2:
        raise ValueError(f"a grid has {side} points a side; it must be at least 2")
    _require_dimensions(dims, latent_dim)
    if dims[0] == dims[1]:
        raise ValueError(f"a grid is over dimensions {dims}; they must differ")
    quantiles = scipy.special.ndtri(np.linspace(0.05, 0.95, side))
    across, up = np.meshgrid(quantiles, quantiles[::-1])
    points = np.zeros((side * side, latent_dim), np.float32)
    points[:, dims[0]], points[:, dims[1]] = across.ravel(), up.ravel()
    return jnp.asarray(points)


def traverse(
    base: Float[Array | np.ndarray, " latent"],
    dims: Sequence[int] | Int[Array | np.ndarray, " factor"],
    values: Sequence[float] | Float[Array | np.ndarray, " value"],
) -> Float[Array, " point latent"]:
    """`base` with one dimension at a time set to each of the values: a row for each dimension.

    Raises ValueError for a dimension that is not there. Higgins et al., "beta-VAE", 2017, Fig. 1.
    """
    dims, values = np.asarray(dims, np.int32), jnp.asarray(values, jnp.float32)
    _require_dimensions(dims.tolist(), len(base))
    chosen = jnp.arange(len(base))[None, None, :] == dims[:, None, None]
    rows = jnp.where(chosen, values[None, :, None], jnp.asarray(base)[None, None, :])
    return rows.reshape(-1, len(base))


def _require_dimensions(dims: Sequence[int], latent_dim: int) -> None:
    for dim in dims:
        if not 0 <= dim < latent_dim:
            raise ValueError(
                f"dimension {dim} is not among the latent's; it must be from 0 to {latent_dim - 1}"
            )
