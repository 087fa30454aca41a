"""Convolves by Winograd's algorithm: 3x3 filters with a quarter of the multiplications.

An output tile of 4x4 needs 36 multiplications per channel in place of 144. Input tiles of 6x6 and
filters are each transformed to the values of a polynomial at six points, multiplied there as 36
matrix products, and interpolated. With the points 0, ±1/2, ±3/2 and infinity the largest error is
about 1e-5 of the largest output (512 channels, measured against a direct convolution), half of the
error of the customary points 0, ±1, ±2.

A value that is not finite makes all outputs of its tiles not finite, not only those that see it.

Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016. Barabasz et al., "Error
analysis and improving the accuracy of Winograd convolution", 2020, show that fractions are good
points.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

Maps = Float[Array, "batch height width channel"]
NewMaps = Float[Array, "batch height width new_channel"]
Kernel = Float[Array, "3 3 channel new_channel"]

TILE, WINDOW = 4, 3
POINTS = (0.0, 0.5, -0.5, 1.5, -1.5)  # And infinity.
READ = TILE + WINDOW - 1  # The side of an input tile; input tiles overlap.
CHANNELS = 64  # With fewer, in or out, the transforms cost as much as the products save, or more.
FILTER_CHANNELS = 32  # The same for the gradient of the filters, whose direct form is slower.
WORK = 2.5e8  # With fewer multiply-adds, compilation takes longer than a few hundred steps save.
STRIP = 2**21  # The most transformed values at a time: 8 MB stay in a cache.


def cook_toom() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the matrices A, G and B that transform outputs, filters and inputs.

    A ((G g) * (B d)) is the correlation of a row of inputs d with a filter g.

    Returns:
        A of shape (TILE, READ), G of shape (READ, WINDOW), B of shape (READ, READ), in float64.
        Lavin and Gray, 2016, section 4.
    """
    outputs, inputs = np.zeros((TILE, READ)), np.zeros((READ, READ))
    filters = np.zeros((READ, WINDOW))
    for index, point in enumerate(POINTS):
        others = [other for other in POINTS if other != point]
        outputs[:, index] = point ** np.arange(TILE)
        filters[index] = point ** np.arange(WINDOW) / np.prod(point - np.array(others))
        inputs[index, : READ - 1] = np.poly(others)[::-1]
    outputs[-1, -1] = filters[-1, -1] = 1.0
    inputs[-1] = np.poly(POINTS)[::-1]
    return outputs, filters, inputs


_OUTPUTS, _FILTERS, _INPUTS = cook_toom()


def is_faster(x: Maps, kernel: Array, channels: int = CHANNELS) -> bool:
    """Returns True for shapes at which it was measured to be faster than XLA on a CPU.

    Args:
        x: the maps.
        kernel: the filters, (window height, window width, input channels, output channels).
        channels: the fewest input and output channels.

    Returns:
        Whether the window is 3x3, the channels suffice, and the convolution takes at least `WORK`
        multiply-adds.
    """
    return (
        kernel.shape[:2] == (WINDOW, WINDOW)
        and min(kernel.shape[2:]) >= channels
        and math.prod(x.shape[:3]) * kernel.size >= WORK
    )


@jax.custom_vjp
def convolve(x: Maps, kernel: Kernel) -> NewMaps:
    """Returns the convolution of stride 1 with a border of one zero.

    Its gradients are computed by the same algorithm.

    Args:
        x: the maps.
        kernel: the filters.

    Returns:
        The maps that `jax.lax.conv_general_dilated` returns with "SAME" padding, up to rounding.
    """
    return _by_strips(x, kernel)


def _backward(residuals, cotangent):
    x, kernel = residuals
    return _by_strips(cotangent, kernel, adjoint=True), _to_kernel(x, cotangent)


convolve.defvjp(lambda x, kernel: (_by_strips(x, kernel), (x, kernel)), _backward)


