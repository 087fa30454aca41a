"""Computes the scale-invariant error of depths, one value for each picture."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

LogDepths = Float[Array, "batch height width"]
TrueLogDepths = Float[Array, "batch true_height true_width"]

PAPER_SCALE_WEIGHT = 0.5


def scale_invariant_error(
    predicted: LogDepths,
    truth: TrueLogDepths,
    scale_weight: float = PAPER_SCALE_WEIGHT,
    known: Bool[Array, "batch height width"] | None = None,
) -> Float[Array, " batch"]:
    """Returns how far logarithms of depths are apart, with a share of their common offset left out.

    mean(d^2) - lambda mean(d)^2, where d = predicted - truth

    Args:
        predicted: natural logarithms of the predicted depths.
        truth: those of the true depths; the unit does not matter.
        scale_weight: lambda. With 1 a factor on all depths costs nothing; with 0 this is the mean
            squared error.
        known: the pixels whose true depth is known; None for all.

    Returns:
        One value per picture, at least 0; 0.5 ln(2)^2 for depths twice as large, with lambda 0.5.
        A picture without any known depth has 0. Eigen et al., 2014, equation 4.

    Raises:
        ValueError: the shapes differ, or `scale_weight` is not from 0 to 1.
    """
    if jnp.shape(predicted) != jnp.shape(truth):
        raise ValueError(
            f"predicted depths have the shape {jnp.shape(predicted)} and true ones "
            f"{jnp.shape(truth)}; they must be equal"
        )
    if not 0.0 <= scale_weight <= 1.0:
        raise ValueError(f"scale_weight is {scale_weight}; it must be from 0 to 1")
    weights = jnp.ones_like(truth) if known is None else known.astype(truth.dtype)
    distance = jnp.where(weights > 0.0, predicted - truth, 0.0)
    count = jnp.maximum(weights.sum(axis=(1, 2)), 1.0)
    mean = distance.sum(axis=(1, 2)) / count
    # The spread is computed around the mean, so that a common factor leaves no rounding error.
    around = jnp.where(weights > 0.0, distance - mean[:, None, None], 0.0)
    return (around**2).sum(axis=(1, 2)) / count + (1.0 - scale_weight) * mean**2
