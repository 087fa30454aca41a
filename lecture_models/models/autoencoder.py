"""Encoders from images to codes and decoders back, fully connected or convolutional.

Images are in [-1, 1]; decoders return logits of pixels in [0, 1], which `pixels` turns into images.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lecture_models.nn.pixel_values import flatten_to_unit_range

Images = Float[Array, "batch height width channel"]
Codes = Float[Array, "batch code"]
Nonlinearity = Callable[[Array], Array]
Params = Any  # A pytree of float arrays.


def pixels(logits: Images) -> Images:
    """2 sigmoid(logits) - 1: the image whose pixels have these logits on [0, 1]."""
    return jnp.tanh(logits / 2.0)


class Pair(NamedTuple):
    """An encoder and a decoder as pure functions of parameters that have a part for each.

    Codes are whatever the encoder gives; the decoder takes `code_dim` units.
    """

    encoder: nn.Module
    decoder: nn.Module
    code_dim: int
    image_shape: tuple[int, int, int]

    def init(self, key: Key[Array, ""]) -> Params:
        encoder_key, decoder_key = jax.random.split(key)
        images, codes = jnp.zeros((1, *self.image_shape)), jnp.zeros((1, self.code_dim))
        return {
            "encoder": self.encoder.init(encoder_key, images)["params"],
            "decoder": self.decoder.init(decoder_key, codes)["params"],
        }

    def encode(self, params: Params, images: Images) -> Any:
        return self.encoder.apply({"params": params["encoder"]}, images)

    def decode(self, params: Params, codes: Codes) -> Images:
        return self.decoder.apply({"params": params["decoder"]}, codes)


class DenseEncoder(nn.Module):
    """Pixels on [0, 1], layers of `hidden` units, and `code_dim` code units.

    The code is linear unless `code_nonlinearity` is given, as a sigmoid for the first autoencoders.
    """

    hidden: tuple[int, ...]
    code_dim: int
    nonlinearity: Nonlinearity = nn.relu
    code_nonlinearity: Nonlinearity | None = None

    @nn.compact
    def __call__(self, images: Images) -> Codes:
        x = flatten_to_unit_range(images)
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        x = nn.Dense(self.code_dim)(x)
        return x if self.code_nonlinearity is None else self.code_nonlinearity(x)


class DenseDecoder(nn.Module):
    """Codes to logits: layers of `hidden` units, in their own order, and one unit per value."""

    hidden: tuple[int, ...]
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(self, codes: Codes) -> Images:
        x = codes
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        return nn.Dense(math.prod(self.image_shape))(x).reshape(-1, *self.image_shape)


class ConvEncoder(nn.Module):
    """3x3 convolutions of stride 2, one for each of `channels`, `hidden` and `code_dim` units."""

    channels: tuple[int, ...]
    code_dim: int
    nonlinearity: Nonlinearity = nn.relu
    hidden: tuple[int, ...] = ()

    @nn.compact
    def __call__(self, images: Images) -> Codes:
        x = (images + 1.0) / 2.0
        for features in self.channels:
            x = self.nonlinearity(nn.Conv(features, (3, 3), strides=(2, 2))(x))
        x = x.reshape(len(x), -1)
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        return nn.Dense(self.code_dim)(x)


class ConvDecoder(nn.Module):
    """A dense layer, then 3x3 transposed convolutions that double the side, to logits.

    `channels` are those of the maps before each doubling: (64, 32) takes 7x7x64 to 14x14x32 to
    28x28. Raises ValueError where the image's sides are not divisible by 2 that often.
    """

    channels: tuple[int, ...]
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(self, codes: Codes) -> Images:
        seed_shape = _seed_shape(self.image_shape, self.channels)
        x = self.nonlinearity(nn.Dense(math.prod(seed_shape))(codes)).reshape(-1, *seed_shape)
        for features in self.channels[1:]:
            x = self.nonlinearity(nn.ConvTranspose(features, (3, 3), strides=(2, 2))(x))
        return nn.ConvTranspose(self.image_shape[-1], (3, 3), strides=(2, 2))(x)


class SubpixelDecoder(nn.Module):
    """Dense layers, then 3x3 convolutions whose maps are dealt out to 2x2 pixels, to logits.

    Doubles the side as a transposed convolution of stride 2 does, in a third of the time on a CPU,
    where XLA is slow at inputs spread with zeros. `channels` are those of the maps before each
    doubling. Raises ValueError where the image's sides are not divisible by 2 that often. Shi et
    al., "Real-time single image and video super-resolution", 2016, section 3.
    """

    hidden: tuple[int, ...]
    channels: tuple[int, ...]
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(self, codes: Codes) -> Images:
        seed_shape = _seed_shape(self.image_shape, self.channels)
        x = codes
        for features in (*self.hidden, math.prod(seed_shape)):
            x = self.nonlinearity(nn.Dense(features)(x))
        x = x.reshape(-1, *seed_shape)
        for features in self.channels[1:]:
            x = _deal_out(self.nonlinearity(nn.Conv(4 * features, (3, 3))(x)))
        return _deal_out(nn.Conv(4 * self.image_shape[-1], (3, 3))(x))


def _deal_out(
    x: Float[Array, "batch height width channel"],
) -> Float[Array, "batch double_height double_width quarter"]:
    batch, height, width, channel = x.shape
    x = x.reshape(batch, height, width, 2, 2, channel // 4).swapaxes(2, 3)
    return x.reshape(batch, 2 * height, 2 * width, channel // 4)


def _seed_shape(image_shape: tuple[int, int, int], channels: tuple[int, ...]) -> tuple[int, ...]:
    height, width, _ = image_shape
    factor = 2 ** len(channels)
    if height % factor or width % factor:
        raise ValueError(
            f"images are {height}x{width}; {len(channels)} doublings need sides that are multiples "
            f"of {factor}"
        )
    return (height // factor, width // factor, channels[0])
