"""Defines a U-Net, which maps an image to a map of the same size."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.nn.batch_norm import batch_norm
from lecture_models.nn.pooling import max_pool

Maps = Float[Array, "batch height width channel"]
Enlarged = Float[Array, "batch new_height new_width new_channel"]


class UNet(nn.Module):
    """Halves an image several times and enlarges it again, with a shortcut at each size.

    Ronneberger et al., 2015. Here each image is first folded: the pixels of small squares become
    channels, and the last layer's channels become the pixels of squares (Shi et al., 2016), so that
    no layer computes at the full size. The input has two more channels, the position of each
    pixel. `model.apply(variables, images, features, training)` returns the maps and the activations
    of each level, of which the last of the encoder is `encoder_N`, the first of the decoder
    `decoder_0`. An image whose sides cannot be halved so often is continued by its edge and cut
    again.

    Attributes:
        outputs: the channels of the map, such as one for a mask.
        widths: the channels of each level; a level has half the side of the one before.
        fold: the side of the squares that become channels.
        reduced: the channels to which features of another network are reduced.
        dropout: the share of those features that is dropped while training; the key is `dropout`.
        unfolded: False for a map with one place, and `outputs` channels, for each square.
    """

    outputs: int
    widths: tuple[int, ...] = (16, 32, 48, 64)
    fold: int = 2
    reduced: int = 32
    dropout: float = 0.2
    unfolded: bool = True

    @nn.compact
    def __call__(
        self, images: Maps, features: tuple[Array, ...] = (), training: bool = False
    ) -> tuple[Enlarged, dict[str, Array]]:
        """Returns the map at the size of the images, and activations.

        Args:
            images: images in [-1, 1].
            features: maps of another network, one for each of the deepest levels, the deepest last,
                of the size of that level.
            training: whether batch statistics are updated and dropout draws.
        """
        height, width = images.shape[1:3]
        x = fold(with_positions(padded(images, self.fold * 2 ** (len(self.widths) - 1))), self.fold)
        activations = {}
        for level, channels in enumerate(self.widths):
            x = max_pool(x, 2, 2) if level else x
            x = self._convolved(x, channels, training, f"encoder_{level}_first")
            number = level - len(self.widths) + len(features)
            if number >= 0:
                x = jnp.concatenate([x, self._reduced(features[number], training, level)], -1)
            x = self._convolved(x, channels, training, f"encoder_{level}_second")
            activations[f"encoder_{level}"] = x
        for level in reversed(range(len(self.widths) - 1)):
            x = nn.Conv(self.widths[level], (1, 1), name=f"decoder_{level}_up")(x)
            x = x.repeat(2, axis=1).repeat(2, axis=2)
            x = jnp.concatenate([x, activations[f"encoder_{level}"]], -1)
            for place in ("first", "second"):
                x = self._convolved(x, self.widths[level], training, f"decoder_{level}_{place}")
            activations[f"decoder_{level}"] = x
        if not self.unfolded:
            return nn.Conv(self.outputs, (1, 1), name="head")(x), activations
        x = nn.Conv(self.outputs * self.fold**2, (1, 1), name="head")(x)
        return unfold(x, self.fold)[:, :height, :width], activations

    def _convolved(self, x: Maps, channels: int, training: bool, name: str) -> Enlarged:
        kernel = nn.initializers.he_normal()
        convolution = nn.Conv(channels, (3, 3), use_bias=False, kernel_init=kernel, name=name)
        return nn.relu(batch_norm(convolution(x), training, f"{name}_norm"))

    def _reduced(self, features: Maps, training: bool, level: int) -> Enlarged:
        dropped = nn.Dropout(self.dropout, deterministic=not training)(features)
        reduced = nn.Conv(self.reduced, (1, 1), use_bias=False, name=f"reduce_{level}")(dropped)
        return nn.relu(batch_norm(reduced, training, f"reduce_{level}_norm"))


def level_sides(side: int, fold: int, levels: int) -> tuple[int, ...]:
    """Returns the side of the maps of each level of a U-Net.

    Args:
        side: the side of the images.
        fold: see `UNet`.
        levels: their number.

    Returns:
        The sides from the largest, of images that are continued where they must be.
    """
    unit = fold * 2 ** (levels - 1)
    whole = -(-side // unit) * unit // fold
    return tuple(whole // 2**level for level in range(levels))


def padded(images: Maps, multiple: int) -> Enlarged:
    """Returns images continued by their last row and column, to sides that can be divided.

    Args:
        images: the images.
        multiple: divides the new sides.

    Returns:
        The images, with up to multiple - 1 more rows and columns.
    """
    more = [(0, -side % multiple) for side in images.shape[1:3]]
    return jnp.pad(images, ((0, 0), *more, (0, 0)), mode="edge") if any(map(any, more)) else images


def with_positions(images: Maps) -> Enlarged:
    """Returns images with two more channels: how far down and how far right, from -1 to 1.

    Args:
        images: the images.

    Returns:
        The images and the positions. Liu et al., 2018, CoordConv.
    """
    _, height, width, _ = images.shape
    down = jnp.broadcast_to(jnp.linspace(-1.0, 1.0, height)[None, :, None, None], images.shape)
    across = jnp.broadcast_to(jnp.linspace(-1.0, 1.0, width)[None, None, :, None], images.shape)
    return jnp.concatenate([images, down[..., :1], across[..., :1]], axis=-1)


def fold(images: Maps, side: int) -> Enlarged:
    """Returns maps in which each square of pixels has become the channels of one place.

    Args:
        images: maps whose sides are multiples of `side`.
        side: the side of the squares.

    Returns:
        Maps of 1 / side of the height and width, with side^2 times the channels.
    """
    batch, height, width, channels = images.shape
    x = images.reshape(batch, height // side, side, width // side, side, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // side, width // side, -1)


def unfold(maps: Maps, side: int) -> Enlarged:
    """Returns what `fold` has folded.

    Args:
        maps: the folded maps.
        side: the side of the squares.

    Returns:
        Maps of side times the height and width. Shi et al., 2016, section 3.2.
    """
    batch, height, width, channels = maps.shape
    x = maps.reshape(batch, height, width, side, side, channels // side**2)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height * side, width * side, -1)


def enlarged_map(maps: Maps, shape: tuple[int, int]) -> Enlarged:
    """Returns maps at another size, by linear interpolation.

    Args:
        maps: the maps.
        shape: the new height and width.

    Returns:
        The maps.
    """
    if maps.shape[1:3] == shape:
        return maps
    return jax.image.resize(maps, (len(maps), *shape, maps.shape[3]), "linear")
