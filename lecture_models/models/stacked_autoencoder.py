"""Autoencoders of one hidden layer each, stacked: every one encodes the codes of the one below."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class Layer(NamedTuple):
    """The parameters of one autoencoder; its weights are not tied."""

    encoder_kernel: Float[Array, "below above"]
    encoder_bias: Float[Array, " above"]
    decoder_kernel: Float[Array, "above below"]
    decoder_bias: Float[Array, " below"]


def init_layer(key: Key[Array, ""], below: int, above: int) -> Layer:
    """Normal weights of variance 2 / (below + above), biases of 0. Glorot and Bengio, 2010."""
    encoder_key, decoder_key = jax.random.split(key)
    scale = (2.0 / (below + above)) ** 0.5
    return Layer(
        scale * jax.random.normal(encoder_key, (below, above)),
        jnp.zeros(above),
        scale * jax.random.normal(decoder_key, (above, below)),
        jnp.zeros(below),
    )


def encode(
    layers: Sequence[Layer], inputs: Float[Array, "batch below"]
) -> Float[Array, "batch above"]:
    """h_l = sigmoid(W_l h_(l-1) + b_l), from the lowest layer to the highest; h_0 in [0, 1]."""
    return functools.reduce(
        lambda x, layer: jax.nn.sigmoid(x @ layer.encoder_kernel + layer.encoder_bias[None, :]),
        layers,
        inputs,
    )


def decode(
    layers: Sequence[Layer], codes: Float[Array, "batch above"]
) -> Float[Array, "batch below"]:
    """From the highest layer to the logits of what the lowest encodes: sigmoids in between.

    Raises ValueError where there is no layer.
    """
    if not layers:
        raise ValueError("a stack of 0 layers decodes nothing; there must be 1 or more")
    return functools.reduce(
        lambda logits, layer: (
            jax.nn.sigmoid(logits) @ layer.decoder_kernel + layer.decoder_bias[None, :]
        ),
        reversed(layers[:-1]),
        codes @ layers[-1].decoder_kernel + layers[-1].decoder_bias[None, :],
    )


def reconstruct(
    layers: Sequence[Layer], inputs: Float[Array, "batch below"]
) -> Float[Array, "batch below"]:
    """Up and down again, in [0, 1]."""
    return jax.nn.sigmoid(decode(layers, encode(layers, inputs)))
