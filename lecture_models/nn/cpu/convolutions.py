"""Replaces convolutions of Flax modules on a CPU by faster algorithms.

docs/cpu_convolutions.md says which convolutions are replaced, why, and how to turn this off.
"""

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

# The most output values of a slice of images. A filter's gradient reads them many times; 1 MB of
# them stays in a cache.
SLICE = 2**18
FEWEST_IMAGES = 8  # Of a slice: its inner products sum over the images.
FEWEST_SLICES = 3  # With fewer slices, they cost more than they save.

_plain = contextvars.ContextVar("plain", default=False)


@contextlib.contextmanager
def faster_convolutions() -> Iterator[None]:
    """Replaces float32 2-D `nn.Conv` within it by the fastest algorithm for their shapes on a CPU.

    It acts while functions are traced, so it must enclose the first call of a jitted function. It
    also serves as a decorator: `faster_convolutions()(step)`.

    With many channels a convolution is computed by `winograd`, with few as a matrix product by
    `banded`. Between the two only the gradient of the filters is replaced, by `winograd` or by
    slices of a few images. Without slices oneDNN's kernels, if XLA is told to use them, take twice
    as long. All other convolutions, and all convolutions on other devices, are unchanged. Results
    differ by rounding.

    Yields:
        None, once convolutions are replaced.
    """
    with nn.intercept_methods(_intercept):
        yield


@contextlib.contextmanager
def plain_convolutions() -> Iterator[None]:
    """Keeps all convolutions within it as they are, even inside `faster_convolutions`.

    It is for code that reads the traced program, such as the computation of receptive fields.

    Yields:
        None, once convolutions are kept.
    """
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
    """Takes the place of lax.conv_general_dilated, with the arguments that Flax passes."""
    strides = tuple(window_strides)
    algorithms = _choose(lhs, rhs, strides, settings)
    if algorithms is None:
        return lax.conv_general_dilated(lhs, rhs, strides, padding, **settings)
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(lhs.shape[1:3], rhs.shape[:2], strides, padding)
    return _convolve(algorithms, strides, tuple(map(tuple, padding)), lhs, rhs)


class Algorithms(NamedTuple):
    """Holds the functions (strides, padding, images, kernel) that compute a convolution.

    Attributes:
        maps: computes the outputs; its gradient is used for the images.
        filters: computes the same outputs; only its gradient is used, for the kernel.
    """

    maps: Callable[..., Array]
    filters: Callable[..., Array]


def _choose(lhs, rhs, strides, settings) -> Algorithms | None:
    """Returns the algorithms for these shapes, or None if the convolution is not replaced."""
    dilations = {*settings["lhs_dilation"], *settings["rhs_dilation"]}
    usual = dilations == {1} and settings["feature_group_count"] == 1
    if lhs.ndim != 4 or lhs.dtype != jnp.float32 or not usual:
        return None
    if banded.is_faster(lhs, rhs):
        return Algorithms(_banded, _banded)
    if strides != (1, 1):
        return None
    if winograd.is_faster(lhs, rhs):
        return Algorithms(_winograd, _winograd)
    if winograd.is_faster(lhs, rhs, winograd.FILTER_CHANNELS):
        return Algorithms(_direct, _winograd)
    return Algorithms(_direct, _by_slices) if _slices_are_faster(lhs, rhs) else None


def _slices_are_faster(x, kernel) -> bool:
    images = _images_per_slice(x, kernel)
    few = min(kernel.shape[2:]) < winograd.FILTER_CHANNELS and kernel.shape[:2] != (1, 1)
    return few and images >= FEWEST_IMAGES and len(x) > (FEWEST_SLICES - 1) * images


def _images_per_slice(x, kernel) -> int:
    return SLICE // (math.prod(x.shape[1:3]) * kernel.shape[3])


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _convolve(algorithms, strides, padding, x, kernel):
    on_cpu = functools.partial(algorithms.maps, strides, padding)
    elsewhere = functools.partial(_direct, strides, padding)
    return lax.platform_dependent(x, kernel, cpu=on_cpu, default=elsewhere)


def _forward(algorithms, strides, padding, x, kernel):
    return _convolve(algorithms, strides, padding, x, kernel), (x, kernel)


def _backward(algorithms, strides, padding, residuals, cotangent):
    def gradients(algorithms):
        def compute(x, kernel, y):
            maps, filters = (functools.partial(by, strides, padding) for by in algorithms)
            (to_images,) = jax.vjp(lambda x: maps(x, kernel), x)[1](y)
            (to_kernel,) = jax.vjp(lambda kernel: filters(x, kernel), kernel)[1](y)
            return to_images, to_kernel

        return compute

    by_platform = {
        "cpu": gradients(algorithms),
        "default": gradients(Algorithms(_direct, _direct)),
    }
    return lax.platform_dependent(*residuals, cotangent, **by_platform)


_convolve.defvjp(_forward, _backward)


def _direct(strides, padding, x, kernel):
    return lax.conv_general_dilated(
        x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _by_slices(strides, padding, x, kernel):
    images = _images_per_slice(x, kernel)
    slices = [x[first : first + images] for first in range(0, len(x), images)]
    return jnp.concatenate([_direct(strides, padding, part, kernel) for part in slices])


def _banded(strides, padding, x, kernel):
    return banded.convolve(jnp.pad(x, ((0, 0), *padding, (0, 0))), kernel, strides)


def _winograd(strides, padding, x, kernel):
    # `winograd.convolve` has a border of one zero. A wider border is added to the images as pixels;
    # without a border the outermost outputs are cut off.
    wider = [(max(0, before - 1), max(0, after - 1)) for before, after in padding]
    y = winograd.convolve(jnp.pad(x, ((0, 0), *wider, (0, 0))), kernel)
    rows, columns = (
        slice(int(before == 0), size - int(after == 0))
        for (before, after), size in zip(padding, y.shape[1:3], strict=True)
    )
    return y[:, rows, columns]