def _tiles(size: int) -> int:
    return -(-size // TILE)


def _by_strips(x, kernel, adjoint: bool = False):
    """Convolves strip by strip, so that memory never holds all transformed values at once."""
    batch, height, width, channels = x.shape
    down, across = _tiles(height), _tiles(width)
    strips = math.ceil(down / max(1, STRIP // (READ**2 * batch * across * channels)))
    rows = math.ceil(down / strips)  # The rows of tiles in a strip.
    beyond = strips * rows * TILE - height, across * TILE - width
    padded = jnp.pad(x, ((0, 0), (1, 1 + beyond[0]), (1, 1 + beyond[1]), (0, 0)))
    filters = _for_filters(kernel.dtype, adjoint) + _zero_once_known(x)
    filters = (filters @ kernel.reshape(WINDOW**2, -1)).reshape(READ**2, *kernel.shape[2:])
    contracted = (2,), (2 if adjoint else 1,)

    def strip(index):
        seen = lax.dynamic_slice_in_dim(padded, index * rows * TILE, rows * TILE + 2, 1)
        return _strip(seen, filters, contracted, rows, across)

    y = strip(0) if strips == 1 else lax.map(strip, jnp.arange(strips)).swapaxes(0, 1)
    return y.reshape(batch, strips * rows * TILE, across * TILE, -1)[:, :height, :width]


def _zero_once_known(x: Maps) -> Float[Array, ""]:
    """Returns 0, which XLA cannot compute before x.

    It delays the transform of a layer's filters until the layer's input is known. Otherwise XLA
    transforms the filters of all layers first, and they fill the memory. An optimization barrier
    does not delay it: the CPU backend removes barriers before it orders the work. The comparison
    is False for every value, including NaN and infinity.
    """
    return (x[0, 0, 0, 0] > jnp.inf).astype(x.dtype)


def _strip(seen, filters, contracted, down: int, across: int):
    """Returns the outputs of down x across tiles of each image, given the pixels that they see."""
    values = _values(seen, down, across)
    *places, channels = values.shape
    values = values.reshape(READ**2, -1, channels)
    products = lax.dot_general(values, filters, (contracted, ((0,), (0,))))
    products = products.reshape(*places, -1)
    columns = jnp.stack(_combine(_OUTPUTS, products), axis=4)
    rows = jnp.stack(_combine(_OUTPUTS, columns), axis=2)
    return rows.reshape(len(seen), down * TILE, across * TILE, -1)


def _values(seen, down: int, across: int):
    """Returns the transformed input tiles.

    The axes are the column and row within a tile, the image, the row and column of the tile, and
    the channel.
    """
    rows = [seen[:, first : first + TILE * (down - 1) + 1 : TILE] for first in range(READ)]
    rows = jnp.stack(_combine(_INPUTS, rows))
    last = TILE * (across - 1) + 1
    columns = [rows[:, :, :, first : first + last : TILE] for first in range(READ)]
    return jnp.stack(_combine(_INPUTS, columns))


def _to_kernel(x, cotangent):
    """Returns the gradient of the filters: one product of transformed maps per place in a tile."""
    _, height, width, channels = x.shape
    down, across = _tiles(height), _tiles(width)
    beyond = down * TILE - height, across * TILE - width
    seen = jnp.pad(x, ((0, 0), (1, 1 + beyond[0]), (1, 1 + beyond[1]), (0, 0)))
    values = _values(seen, down, across).reshape(READ**2, -1, channels)
    outputs = jnp.pad(cotangent, ((0, 0), (0, beyond[0]), (0, beyond[1]), (0, 0)))
    rows = jnp.stack(_combine(_OUTPUTS.T, [outputs[:, row::TILE] for row in range(TILE)]))
    columns = [rows[:, :, :, column::TILE] for column in range(TILE)]
    outputs = jnp.stack(_combine(_OUTPUTS.T, columns))
    outputs = outputs.reshape(READ**2, -1, cotangent.shape[-1])
    filters = lax.dot_general(values, outputs, (((1,), (1,)), ((0,), (0,))))
    filters = _for_filters(x.dtype).T @ filters.reshape(READ**2, -1)
    return filters.reshape(WINDOW, WINDOW, channels, -1)


def _for_filters(dtype, rotated: bool = False):
    """Returns the matrix from a filter's 9 weights to its 36 transformed values, column by column.

    If `rotated`, the weights are those of the filter rotated by 180 degrees.
    """
    matrix = np.einsum("ai,bj->baij", _FILTERS, _FILTERS).reshape(READ**2, WINDOW**2)
    return jnp.asarray(matrix[:, ::-1] if rotated else matrix, dtype)


def _combine(matrix: np.ndarray, parts: Array | Sequence[Array]) -> list[Array]:
    """Computes matrix @ parts without multiplications by zero."""
    return [
        sum(float(weight) * part for weight, part in zip(row, parts, strict=True) if weight)
        for row in matrix
    ]
