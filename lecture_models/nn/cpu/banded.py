"""Convolution of maps with few channels as one matrix product.

A row's outputs are taken in blocks of about four: what a block sees, a window of rows, times a
matrix that holds the filter once for each output, shifted: a band, zero elsewhere. The zeros cost
products, and the product's sides are long enough for a matrix routine, which a filter of one to six
channels is not: on one core LeNet-5's first layer takes a tenth of the time.
"""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

BLOCK = 4  # Outputs.
CHANNELS = 6  # With more, XLA's own convolution is faster.


def pays(x: Float[Array, "batch height width channel"], kernel: Array) -> bool:
    """Whether it is faster than XLA's convolution on a CPU, by the shapes that were tried."""
    return x.shape[-1] <= CHANNELS and min(kernel.shape[:2]) > 1


def convolve(
    x: Float[Array, "batch height width channel"],
    kernel: Float[Array, "window_height window_width channel new_channel"],
    strides: Sequence[int] = (1, 1),
) -> Float[Array, "batch new_height new_width new_channel"]:
    """Without padding; the image is at least as large as the window."""
    batch, height, width, channels = x.shape
    window_height, window_width, _, features = kernel.shape
    down, across = strides
    new_height = (height - window_height) // down + 1
    new_width = (width - window_width) // across + 1
    blocks = math.ceil(new_width / BLOCK)
    block = math.ceil(new_width / blocks)  # The last may hang over the edge.
    seen = (block - 1) * across + window_width
    step = block * across
    beyond = max(0, (blocks - 1) * step + seen - width)
    x = jnp.pad(x, ((0, 0), (0, 0), (0, beyond), (0, 0)))
    x = jnp.stack([x[:, :, each * step : each * step + seen] for each in range(blocks)], 2)
    last = down * (new_height - 1) + 1
    x = jnp.stack([x[:, each : each + last : down] for each in range(window_height)], 3)
    shifts = [(each * across, (block - 1 - each) * across) for each in range(block)]
    band = jnp.stack([jnp.pad(kernel, ((0, 0), shift, (0, 0), (0, 0))) for shift in shifts], 3)
    size = window_height * seen * channels
    y = x.reshape(-1, size) @ band.reshape(size, -1)
    return y.reshape(batch, new_height, blocks * block, features)[:, :, :new_width]
