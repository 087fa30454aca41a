"""Defines encoders from images to codes and decoders back, fully connected or convolutional.

Images are in [-1, 1]. Decoders return logits of pixels in [0, 1]; `pixels` converts them to images.
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
    """Converts logits to images.

    2 sigmoid(logits) - 1

    Args:
        logits: the logits of pixels in [0, 1], as from a decoder.

    Returns:
        Images in [-1, 1].
    """
    return jnp.tanh(logits / 2.0)


class EncoderDecoder(NamedTuple):
    """Applies an encoder and a decoder as pure functions of their joint parameters.

    Attributes:
        encoder: a module from images to codes; a code may be any pytree of arrays.
        decoder: a module from `code_dim` units to logits.
        code_dim: the number of units that the decoder takes.
        image_shape: (height, width, channel) of an image.
    """

    encoder: nn.Module
    decoder: nn.Module
    code_dim: int
    image_shape: tuple[int, int, int]

    def init(self, key: Key[Array, ""]) -> Params:
        """Draws the parameters, a dict with the keys `encoder` and `decoder`."""
        encoder_key, decoder_key = jax.random.split(key)
        images, codes = jnp.zeros((1, *self.image_shape)), jnp.zeros((1, self.code_dim))
        return {
            "encoder": self.encoder.init(encoder_key, images)["params"],
            "decoder": self.decoder.init(decoder_key, codes)["params"],
        }

    def encode(self, params: Params, images: Images) -> Any:
        """Returns the codes of images in [-1, 1]."""
        return self.encoder.apply({"params": params["encoder"]}, images)

    def decode(self, params: Params, codes: Codes) -> Images:
        """Returns the logits of pixels in [0, 1]."""
        return self.decoder.apply({"params": params["decoder"]}, codes)


class DenseEncoder(nn.Module):
    """Maps pixels to codes by dense layers.

    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", 2006.

    Attributes:
        hidden: the units of each hidden layer, in order.
        code_dim: the number of code units.
        nonlinearity: the function after each hidden layer.
        code_nonlinearity: the function after the code, such as the sigmoid of the first
            autoencoders; None for a linear code.
    """

    hidden: tuple[int, ...]
    code_dim: int
    nonlinearity: Nonlinearity = nn.relu
    code_nonlinearity: Nonlinearity | None = None

    @nn.compact
    def __call__(self, images: Images) -> Codes:
        """Returns the codes of images in [-1, 1]."""
        x = flatten_to_unit_range(images)
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        x = nn.Dense(self.code_dim)(x)
        return x if self.code_nonlinearity is None else self.code_nonlinearity(x)


class DenseDecoder(nn.Module):
    """Maps codes to the logits of pixels by dense layers.

    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", 2006.

    Attributes:
        hidden: the units of each hidden layer, from the code to the image.
        image_shape: (height, width, channel) of an image.
        nonlinearity: the function after each hidden layer.
    """

    hidden: tuple[int, ...]
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(self, codes: Codes) -> Images:
        """Returns the logits of pixels in [0, 1]."""
        x = codes
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        return nn.Dense(math.prod(self.image_shape))(x).reshape(-1, *self.image_shape)


class ConvEncoder(nn.Module):
    """Maps pixels to codes by 3x3 convolutions of stride 2, and then by dense layers.

    Attributes:
        channels: the channels of each convolution, in order.
        code_dim: the number of code units, which are linear.
        nonlinearity: the function after each convolution and hidden layer.
        hidden: the units of each hidden dense layer, in order.
    """

    channels: tuple[int, ...]
    code_dim: int
    nonlinearity: Nonlinearity = nn.relu
    hidden: tuple[int, ...] = ()

    @nn.compact
    def __call__(self, images: Images) -> Codes:
        """Returns the codes of images in [-1, 1]."""
        x = (images + 1.0) / 2.0
        for features in self.channels:
            x = self.nonlinearity(nn.Conv(features, (3, 3), strides=(2, 2))(x))
        x = x.reshape(len(x), -1)
        for features in self.hidden:
            x = self.nonlinearity(nn.Dense(features)(x))
        return nn.Dense(self.code_dim)(x)


class ConvDecoder(nn.Module):
    """Maps codes to logits by a dense layer and 3x3 transposed convolutions that double the side.

    Attributes:
        channels: the channels of the maps before each doubling: (64, 32) goes from 7x7x64 to
            14x14x32 to 28x28.
        image_shape: (height, width, channel) of an image; the sides must be multiples of
            2^len(channels), or a call raises ValueError.
        nonlinearity: the function after each layer but the last.
    """

    channels: tuple[int, ...]
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(self, codes: Codes) -> Images:
        """Returns the logits of pixels in [0, 1]."""
        seed_shape = _seed_shape(self.image_shape, self.channels)
        x = self.nonlinearity(nn.Dense(math.prod(seed_shape))(codes)).reshape(-1, *seed_shape)
        for features in self.channels[1:]:
            x = self.nonlinearity(nn.ConvTranspose(features, (3, 3), strides=(2, 2))(x))
        return nn.ConvTranspose(self.image_shape[-1], (3, 3), strides=(2, 2))(x)


class SubpixelDecoder(nn.Module):
    """Maps codes to logits by dense layers and sub-pixel convolutions that double the side.

    A sub-pixel convolution is a 3x3 convolution whose channels are rearranged to 2x2 pixels. On a
    CPU it takes a third of the time of a transposed convolution of stride 2, because XLA is slow
    if zeros are inserted between inputs.

    Shi et al., "Real-time single image and video super-resolution", 2016, section 3.

    Attributes:
        hidden: the units of each hidden dense layer, in order.
        channels: the channels of the maps before each doubling.
        image_shape: (height, width, channel) of an image; the sides must be multiples of
            2^len(channels), or a call raises ValueError.
        nonlinearity: the function after each layer but the last.
    """

    hidden: tuple[int, ...]
    channels: tuple[int, ...]
    image_shape: tuple[int, int, int]
    nonlinearity: Nonlinearity = nn.relu

    @nn.compact
    def __call__(self, codes: Codes) -> Images:
        """Returns the logits of pixels in [0, 1]."""
        seed_shape = _seed_shape(self.image_shape, self.channels)
        x = codes
        for features in (*self.hidden, math.prod(seed_shape)):
            x = self.nonlinearity(nn.Dense(features)(x))
        x = x.reshape(-1, *seed_shape)
        for features in self.channels[1:]:
            x = _depth_to_space(self.nonlinearity(nn.Conv(4 * features, (3, 3))(x)))
        return _depth_to_space(nn.Conv(4 * self.image_shape[-1], (3, 3))(x))


def _depth_to_space(
    x: Float[Array, "batch height width channel"],
) -> Float[Array, "batch double_height double_width quarter"]:
    """Rearranges each group of four channels to 2x2 pixels."""
    batch, height, width, channel = x.shape
    x = x.reshape(batch, height, width, 2, 2, channel // 4).swapaxes(2, 3)
    return x.reshape(batch, 2 * height, 2 * width, channel // 4)


def _seed_shape(image_shape: tuple[int, int, int], channels: tuple[int, ...]) -> tuple[int, ...]:
    height, width, _ = image_shape
    factor = 2 ** len(channels)
    if height % factor or width % factor:
        raise ValueError(
            f"images are {height}x{width}; for {len(channels)} doublings both sides must be "
            f"multiples of {factor}"
        )
    return (height // factor, width // factor, channels[0])
