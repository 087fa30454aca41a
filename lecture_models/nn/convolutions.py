"""How the convolutions of Flax's modules are computed on a CPU, where XLA's own are slow."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Array

from lecture_models.nn import banded, winograd

_plain = contextvars.ContextVar("plain", default=False)


@contextlib.contextmanager
def faster_convolutions() -> Iterator[None]:
    """Within, 2-D `nn.Conv` of float32 are computed on a CPU as is fastest for their shapes.

    Where channels are many by `winograd`, where they are few as a matrix product, `banded`; the
    rest, and everything on other devices, as without. Results differ by rounding.
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
    by = _way(lhs, rhs, strides, settings)
    if by is None:
        return lax.conv_general_dilated(lhs, rhs, strides, padding, **settings)
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(lhs.shape[1:3], rhs.shape[:2], strides, padding)
    return _convolve(by, strides, tuple(map(tuple, padding)), lhs, rhs)


def _way(lhs, rhs, strides, settings) -> Callable[..., Array] | None:
    dilations = {*settings["lhs_dilation"], *settings["rhs_dilation"]}
    usual = dilations == {1} and settings["feature_group_count"] == 1
    if lhs.ndim != 4 or lhs.dtype != jnp.float32 or not usual:
        return None
    if banded.pays(lhs, rhs):
        return _banded
    return _winograd if strides == (1, 1) and winograd.pays(lhs, rhs) else None


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _convolve(by, strides, padding, x, kernel):
    here, elsewhere = (functools.partial(way, strides, padding) for way in (by, _direct))
    return lax.platform_dependent(x, kernel, cpu=here, default=elsewhere)


def _forward(by, strides, padding, x, kernel):
    return _convolve(by, strides, padding, x, kernel), (x, kernel)


def _backward(by, strides, padding, given, cotangent):
    def gradients(way):
        return lambda x, kernel, y: jax.vjp(functools.partial(way, strides, padding), x, kernel)[1](
            y
        )

    return lax.platform_dependent(*given, cotangent, cpu=gradients(by), default=gradients(_direct))


_convolve.defvjp(_forward, _backward)


def _direct(strides, padding, x, kernel):
    return lax.conv_general_dilated(
        x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


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
