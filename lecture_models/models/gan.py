"""Generative adversarial networks of multilayer perceptrons (Goodfellow et al., 2014)."""

import math

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from lecture_models.nn.maxout import Maxout


class Generator(nn.Module):
    """Noise to images in [-1, 1]: rectified layers, then tanh (a sigmoid on [0, 1], rescaled)."""

    hidden: tuple[int, ...]
    image_shape: tuple[int, int, int]
    kernel_init: nn.initializers.Initializer = nn.initializers.he_normal()

    @nn.compact
    def __call__(
        self, latents: Float[Array, "batch latent"]
    ) -> Float[Array, "batch height width channel"]:
        x = latents
        for features in self.hidden:
            x = nn.relu(nn.Dense(features, kernel_init=self.kernel_init)(x))
        x = nn.Dense(math.prod(self.image_shape), kernel_init=self.kernel_init)(x)
        return nn.tanh(x).reshape(-1, *self.image_shape)


class Discriminator(nn.Module):
    """Images to one logit each: positive where the image is held to be real.

    `pieces` > 1 gives the maxout layers of the paper, 1 gives leaky rectifiers. Dropout needs a
    key, as `rngs={"dropout": key}`, and is off without `training`.
    """

    hidden: tuple[int, ...]
    pieces: int = 1
    input_dropout: float = 0.0
    hidden_dropout: float = 0.0
    kernel_init: nn.initializers.Initializer = nn.initializers.he_normal()

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channel"], training: bool = False
    ) -> Float[Array, " batch"]:
        x = images.reshape(len(images), -1)
        x = nn.Dropout(self.input_dropout, deterministic=not training)(x)
        for features in self.hidden:
            if self.pieces > 1:
                x = Maxout(features, self.pieces, kernel_init=self.kernel_init)(x)
            else:
                x = nn.Dense(features, kernel_init=self.kernel_init)(x)
                x = jax.nn.leaky_relu(x, 0.2)
            x = nn.Dropout(self.hidden_dropout, deterministic=not training)(x)
        return nn.Dense(1, kernel_init=self.kernel_init)(x)[:, 0]
