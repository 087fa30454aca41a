"""Winograd's convolution: 3x3 filters at a quarter of the multiplications.

An output tile of 4x4 needs 36 products a channel in place of 144. Input tiles of 6x6 and filters
are each taken to values of a polynomial at six points, multiplied there as 36 matrix products, and
interpolated. With the points 0, ±1/2, ±3/2 and infinity the result is within about 1e-5 of the
largest value of a direct convolution's (512 channels, measured), half of the error of the customary
0, ±1, ±2.

Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016; that fractions make good
points: Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution", 2020.
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
READ = TILE + WINDOW - 1  # The side of the tile that is read; tiles overlap.
CHANNELS = 64  # With fewer, in or out, the transforms cost what the products save, or more.
FILTER_CHANNELS = 32  # As much for the gradient of the filters, which otherwise costs more.
WORK = 2.5e8  # With fewer multiply-adds, compiling it takes longer than a few hundred steps save.
STRIP = 2**21  # So many transformed values at a time: 8 MB stay in a cache.


def cook_toom() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A, G, B: the matrices of outputs (TILE, READ), filters (READ, WINDOW), inputs (READ, READ).

    For a row of inputs d and a filter g, A ((G g) * (B d)) is their correlation.
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


def pays(x: Maps, kernel: Array, channels: int = CHANNELS) -> bool:
    """Whether it is faster than a direct convolution, by the shapes that were tried."""
    return (
        kernel.shape[:2] == (WINDOW, WINDOW)
        and min(kernel.shape[2:]) >= channels
        and math.prod(x.shape[:3]) * kernel.size >= WORK
    )


@jax.custom_vjp
def convolve(x: Maps, kernel: Kernel) -> NewMaps:
    """A convolution of stride 1 with a border of one zero; its gradients are computed likewise."""
    return _by_strips(x, kernel)


def _backward(given, cotangent):
    x, kernel = given
    return _by_strips(cotangent, kernel, adjoint=True), _to_kernel(x, cotangent)


convolve.defvjp(lambda x, kernel: (_by_strips(x, kernel), (x, kernel)), _backward)


def _tiles(size: int) -> int:
    return -(-size // TILE)


def _by_strips(x, kernel, adjoint: bool = False):
    """Strip by strip, so that what is transformed is never whole in memory."""
    batch, height, width, channels = x.shape
    down, across = _tiles(height), _tiles(width)
    strips = math.ceil(down / max(1, STRIP // (READ**2 * batch * across * channels)))
    rows = math.ceil(down / strips)  # Of tiles, in a strip.
    beyond = strips * rows * TILE - height, across * TILE - width
    padded = jnp.pad(x, ((0, 0), (1, 1 + beyond[0]), (1, 1 + beyond[1]), (0, 0)))
    # Not before x is known: of all layers at once, the transformed filters would fill the memory.
    filters = _for_filters(kernel.dtype, adjoint) + 0.0 * x[0, 0, 0, 0]
    filters = (filters @ kernel.reshape(WINDOW**2, -1)).reshape(READ**2, *kernel.shape[2:])
    contracted = (2,), (2 if adjoint else 1,)

    def strip(index):
        seen = lax.dynamic_slice_in_dim(padded, index * rows * TILE, rows * TILE + 2, 1)
        return _strip(seen, filters, contracted, rows, across)

    y = strip(0) if strips == 1 else lax.map(strip, jnp.arange(strips)).swapaxes(0, 1)
    return y.reshape(batch, strips * rows * TILE, across * TILE, -1)[:, :height, :width]


def _strip(seen, filters, contracted, down: int, across: int):
    """The outputs of down x across tiles of each image, from the pixels that they see."""
    values = _values(seen, down, across)
    *places, channels = values.shape
    values = values.reshape(READ**2, -1, channels)
    products = lax.dot_general(values, filters, (contracted, ((0,), (0,))))
    products = products.reshape(*places, -1)
    columns = jnp.stack(_combine(_OUTPUTS, products), axis=4)
    rows = jnp.stack(_combine(_OUTPUTS, columns), axis=2)
    return rows.reshape(len(seen), down * TILE, across * TILE, -1)


def _values(seen, down: int, across: int):
    """Column and row within the tile, image, row and column of the tile, channel."""
    rows = [seen[:, each : each + TILE * (down - 1) + 1 : TILE] for each in range(READ)]
    rows = jnp.stack(_combine(_INPUTS, rows))
    columns = [rows[:, :, :, each : each + TILE * (across - 1) + 1 : TILE] for each in range(READ)]
    return jnp.stack(_combine(_INPUTS, columns))


def _to_kernel(x, cotangent):
    """The gradient to the filters: a product of the transformed maps, for each of the places."""
    _, height, width, channels = x.shape
    down, across = _tiles(height), _tiles(width)
    beyond = down * TILE - height, across * TILE - width
    seen = jnp.pad(x, ((0, 0), (1, 1 + beyond[0]), (1, 1 + beyond[1]), (0, 0)))
    values = _values(seen, down, across).reshape(READ**2, -1, channels)
    given = jnp.pad(cotangent, ((0, 0), (0, beyond[0]), (0, beyond[1]), (0, 0)))
    given = jnp.stack(_combine(_OUTPUTS.T, [given[:, each::TILE] for each in range(TILE)]))
    given = [given[:, :, :, each::TILE] for each in range(TILE)]
    given = jnp.stack(_combine(_OUTPUTS.T, given)).reshape(READ**2, -1, cotangent.shape[-1])
    filters = lax.dot_general(values, given, (((1,), (1,)), ((0,), (0,))))
    filters = _for_filters(x.dtype).T @ filters.reshape(READ**2, -1)
    return filters.reshape(WINDOW, WINDOW, channels, -1)


def _for_filters(dtype, turned: bool = False):
    """From a filter's 9 weights, turned by 180 degrees, to its 36 values, column by column."""
    matrix = np.einsum("ai,bj->baij", _FILTERS, _FILTERS).reshape(READ**2, WINDOW**2)
    return jnp.asarray(matrix[:, ::-1] if turned else matrix, dtype)


def _combine(matrix: np.ndarray, parts: Array | Sequence[Array]) -> list[Array]:
    """matrix @ parts without the products by zero, which a matrix product would spend."""
    return [
        sum(float(weight) * part for weight, part in zip(row, parts, strict=True) if weight)
        for row in matrix
    ]
