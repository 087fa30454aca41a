"""The one-layer autoencoder whose decoder is its encoder's transpose."""

import math

import flax.linen as nn
from jaxtyping import Array, Float

from lecture_models.nn.pixel_values import flatten_to_unit_range

Images = Float[Array, "batch height width channel"]


class TiedAutoencoder(nn.Module):
    """h = sigmoid(W^T x + b), and logits W h + c of the pixels; x are the pixels on [0, 1].

    pixels * hidden + pixels + hidden parameters. Vincent et al., 2010, sections 2.2 and 4.2.
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
        """The hidden units, in [0, 1]."""
        x = flatten_to_unit_range(images)
        return nn.sigmoid(x @ self.kernel + self.hidden_bias[None, :])

    def __call__(self, images: Images) -> Images:
        logits = self.encode(images) @ self.kernel.T + self.visible_bias[None, :]
        return logits.reshape(-1, *self.image_shape)
