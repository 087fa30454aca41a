"""Normalizes batches, with running statistics that can be frozen and sums that are fast on a CPU.

Ioffe and Szegedy, "Batch normalization", 2015.
"""

from typing import Any

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
    update_statistics: Bool[Array, ""] | None = None,
    dtype: DTypeLike = jnp.float32,
    scale_init: nn.initializers.Initializer = nn.initializers.ones,
) -> Maps:
    """Normalizes each channel by a submodule of the linen module that calls this function.

    It must be called within a compact method. The variables have the names and shapes of Flax's
    own BatchNorm. The momentum is 0.9, epsilon 1e-5, and moments are computed in float32.

    Args:
        x: the maps to normalize.
        training: whether to use the batch's own moments and to update the running ones. Otherwise
            the running mean and variance are used.
        name: the submodule's name.
        update_statistics: if False, the running mean and variance keep their values in training:
            a path that a mask drops must leave no trace in them. None means True.
        dtype: the type of the result.
        scale_init: the initializer of the scales.

    Returns:
        Normalized, scaled and shifted maps. Ioffe and Szegedy, 2015, algorithms 1 and 2.
    """
    return _BatchNorm(dtype, scale_init, name=name)(x, training, update_statistics)


def standing_statistics(module: nn.Module, params: Any, statistics: Any, *inputs: Array) -> Any:
    """Computes the moments that a module's batch normalizations have on one large batch.

    They replace running statistics where the parameters are not those that the batches of training
    saw, such as averaged ones.

    Args:
        module: a linen module whose batch normalizations are all made by `batch_norm`.
        params: its parameters.
        statistics: a `batch_stats` collection of the module, of which only the structure counts.
        *inputs: the arguments of the module; it is called with training=True.

    Returns:
        The collection of the batch's own moments. Brock et al., "Large scale GAN training", 2019,
        section 4.1 ("standing statistics").
    """
    variables = {"params": params, "batch_stats": jax.tree.map(jnp.zeros_like, statistics)}
    _, updated = module.apply(variables, *inputs, training=True, mutable=["batch_stats"])
    # From zeros, running statistics are 1 - momentum times the moments.
    return jax.tree.map(lambda value: value / (1.0 - MOMENTUM), updated["batch_stats"])


class _BatchNorm(nn.Module):
    dtype: DTypeLike = jnp.float32
    scale_init: nn.initializers.Initializer = nn.initializers.ones

    @nn.compact
    def __call__(self, x: Maps, training: bool, update_statistics: Bool[Array, ""] | None) -> Maps:
        shape = (x.shape[-1],)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        var = self.variable("batch_stats", "var", jnp.ones, shape)
        scale = self.param("scale", self.scale_init, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        x = x.astype(jnp.float32)
        if not training:
            factor = lax.rsqrt(var.value + EPSILON) * scale
            y = (x - _spread(mean.value, x)) * _spread(factor, x) + _spread(bias, x)
            return y.astype(self.dtype)
        y, *moments = normalize(x, scale, bias)
        if not self.is_initializing():
            for running, moment in zip((mean, var), moments, strict=True):
                moved = MOMENTUM * running.value + (1.0 - MOMENTUM) * moment
                if update_statistics is not None:
                    moved = jnp.where(update_statistics, moved, running.value)
                running.value = moved
        return y.astype(self.dtype)


@jax.custom_vjp
def normalize(x: Maps, scale: Channels, bias: Channels) -> tuple[Maps, Channels, Channels]:
    """Returns maps normalized by their own moments, and these moments.

    (x - mean) / sqrt(variance + epsilon) * scale + bias

    The gradient is written by hand so that it takes two sums; automatic differentiation makes many
    sums, which are slow on a CPU.

    Args:
        x: the maps, in float32.
        scale: the factor of each channel.
        bias: the offset of each channel.

    Returns:
        The normalized maps, and the mean and the variance (divided by n) of each channel. The
        moments have no gradient: they are for running statistics. Ioffe and Szegedy, 2015,
        algorithm 1.
    """
    return _forward(x, scale, bias)[0]


def _forward(x, scale, bias):
    mean = _channel_means(x)
    var = jnp.maximum(0.0, _channel_means(x * x) - mean * mean)
    inverse = lax.rsqrt(var + EPSILON)
    y = (x - _spread(mean, x)) * _spread(inverse * scale, x) + _spread(bias, x)
    return (y, mean, var), (x, mean, inverse, scale)


def _backward(residuals, cotangents):
    x, mean, inverse, scale = residuals
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
    """Computes the means by a matrix product on a CPU, in a third of the time of a sum."""
    return lax.platform_dependent(x, cpu=_by_product, default=_by_sum)


def _by_product(x):
    rows = x.reshape(-1, x.shape[-1])
    return jnp.full((len(rows),), 1.0 / len(rows), x.dtype) @ rows


def _by_sum(x):
    return x.mean(tuple(range(x.ndim - 1)))
