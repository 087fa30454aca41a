"""Convolves sequences over time."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Frames = Float[Array, "batch time feature"]
Windows = Float[Array, "batch window filter"]


def thinned(mask: Bool[Array, "batch time"], stride: int) -> Bool[Array, "batch window"]:
    """Returns the mask of every `stride`-th place, as of a convolution with padding SAME.

    Args:
        mask: True where there is something.
        stride: the number of places from which one is left.

    Returns:
        The shorter mask, True where the first of the places is.
    """
    return mask[:, ::stride]


class TimeConvolution(nn.Module):
    """Convolves in one dimension, as one matrix product over the windows.

    It equals `nn.Conv` with padding SAME, whose gradient takes several times as long on a CPU.

    Attributes:
        features: the number of filters.
        width: places under a filter.
        stride: places between windows.
    """

    features: int
    width: int
    stride: int

    @nn.compact
    def __call__(self, inputs: Frames) -> Windows:
        """Returns the filters' responses."""
        time, width, stride = inputs.shape[1], self.width, self.stride
        windows = -(-time // stride)
        missing = max(0, (windows - 1) * stride + width - time)
        padded = jnp.pad(inputs, ((0, 0), (missing // 2, missing - missing // 2), (0, 0)))
        reach = (windows - 1) * stride + 1
        seen = [padded[:, place : place + reach : stride] for place in range(width)]
        return nn.Dense(self.features, name="filters")(jnp.concatenate(seen, axis=-1))
