"""Defines the deep convolutional generative adversarial network (DCGAN).

Radford et al., "Unsupervised representation learning with deep convolutional generative adversarial
networks", 2016, section 3; the networks of 64x64 images are those of github.com/pytorch/examples.
"""

import functools
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.nn.batch_norm import batch_norm
from lecture_models.nn.transposed_convolution import (
    FEW_CHANNELS,
    TransposedConvolution,
    halve,
)

Images = Float[Array, "batch height width channel"]
Conditions = Float[Array, "batch class"]

WEIGHTS = nn.initializers.normal(0.02)  # Section 4 of the paper.
SLOPE = 0.2  # Of the leaky rectifiers, likewise.
SIDE = 4  # Of all filters; 5 in the paper's figure, 4 in PyTorch's example.


def unit_scales(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Draws the scales of a batch normalization.

    Args:
        key: a random key.
        shape: the shape of the result.
        dtype: the type of the result.

    Returns:
        Draws of N(1, 0.02), as in the code of PyTorch's example.
    """
    return 1.0 + 0.02 * jax.random.normal(key, shape, dtype)


class Generator(nn.Module):
    """Computes images in [-1, 1] from latents, by transposed convolutions of stride 2.

    The first layer is a transposed convolution of maps of 1x1, which is a matrix product. All
    layers but the last are batch normalized and rectified.

    Attributes:
        widths: the number of channels of each layer's maps, the smallest maps first.
        image_shape: height, width and number of channels; both sides are multiples of
            2 ** len(widths).
        hidden: the number of units of each dense layer before the maps; none in the paper.
    """

    widths: tuple[int, ...]
    image_shape: tuple[int, int, int]
    hidden: tuple[int, ...] = ()

    @nn.compact
    def __call__(
        self,
        latents: Float[Array, "batch latent"],
        conditions: Conditions | None = None,
        training: bool = False,
    ) -> Images:
        """Returns an image for each latent.

        Args:
            latents: the latents.
            conditions: the class of each image as one-hot rows, appended to its latents (Mirza and
                Osindero, 2014); None for none.
            training: whether batches are normalized by their own moments.

        Raises:
            ValueError: a side of the images is not a multiple of 2 ** len(widths).
        """
        height, width, channels = self.image_shape
        factor = 2 ** len(self.widths)
        _require_multiple(self.image_shape, factor)
        x = latents if conditions is None else jnp.concatenate([latents, conditions], 1)
        for layer, features in enumerate(self.hidden, 1):
            x = nn.Dense(features, use_bias=False, kernel_init=WEIGHTS, name=f"dense{layer}")(x)
            x = nn.relu(batch_norm(x, training, f"dense_norm{layer}", scale_init=unit_scales))
        seed_shape = (height // factor, width // factor, self.widths[0])
        x = nn.Dense(math.prod(seed_shape), use_bias=False, kernel_init=WEIGHTS, name="seed")(x)
        x = x.reshape(-1, *seed_shape)
        for layer, features in enumerate((*self.widths[1:], channels), 1):
            x = batch_norm(x, training, f"norm{layer}", scale_init=unit_scales)
            x = TransposedConvolution(features, SIDE, kernel_init=WEIGHTS, name=f"conv{layer}")(
                nn.relu(x)
            )
        return nn.tanh(x)


class Discriminator(nn.Module):
    """Computes one logit per image, by convolutions of stride 2 with leaky rectifiers.

    Attributes:
        widths: the number of channels of each layer's maps, the largest maps first.
        batch_norm: whether all layers but the first and the last are batch normalized. Layers have
            biases where none of them is.
        spectral_norm: whether the filters of each layer are divided by their largest singular
            value. Miyato et al., "Spectral normalization for GANs", 2018.
        hidden: the number of units of each dense layer behind the maps; none in the paper. With two
            convolutions and no dense layer a logit is a sum over windows of 10x10 pixels, so that
            nothing judges the whole of the image.
        kernel_init: the initializer of all filters; N(0, 0.02) in the paper, where batch
            normalization takes the scale out.
    """

    widths: tuple[int, ...]
    batch_norm: bool = True
    spectral_norm: bool = False
    hidden: tuple[int, ...] = ()
    kernel_init: nn.initializers.Initializer = WEIGHTS

    @nn.compact
    def __call__(
        self, images: Images, conditions: Conditions | None = None, training: bool = False
    ) -> tuple[Float[Array, " batch"], dict[str, Float[Array, "batch ..."]]]:
        """Returns the logits and the layers' maps, `conv1` to the last.

        Args:
            images: images in [-1, 1].
            conditions: the class of each image as one-hot rows, which become constant channels of
                the image (Mirza and Osindero, 2014); None for none.
            training: whether batches are normalized by their own moments, and the estimates of the
                singular values are updated.

        Raises:
            ValueError: a side of the images is not a multiple of 2 ** len(widths).
        """
        _require_multiple(images.shape[1:], 2 ** len(self.widths))
        x = images
        if conditions is not None:
            shape = (*images.shape[:3], conditions.shape[1])
            planes = jnp.broadcast_to(conditions[:, None, None, :], shape)
            x = jnp.concatenate([x, planes], 3)
        activations = {}
        for layer, features in enumerate(self.widths, 1):
            x = self._apply(
                nn.Conv(
                    features,
                    (SIDE, SIDE),
                    strides=2,
                    padding=1,
                    use_bias=not self.batch_norm,
                    kernel_init=self.kernel_init,
                    name=f"conv{layer}",
                    # The launcher replaces convolutions of few channels on a CPU.
                    conv_general_dilated=halve if x.shape[-1] > FEW_CHANNELS else None,
                ),
                x,
                training,
            )
            if self.batch_norm and layer > 1:
                x = batch_norm(x, training, f"norm{layer}", scale_init=unit_scales)
            x = nn.leaky_relu(x, SLOPE)
            activations[f"conv{layer}"] = x
        x = x.reshape(len(x), -1)
        for layer, features in enumerate(self.hidden, 1):
            dense = nn.Dense(
                features,
                use_bias=not self.batch_norm,
                kernel_init=self.kernel_init,
                name=f"dense{layer}",
            )
            x = self._apply(dense, x, training)
            if self.batch_norm:
                x = batch_norm(x, training, f"dense_norm{layer}", scale_init=unit_scales)
            x = nn.leaky_relu(x, SLOPE)
        last = nn.Dense(1, use_bias=not self.batch_norm, kernel_init=self.kernel_init, name="logit")
        return self._apply(last, x, training)[:, 0], activations

    def _apply(self, layer: nn.Module, x: Array, training: bool) -> Array:
        if not self.spectral_norm:
            return layer(x)
        return nn.SpectralNorm(layer, name=f"{layer.name}_spectral")(x, update_stats=training)


def _require_multiple(image_shape: tuple[int, ...], factor: int) -> None:
    height, width, _ = image_shape
    if height % factor or width % factor:
        raise ValueError(
            f"images are {height}x{width}; both sides must be multiples of {factor}, which is 2 to "
            "the power of the number of widths"
        )


# PyTorch's example, `dcgan/main.py` with ngf = ndf = 64: 3,576,704 parameters for 100 latents.
GENERATOR_64 = functools.partial(Generator, widths=(512, 256, 128, 64), image_shape=(64, 64, 3))
DISCRIMINATOR_64 = functools.partial(Discriminator, widths=(64, 128, 256, 512))  # 2,765,568.
