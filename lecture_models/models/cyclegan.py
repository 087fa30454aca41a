"""Defines the networks of CycleGAN: a residual generator and a discriminator of patches.

Zhu et al., "Unpaired image-to-image translation using cycle-consistent adversarial networks", 2017,
appendix 7.2, with the biases of github.com/junyanz/pytorch-CycleGAN-and-pix2pix.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.nn.instance_norm import instance_norm
from lecture_models.nn.transposed_convolution import (
    FEW_CHANNELS,
    TransposedConvolution,
    halve,
)

Images = Float[Array, "batch height width channel"]
Maps = Float[Array, "batch height width channel"]

WEIGHTS = nn.initializers.normal(0.02)
SLOPE = 0.2  # Of the leaky rectifiers of the discriminator.


def reflected(x: Maps, border: int) -> Float[Array, "batch new_height new_width channel"]:
    """Returns maps with a border that mirrors them, without their edge.

    Args:
        x: the maps; both sides are longer than the border.
        border: rows and columns that are added at each edge.

    Returns:
        The larger maps.
    """
    borders = ((0, 0), (border, border), (border, border), (0, 0))
    return jnp.pad(x, borders, mode="reflect")


class TranslationGenerator(nn.Module):
    """Translates images to another domain; it takes images of any size that 4 divides.

    A convolution of 7x7, two that halve the maps, residual blocks, two transposed convolutions and
    one more of 7x7, all but the last with instance normalization. With 64 channels and nine blocks
    it has 11,378,179 parameters.

    Attributes:
        width: the number of channels of the largest maps; 64 in the paper.
        blocks: the number of residual blocks; 6 for images of 128x128, 9 for larger ones.
        channels: of the images.
    """

    width: int = 64
    blocks: int = 9
    channels: int = 3

    @nn.compact
    def __call__(self, images: Images) -> Images:
        """Returns translated images in [-1, 1].

        Args:
            images: images in [-1, 1].

        Raises:
            ValueError: a side of the images is not a multiple of 4, or is less than 8.
        """
        height, width = images.shape[1:3]
        if height % 4 or width % 4 or min(height, width) < 8:
            raise ValueError(
                f"images are {height}x{width}; both sides must be multiples of 4, at least 8"
            )
        x = reflected(images, 3)
        x = nn.relu(instance_norm(self._convolution(self.width, 7, "first")(x)))
        for number, factor in enumerate((2, 4), 1):
            layer = nn.Conv(
                factor * self.width,
                (3, 3),
                2,
                padding=1,
                kernel_init=WEIGHTS,
                name=f"smaller{number}",
            )
            x = nn.relu(instance_norm(layer(x)))
        for block in range(1, self.blocks + 1):
            y = self._convolution(4 * self.width, 3, f"block{block}_first")(reflected(x, 1))
            y = nn.relu(instance_norm(y))
            y = self._convolution(4 * self.width, 3, f"block{block}_second")(reflected(y, 1))
            x = x + instance_norm(y)
        for number, factor in enumerate((2, 1), 1):
            larger = TransposedConvolution(
                factor * self.width, 3, 2, WEIGHTS, use_bias=True, name=f"larger{number}"
            )
            x = nn.relu(instance_norm(larger(x)))
        return nn.tanh(self._convolution(self.channels, 7, "last")(reflected(x, 3)))

    def _convolution(self, features: int, side: int, name: str) -> nn.Conv:
        """Returns a convolution without padding: its input has a mirrored border."""
        return nn.Conv(features, (side, side), padding="VALID", kernel_init=WEIGHTS, name=name)


class PatchDiscriminator(nn.Module):
    """Computes a logit for each patch of an image, by convolutions of 4x4 with leaky rectifiers.

    Patches overlap; with three strided layers they have 70x70 pixels. With 64 channels it then has
    2,764,737 parameters. Isola et al., "Image-to-image translation with conditional adversarial
    networks", 2017, appendix 6.1.2.

    Attributes:
        width: the number of channels of the first layer.
        strided: the number of layers that halve the maps; each but the first doubles the channels,
            as does the layer behind them, up to eight times the first.
    """

    width: int = 64
    strided: int = 3

    @nn.compact
    def __call__(self, images: Images) -> Float[Array, "batch row column"]:
        """Returns a logit for each patch.

        Args:
            images: images in [-1, 1].

        Raises:
            ValueError: the images cannot be halved so often, or leave no patch.
        """
        height, width = images.shape[1:3]
        factor = 2**self.strided
        if height % factor or width % factor or min(height, width) < 3 * factor:
            raise ValueError(
                f"images are {height}x{width}; for {self.strided} strided layers both sides must "
                f"be multiples of {factor}, at least {3 * factor}"
            )
        x = images
        for layer in range(self.strided):
            convolution = nn.Conv(
                min(2**layer, 8) * self.width,
                (4, 4),
                2,
                padding=1,
                kernel_init=WEIGHTS,
                name=f"conv{layer + 1}",
                conv_general_dilated=halve if x.shape[-1] > FEW_CHANNELS else None,
            )
            x = convolution(x)
            x = nn.leaky_relu(instance_norm(x) if layer else x, SLOPE)
        features = min(2**self.strided, 8) * self.width
        x = nn.Conv(features, (4, 4), padding=1, kernel_init=WEIGHTS, name="patches")(x)
        x = nn.leaky_relu(instance_norm(x), SLOPE)
        return nn.Conv(1, (4, 4), padding=1, kernel_init=WEIGHTS, name="logits")(x)[..., 0]
