"""Winograd's convolution: 3x3 filters at a quarter of the multiplications.

An output tile of 4x4 needs 36 products a channel in place of 144. Input tiles of 6x6 and filters
are each taken to values of a polynomial at six points, multiplied there as 36 matrix products, and
interpolated. With the points 0, ±1/2, ±3/2 and infinity, whose matrices float32 holds exactly but
for the filters', the result is within about 1e-5 of the largest value of a direct convolution's; at
the customary 0, ±1, ±2 the error is twice as large.

Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016; the points: Barabasz et
al., "Error analysis and improving the accuracy of Winograd convolution", 2020.
"""

import contextlib
import contextvars
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Float

Maps = Float[Array, "batch height width channel"]
NewMaps = Float[Array, "batch height width new_channel"]
Kernel = Float[Array, "3 3 channel new_channel"]

TILE, WINDOW = 4, 3
POINTS = (0.0, 0.5, -0.5, 1.5, -1.5)  # And infinity.
READ = TILE + WINDOW - 1  # The side of the tile that is read; tiles overlap.
CHANNELS = 64  # With fewer, in or out, the transforms cost more than the products save.
TILES = 16  # Likewise.
STRIP = 2**21  # So many transformed values at a time: 8 MB stay in a cache.

_direct = contextvars.ContextVar("direct", default=False)


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


@jax.custom_vjp
def convolve(x: Maps, kernel: Kernel) -> NewMaps:
    """What a convolution of stride 1 with a border of one zero gives, on a CPU by Winograd's tiles.

    On other devices it is the direct one, which their libraries do as they see fit. The gradient to
    the maps is a convolution too, and so is computed; that to the filters is the direct one's.
    """
    return lax.platform_dependent(x, kernel, cpu=_by_tiles, default=_directly)


def _forward(x, kernel):
    return convolve(x, kernel), (x, kernel)


def _backward(given, cotangent):
    x, kernel = given
    _, to_kernel = jax.vjp(lambda kernel: _directly(x, kernel), kernel)
    turned = functools.partial(_by_tiles, adjoint=True)
    to_maps = lax.platform_dependent(cotangent, kernel, cpu=turned, default=_adjoint)
    return to_maps, *to_kernel(cotangent)


convolve.defvjp(_forward, _backward)


@contextlib.contextmanager
def convolutions() -> Iterator[None]:
    """Within, Flax's convolutions that gain by it are `convolve`: 3x3, stride 1, many channels."""
    with nn.intercept_methods(_intercept):
        yield


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Within, even inside of `convolutions`, all are direct: for those who read the program."""
    token = _direct.set(True)
    try:
        yield
    finally:
        _direct.reset(token)


def _intercept(
    call: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], context: Any
) -> Any:
    module = context.module
    if not isinstance(module, nn.Conv) or context.method_name != "__call__" or _direct.get():
        return call(*args, **kwargs)
    if module.is_initializing() or module.conv_general_dilated is not None:
        return call(*args, **kwargs)
    faster = module.clone(parent=None, name=None, conv_general_dilated=_general)
    return faster.apply({"params": module.variables["params"]}, *args, **kwargs)


def _general(lhs, rhs, window_strides, padding, **settings) -> Array:
    """In the place of lax.conv_general_dilated, as Flax calls it."""
    if not _gains(lhs, rhs, window_strides, settings):
        return lax.conv_general_dilated(lhs, rhs, window_strides, padding, **settings)
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(lhs.shape[1:3], rhs.shape[:2], window_strides, padding)
    # `convolve` has a border of one: a wider one is pixels added, none is units left out.
    wider = [(max(0, before - 1), max(0, after - 1)) for before, after in padding]
    y = convolve(jnp.pad(lhs, ((0, 0), *wider, (0, 0))), rhs)
    kept = [
        slice(int(before == 0), size - int(after == 0))
        for (before, after), size in zip(padding, y.shape[1:3], strict=True)
    ]
    return y[:, kept[0], kept[1]]


def _gains(lhs, rhs, strides, settings) -> bool:
    steps = {*strides, *settings["lhs_dilation"], *settings["rhs_dilation"]}
    _, height, width, _ = lhs.shape
    return (
        lhs.dtype == jnp.float32
        and rhs.shape[:2] == (WINDOW, WINDOW)
        and steps == {1}
        and settings["feature_group_count"] == 1
        and min(rhs.shape[2:]) >= CHANNELS
        and len(lhs) * _tiles(height) * _tiles(width) >= TILES
    )


def _tiles(size: int) -> int:
    return -(-size // TILE)


def _directly(x, kernel):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _adjoint(y, kernel):
    return _directly(y, kernel[::-1, ::-1].swapaxes(2, 3))


def _by_tiles(x, kernel, adjoint: bool = False):
    """Strip by strip, so that what is transformed is never whole in memory."""
    batch, height, width, channels = x.shape
    down, across = _tiles(height), _tiles(width)
    strips = math.ceil(down / max(1, STRIP // (READ**2 * batch * across * channels)))
    rows = math.ceil(down / strips)  # Of tiles, in a strip.
    beyond = strips * rows * TILE - height, across * TILE - width
    padded = jnp.pad(x, ((0, 0), (1, 1 + beyond[0]), (1, 1 + beyond[1]), (0, 0)))
    # Not before x is known: of all layers at once, the transformed filters would fill the memory.
    kernel = kernel + 0.0 * x[0, 0, 0, 0]
    filters = jnp.stack(_combine(_FILTERS, kernel[::-1, ::-1] if adjoint else kernel))
    filters = jnp.stack(_combine(_FILTERS, filters.swapaxes(0, 1)))
    filters = filters.reshape(READ**2, *kernel.shape[2:])
    contracted = (2,), (2 if adjoint else 1,)

    def strip(index):
        seen = lax.dynamic_slice_in_dim(padded, index * rows * TILE, rows * TILE + 2, 1)
        return _strip(seen, filters, contracted, rows, across)

    y = strip(0) if strips == 1 else lax.map(strip, jnp.arange(strips)).swapaxes(0, 1)
    return y.reshape(batch, strips * rows * TILE, across * TILE, -1)[:, :height, :width]


def _strip(seen, filters, contracted, down: int, across: int):
    """The outputs of down x across tiles of each image, from the pixels that they see."""
    rows = [seen[:, each : each + TILE * (down - 1) + 1 : TILE] for each in range(READ)]
    rows = jnp.stack(_combine(_INPUTS, rows))
    columns = [rows[:, :, :, each : each + TILE * (across - 1) + 1 : TILE] for each in range(READ)]
    values = jnp.stack(_combine(_INPUTS, columns))
    *places, channels = values.shape  # Column and row within the tile, image, row, column.
    values = values.reshape(READ**2, -1, channels)
    products = lax.dot_general(values, filters, (contracted, ((0,), (0,))))
    products = products.reshape(*places, -1)
    columns = jnp.stack(_combine(_OUTPUTS, products), axis=4)
    rows = jnp.stack(_combine(_OUTPUTS, columns), axis=2)
    return rows.reshape(len(seen), down * TILE, across * TILE, -1)


def _combine(matrix: np.ndarray, parts: Array | Sequence[Array]) -> list[Array]:
    """matrix @ parts without the products by zero, which a matrix product would spend."""
    return [
        sum(float(weight) * part for weight, part in zip(row, parts, strict=True) if weight)
        for row in matrix
    ]
