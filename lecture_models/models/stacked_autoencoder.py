"""Defines a stack of one-layer autoencoders, each of which encodes the codes of the one below."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key


class AutoencoderLayer(NamedTuple):
    """Holds the parameters of one autoencoder, whose encoder and decoder share no weights."""

    encoder_kernel: Float[Array, "below above"]
    encoder_bias: Float[Array, " above"]
    decoder_kernel: Float[Array, "above below"]
    decoder_bias: Float[Array, " below"]


def init_layer(key: Key[Array, ""], below: int, above: int) -> AutoencoderLayer:
    """Draws normal weights of variance 2 / (below + above), and sets biases to 0.

    Args:
        key: the random key.
        below: the number of inputs.
        above: the number of code units.

    Returns:
        The initial parameters. Glorot and Bengio, "Understanding the difficulty of training deep
        feedforward neural networks", 2010, equation 12.
    """
    encoder_key, decoder_key = jax.random.split(key)
    scale = (2.0 / (below + above)) ** 0.5
    return AutoencoderLayer(
        scale * jax.random.normal(encoder_key, (below, above)),
        jnp.zeros(above),
        scale * jax.random.normal(decoder_key, (above, below)),
        jnp.zeros(below),
    )


def encode(
    layers: Sequence[AutoencoderLayer], inputs: Float[Array, "batch below"]
) -> Float[Array, "batch above"]:
    """Computes the codes of the highest layer.

    h_l = sigmoid(W_l h_(l-1) + b_l)

    Args:
        layers: the layers, from the lowest to the highest; none means that the inputs are returned.
        inputs: h_0, the inputs of the lowest layer, in [0, 1].

    Returns:
        The codes, in [0, 1].
    """
    return functools.reduce(
        lambda x, layer: jax.nn.sigmoid(x @ layer.encoder_kernel + layer.encoder_bias[None, :]),
        layers,
        inputs,
    )


def decode(
    layers: Sequence[AutoencoderLayer], codes: Float[Array, "batch above"]
) -> Float[Array, "batch below"]:
    """Computes the logits of the lowest layer's inputs from the codes of the highest layer.

    Each decoder but the lowest is followed by a sigmoid.

    Args:
        layers: the layers, from the lowest to the highest.
        codes: the codes of the highest layer, in [0, 1].

    Returns:
        The logits of the inputs on [0, 1].

    Raises:
        ValueError: there is no layer.
    """
    if not layers:
        raise ValueError("the stack has 0 layers; it must have at least 1")
    return functools.reduce(
        lambda logits, layer: (
            jax.nn.sigmoid(logits) @ layer.decoder_kernel + layer.decoder_bias[None, :]
        ),
        reversed(layers[:-1]),
        codes @ layers[-1].decoder_kernel + layers[-1].decoder_bias[None, :],
    )


def reconstruct(
    layers: Sequence[AutoencoderLayer], inputs: Float[Array, "batch below"]
) -> Float[Array, "batch below"]:
    """Encodes the inputs by all layers and decodes the codes.

    Args:
        layers: the layers, from the lowest to the highest; at least one.
        inputs: the inputs of the lowest layer, in [0, 1].

    Returns:
        The reconstructed inputs, in [0, 1].

    Raises:
        ValueError: there is no layer.
    """
    return jax.nn.sigmoid(decode(layers, encode(layers, inputs)))
