"""Defines the convolutional variational autoencoder of the Keras lecture, layer by layer.

Chollet, Deep Learning with Python, 2017, section 8.4. It is slow on a CPU, because it has
convolutions of 64 channels at half the image's side.
"""

import math

import flax.linen as nn
from jaxtyping import Array, Float

from lecture_models.models.autoencoder import Codes, Images


class CholletEncoder(nn.Module):
    """Maps images to codes by four 3x3 convolutions and two dense layers.

    The convolutions have 32, 64 (at stride 2), 64 and 64 channels, the hidden dense layer 32 units.

    Chollet, 2017, section 8.4.

    Attributes:
        code_dim: the number of linear code units, twice the number of latents for a mean and a log
            variance.
    """

    code_dim: int

    @nn.compact
    def __call__(self, images: Images) -> Codes:
        """Returns the codes of images in [-1, 1]."""
        x = (images + 1.0) / 2.0
        for features, stride in ((32, 1), (64, 2), (64, 1), (64, 1)):
            x = nn.relu(nn.Conv(features, (3, 3), strides=stride)(x))
        x = nn.relu(nn.Dense(32)(x.reshape(len(x), -1)))
        return nn.Dense(self.code_dim)(x)


class CholletDecoder(nn.Module):
    """Maps latents to the logits of pixels.

    For images of 28x28 there are a dense layer to 14x14x64, a 3x3 transposed convolution to
    28x28x32, and a 3x3 convolution. With 2 latents and one channel they have 37,632 + 18,464 +
    289 = 56,385 parameters.

    Chollet, 2017, section 8.4.

    Attributes:
        image_shape: (height, width, channel) of an image; both sides must be even, or a call raises
            ValueError.
    """

    image_shape: tuple[int, int, int]

    @nn.compact
    def __call__(self, codes: Float[Array, "batch latent"]) -> Images:
        """Returns the logits of pixels in [0, 1]."""
        height, width, depth = self.image_shape
        if height % 2 or width % 2:
            raise ValueError(f"images are {height}x{width}; both sides must be even to be doubled")
        seed_shape = (height // 2, width // 2, 64)
        x = nn.relu(nn.Dense(math.prod(seed_shape))(codes)).reshape(-1, *seed_shape)
        x = nn.relu(nn.ConvTranspose(32, (3, 3), strides=(2, 2))(x))
        return nn.Conv(depth, (3, 3))(x)
