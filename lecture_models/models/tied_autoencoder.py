"""Defines the autoencoder of one hidden layer whose decoder is the transpose of its encoder."""

import math

import flax.linen as nn
from jaxtyping import Array, Float

from lecture_models.nn.pixel_values import flatten_to_unit_range

Images = Float[Array, "batch height width channel"]


class TiedAutoencoder(nn.Module):
    """Computes the logits of reconstructed pixels from images in [-1, 1].

    h = sigmoid(W^T x + b), logits = W h + c, where x are the pixels on [0, 1]

    It has pixels * hidden + pixels + hidden parameters. Vincent et al., "Stacked denoising
    autoencoders", 2010, sections 2.2 and 4.2.

    Attributes:
        hidden: the number of hidden units.
        image_shape: height, width and number of channels.
        kernel_init: the initializer of W, of shape (pixels, hidden).
    """

    hidden: int
    image_shape: tuple[int, int, int]
    kernel_init: nn.initializers.Initializer = nn.initializers.glorot_uniform()

    def setup(self):
        dim, zeros = math.prod(self.image_shape), nn.initializers.zeros
        self.kernel = self.param("kernel", self.kernel_init, (dim, self.hidden))
        self.hidden_bias = self.param("hidden_bias", zeros, (self.hidden,))
        self.visible_bias = self.param("visible_bias", zeros, (dim,))

    def encode(self, images: Images) -> Float[Array, "batch hidden"]:
        """Returns the activities of the hidden units, in [0, 1]."""
        x = flatten_to_unit_range(images)
        return nn.sigmoid(x @ self.kernel + self.hidden_bias[None, :])

    def __call__(self, images: Images) -> Images:
        """Returns the logits of the pixels on [0, 1], in the shape of the images."""
        logits = self.encode(images) @ self.kernel.T + self.visible_bias[None, :]
        return logits.reshape(-1, *self.image_shape)
