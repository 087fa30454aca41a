"""The convolutional variational autoencoder of the Keras lecture, layer by layer.

Chollet, Deep Learning with Python, 2017, section 8.4. Slow on a CPU, for its convolutions of
64 maps at half the image's side.
"""

import math

import flax.linen as nn
from jaxtyping import Array, Float

from lecture_models.models.autoencoder import Codes, Images


class CholletEncoder(nn.Module):
    """3x3 convolutions to 32, 64 (stride 2), 64 and 64 maps, 32 units, `code_dim` linear units."""

    code_dim: int

    @nn.compact
    def __call__(self, images: Images) -> Codes:
        x = (images + 1.0) / 2.0
        for features, stride in ((32, 1), (64, 2), (64, 1), (64, 1)):
            x = nn.relu(nn.Conv(features, (3, 3), strides=stride)(x))
        x = nn.relu(nn.Dense(32)(x.reshape(len(x), -1)))
        return nn.Dense(self.code_dim)(x)


class CholletDecoder(nn.Module):
    """Dense to 14x14x64, a 3x3 transposed convolution to 28x28x32, a 3x3 convolution to logits.

    56,385 parameters for 2 latents and 28x28x1: 37,632 + 18,464 + 289. Raises ValueError for an
    image with an odd side.
    """

    image_shape: tuple[int, int, int]

    @nn.compact
    def __call__(self, codes: Float[Array, "batch latent"]) -> Images:
        height, width, depth = self.image_shape
        if height % 2 or width % 2:
            raise ValueError(
                f"images are {height}x{width}; the decoder doubles: sides must be even"
            )
        seed_shape = (height // 2, width // 2, 64)
        x = nn.relu(nn.Dense(math.prod(seed_shape))(codes)).reshape(-1, *seed_shape)
        x = nn.relu(nn.ConvTranspose(32, (3, 3), strides=(2, 2))(x))
        return nn.Conv(depth, (3, 3))(x)
