"""Computes latents along lines, on grids, and along single dimensions, for a decoder to show."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import scipy.special
from jaxtyping import Array, Float, Int


def interpolate(
    first: Float[Array, " walk latent"], last: Float[Array, " walk latent"], count: int
) -> Float[Array, " point latent"]:
    """Computes evenly spaced latents on the straight line from each first latent to its last.

    Args:
        first: the start of each line.
        last: the end of each line.
        count: the number of latents of each line, both ends included.

    Returns:
        The latents, line by line: `count` rows for each. Goodfellow et al., "Generative adversarial
        nets", 2014, figure 3.
    """
    weights = jnp.linspace(0.0, 1.0, count)[None, :, None]
    walks = (1.0 - weights) * first[:, None, :] + weights * last[:, None, :]
    return walks.reshape(-1, first.shape[-1])


def manifold_grid(
    side: int, latent_dim: int, dims: tuple[int, int] = (0, 1)
) -> Float[Array, " point {latent_dim}"]:
    """Computes a grid of latents over two dimensions; all other dimensions are 0.

    Along each of the two, values are the quantiles of the standard normal distribution from 5% to
    95%, so neighbors enclose equal prior probability.

    Args:
        side: the number of latents along each side of the grid, at least 2.
        latent_dim: the number of latent dimensions.
        dims: two different dimensions: the first increases to the right, the second upwards.

    Returns:
        side * side latents, row by row from the top left. Kingma and Welling, "Auto-encoding
        variational Bayes", 2014, figure 4.

    Raises:
        ValueError: the side is below 2, or the dimensions are equal or do not exist.
    """
    if side < 2:
        raise ValueError(f"side is {side}; it must be at least 2")
    _require_dimensions(dims, latent_dim)
    if dims[0] == dims[1]:
        raise ValueError(f"dims is {dims}; the two dimensions must differ")
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
    """Replaces one dimension of a latent at a time by each of several values.

    Args:
        base: the latent.
        dims: the dimensions to vary.
        values: the values that each dimension takes.

    Returns:
        The latents, one row of values after the other, in the order of `dims`. Higgins et al.,
        "beta-VAE", 2017, figure 1.

    Raises:
        ValueError: a dimension does not exist.
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
                f"the latent has no dimension {dim}; it must be from 0 to {latent_dim - 1}"
            )
