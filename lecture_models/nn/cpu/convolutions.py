"""How the convolutions of Flax's modules are computed on a CPU, where XLA's own are slow."""

import contextlib
import contextvars
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array

from lecture_models.nn.cpu import banded, winograd

SLICE = 2**18  # Values: 1 MB of maps, which a filter's gradient reads many times, stay in a cache.
FEWEST_IMAGES = 8  # Of a slice: their number is what its inner products sum over.
FEWEST_SLICES = 3  # With fewer, what they save is less than what they cost.

_plain = contextvars.ContextVar("plain", default=False)


@contextlib.contextmanager
def faster_convolutions() -> Iterator[None]:
    """Within, 2-D `nn.Conv` of float32 are computed on a CPU as is fastest for their shapes.

    Where channels are many by `winograd`, where they are few as a matrix product, `banded`;
    between them, gradients of filters alone: by `winograd` or a few images at a time, without which
    oneDNN's kernels, where XLA is told to use them, take twice as long. The rest, and everything on
    other devices, as without. Results differ by rounding.
    """
    with nn.intercept_methods(_intercept):
        yield


@contextlib.contextmanager
def plain_convolutions() -> Iterator[None]:
    """Within, even inside of `faster_convolutions`, nothing is changed: to read the program."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def _intercept(
    call: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], context: Any
) -> Any:
    module = context.module
    if (
        _plain.get()
        or not isinstance(module, nn.Conv)
        or context.method_name != "__call__"
        or module.conv_general_dilated is not None
        or module.is_initializing()
    ):
        return call(*args, **kwargs)
    faster = module.clone(parent=None, name=None, conv_general_dilated=_general)
    return faster.apply({"params": module.variables["params"]}, *args, **kwargs)


def _general(lhs, rhs, window_strides, padding, **settings) -> Array:
    """In the place of lax.conv_general_dilated, as Flax calls it."""
    strides = tuple(window_strides)
    way = _way(lhs, rhs, strides, settings)
    if way is None:
        return lax.conv_general_dilated(lhs, rhs, strides, padding, **settings)
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(lhs.shape[1:3], rhs.shape[:2], strides, padding)
    return _convolve(way, strides, tuple(map(tuple, padding)), lhs, rhs)


class Way(NamedTuple):
    """The functions (strides, padding, images, kernel) that a convolution is computed by."""

    maps: Callable[..., Array]  # And the gradient to the images.
    filters: Callable[..., Array]  # The one whose gradient to the kernel is taken.


def _way(lhs, rhs, strides, settings) -> Way | None:
    dilations = {*settings["lhs_dilation"], *settings["rhs_dilation"]}
    usual = dilations == {1} and settings["feature_group_count"] == 1
    if lhs.ndim != 4 or lhs.dtype != jnp.float32 or not usual:
        return None
    if banded.pays(lhs, rhs):
        return Way(_banded, _banded)
    if strides != (1, 1):
        return None
    if winograd.pays(lhs, rhs):
        return Way(_winograd, _winograd)
    if winograd.pays(lhs, rhs, winograd.FILTER_CHANNELS):
        return Way(_direct, _winograd)
    return Way(_direct, _by_slices) if _slices_pay(lhs, rhs) else None


def _slices_pay(x, kernel) -> bool:
    images = _images_of_a_slice(x, kernel)
    few = min(kernel.shape[2:]) < winograd.FILTER_CHANNELS and kernel.shape[:2] != (1, 1)
    return few and images >= FEWEST_IMAGES and len(x) > (FEWEST_SLICES - 1) * images


def _images_of_a_slice(x, kernel) -> int:
    return SLICE // (math.prod(x.shape[1:3]) * kernel.shape[3])


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _convolve(way, strides, padding, x, kernel):
    here, elsewhere = (functools.partial(by, strides, padding) for by in (way.maps, _direct))
    return lax.platform_dependent(x, kernel, cpu=here, default=elsewhere)


def _forward(way, strides, padding, x, kernel):
    return _convolve(way, strides, padding, x, kernel), (x, kernel)


def _backward(way, strides, padding, given, cotangent):
    def gradients(way):
        def compute(x, kernel, y):
            maps, filters = (functools.partial(by, strides, padding) for by in way)
            (to_images,) = jax.vjp(lambda x: maps(x, kernel), x)[1](y)
            (to_kernel,) = jax.vjp(lambda kernel: filters(x, kernel), kernel)[1](y)
            return to_images, to_kernel

        return compute

    ways = {"cpu": gradients(way), "default": gradients(Way(_direct, _direct))}
    return lax.platform_dependent(*given, cotangent, **ways)


_convolve.defvjp(_forward, _backward)


def _direct(strides, padding, x, kernel):
    return lax.conv_general_dilated(
        x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _by_slices(strides, padding, x, kernel):
    images = _images_of_a_slice(x, kernel)
    slices = [x[first : first + images] for first in range(0, len(x), images)]
    return jnp.concatenate([_direct(strides, padding, each, kernel) for each in slices])


def _banded(strides, padding, x, kernel):
    return banded.convolve(jnp.pad(x, ((0, 0), *padding, (0, 0))), kernel, strides)


def _winograd(strides, padding, x, kernel):
    # There a border is one wide: a wider one is pixels added, none is units left out.
    wider = [(max(0, before - 1), max(0, after - 1)) for before, after in padding]
    y = winograd.convolve(jnp.pad(x, ((0, 0), *wider, (0, 0))), kernel)
    rows, columns = (
        slice(int(before == 0), size - int(after == 0))
        for (before, after), size in zip(padding, y.shape[1:3], strict=True)
    )
    return y[:, rows, columns]
