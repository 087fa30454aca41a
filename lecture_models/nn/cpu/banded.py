"""Convolves maps of few channels by one matrix product, which is faster than XLA on a CPU.

A row's outputs are computed in blocks of about four. A block's inputs, a window of rows, are
multiplied by a band matrix, which holds the filter once per output of the block, each copy shifted,
and zeros elsewhere. The zeros cost multiplications. In exchange the sides of the product are long
enough for a fast matrix routine, which those of a filter of one to six channels are not: on one
core LeNet-5's first layer takes a tenth of the time.

A value that is not finite makes all outputs of its blocks not finite, not only those that see it,
because zero times infinity is NaN.
"""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

BLOCK = 4  # The most outputs of a block.
CHANNELS = 6  # With more input channels, XLA's own convolution is faster.


def is_faster(x: Float[Array, "batch height width channel"], kernel: Array) -> bool:
    """Returns True for shapes at which `convolve` was measured to be faster than XLA on a CPU.

    Args:
        x: the maps.
        kernel: the filters, (window height, window width, input channels, output channels).

    Returns:
        Whether there are at most 6 input channels and both sides of the window exceed 1.
    """
    return x.shape[-1] <= CHANNELS and min(kernel.shape[:2]) > 1


def convolve(
    x: Float[Array, "batch height width channel"],
    kernel: Float[Array, "window_height window_width channel new_channel"],
    strides: Sequence[int] = (1, 1),
) -> Float[Array, "batch new_height new_width new_channel"]:
    """Returns the convolution without padding.

    Args:
        x: the maps, at least as large as the window.
        kernel: the filters.
        strides: the vertical and the horizontal stride in pixels.

    Returns:
        The maps that `jax.lax.conv_general_dilated` returns, up to rounding.
    """
    batch, height, width, channels = x.shape
    window_height, window_width, _, features = kernel.shape
    down, across = strides
    new_height = (height - window_height) // down + 1
    new_width = (width - window_width) // across + 1
    blocks = math.ceil(new_width / BLOCK)
    block = math.ceil(new_width / blocks)  # The last block may extend over the edge.
    seen = (block - 1) * across + window_width
    step = block * across
    beyond = max(0, (blocks - 1) * step + seen - width)
    x = jnp.pad(x, ((0, 0), (0, 0), (0, beyond), (0, 0)))
    x = jnp.stack([x[:, :, index * step : index * step + seen] for index in range(blocks)], 2)
    last = down * (new_height - 1) + 1
    x = jnp.stack([x[:, row : row + last : down] for row in range(window_height)], 3)
    shifts = [(output * across, (block - 1 - output) * across) for output in range(block)]
    band = jnp.stack([jnp.pad(kernel, ((0, 0), shift, (0, 0), (0, 0))) for shift in shifts], 3)
    size = window_height * seen * channels
    y = x.reshape(-1, size) @ band.reshape(size, -1)
    return y.reshape(batch, new_height, blocks * block, features)[:, :, :new_width]
