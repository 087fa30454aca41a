"""Batch normalization whose running statistics can be held still, and whose sums are fast."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float

MOMENTUM, EPSILON = 0.9, 1e-5

Maps = Float[Array, "batch *place channel"]
Channels = Float[Array, " channel"]


def batch_norm(
    x: Maps,
    training: bool,
    name: str,
    moves: Bool[Array, ""] | None = None,
    dtype: DTypeLike = jnp.float32,
) -> Maps:
    """Batch normalization as a submodule `name` of the module that calls; use it when compact.

    Momentum 0.9, epsilon 1e-5, moments in float32; the variables are those of Flax's module. Where
    `moves` is given and false, the running mean and variance stay what they were: a path that is
    dropped by a mask leaves no trace in them.

    Ioffe and Szegedy, "Batch normalization", 2015, algorithms 1 and 2.
    """
    return _BatchNorm(dtype, name=name)(x, training, moves)


class _BatchNorm(nn.Module):
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x: Maps, training: bool, moves: Bool[Array, ""] | None) -> Maps:
        shape = (x.shape[-1],)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        var = self.variable("batch_stats", "var", jnp.ones, shape)
        scale = self.param("scale", nn.initializers.ones, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        x = x.astype(jnp.float32)
        if not training:
            factor = lax.rsqrt(var.value + EPSILON) * scale
            y = (x - _spread(mean.value, x)) * _spread(factor, x) + _spread(bias, x)
            return y.astype(self.dtype)
        y, *moments = normalize(x, scale, bias)
        if not self.is_initializing():
            for running, found in zip((mean, var), moments, strict=True):
                moved = MOMENTUM * running.value + (1.0 - MOMENTUM) * found
                running.value = moved if moves is None else jnp.where(moves, moved, running.value)
        return y.astype(self.dtype)


@jax.custom_vjp
def normalize(x: Maps, scale: Channels, bias: Channels) -> tuple[Maps, Channels, Channels]:
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, and the two moments of each channel.

    The moments that are returned have no gradient: they are for running statistics. The gradient is
    written out, so that it too takes two sums: of autodiff's, a CPU makes many slow ones.
    """
    return _forward(x, scale, bias)[0]


def _forward(x, scale, bias):
    mean = _channel_means(x)
    var = jnp.maximum(0.0, _channel_means(x * x) - mean * mean)
    inverse = lax.rsqrt(var + EPSILON)
    y = (x - _spread(mean, x)) * _spread(inverse * scale, x) + _spread(bias, x)
    return (y, mean, var), (x, mean, inverse, scale)


def _backward(given, cotangents):
    x, mean, inverse, scale = given
    to_y = cotangents[0]
    count = x.size // x.shape[-1]
    to_bias = _channel_means(to_y)
    to_scale = (_channel_means(to_y * x) - mean * to_bias) * inverse
    along = (x - _spread(mean, x)) * _spread(inverse * to_scale, x)
    to_x = _spread(inverse * scale, x) * (to_y - _spread(to_bias, x) - along)
    return to_x, count * to_scale, count * to_bias


normalize.defvjp(_forward, _backward)


def _spread(values: Channels, x: Maps) -> Float[Array, "*one channel"]:
    return values.reshape(*(1,) * (x.ndim - 1), -1)


def _channel_means(x: Maps) -> Channels:
    """On a CPU a matrix product, which takes a third of the time of a sum."""
    return lax.platform_dependent(x, cpu=_by_product, default=_by_sum)


def _by_product(x):
    rows = x.reshape(-1, x.shape[-1])
    return jnp.full((len(rows),), 1.0 / len(rows), x.dtype) @ rows


def _by_sum(x):
    return x.mean(tuple(range(x.ndim - 1)))
