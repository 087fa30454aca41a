"""Defines generative adversarial networks of multilayer perceptrons.

Goodfellow et al., "Generative adversarial nets", 2014.
"""

import math

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from lecture_models.nn.maxout import Maxout


class Generator(nn.Module):
    """Computes images in [-1, 1] from latents, by rectified layers and a tanh.

    tanh corresponds to a sigmoid on [0, 1], rescaled.

    Attributes:
        hidden: the number of units of each hidden layer.
        image_shape: height, width and number of channels.
        kernel_init: the initializer of all weights.
    """

    hidden: tuple[int, ...]
    image_shape: tuple[int, int, int]
    kernel_init: nn.initializers.Initializer = nn.initializers.he_normal()

    @nn.compact
    def __call__(
        self, latents: Float[Array, "batch latent"]
    ) -> Float[Array, "batch height width channel"]:
        """Returns an image for each latent."""
        x = latents
        for features in self.hidden:
            x = nn.relu(nn.Dense(features, kernel_init=self.kernel_init)(x))
        x = nn.Dense(math.prod(self.image_shape), kernel_init=self.kernel_init)(x)
        return nn.tanh(x).reshape(-1, *self.image_shape)


class Discriminator(nn.Module):
    """Computes one logit per image; it is positive if the image is judged to be real.

    Attributes:
        hidden: the number of units of each hidden layer.
        pieces: the number of linear pieces of each maxout unit, as in the paper; 1 means leaky
            rectifiers of slope 0.2 instead.
        input_dropout: the rate of the dropout of the pixels, from 0 to 1.
        hidden_dropout: the rate of the dropout after each hidden layer, from 0 to 1.
        kernel_init: the initializer of all weights.
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
        """Returns the logits.

        Args:
            images: the images, in [-1, 1].
            training: whether dropout is active; it then draws from the rng `dropout`.
        """
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
