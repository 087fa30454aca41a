"""Defines PixelCNN, plain and gated: the distribution of each pixel given those before it.

Van den Oord et al., "Pixel recurrent neural networks", 2016, section 3.4 and Table 1, and
"Conditional image generation with PixelCNN decoders", 2016, section 2.
"""

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from lecture_models.nn.masked_convolution import MaskedConvolution, Position

Images = Float[Array, "batch height width channel"]
Maps = Float[Array, "batch rows columns feature"]  # All of them, a row or a pixel.
Labels = Int[Array, " batch"] | None
BitLogits = Float[Array, "batch rows columns channel"]
LevelLogits = Float[Array, "batch rows columns channel level"]
RECTIFIED = 2.0  # He et al., 2015: the gain that keeps the variance after a rectifier.
RESIDUAL = 0.5  # Branches are summed, so each of them starts smaller.


class PixelCNN(nn.Module):
    """Computes the logits of pixels with rectified residual blocks of masked convolutions.

    A convolution with mask A to 2h maps; residual blocks ReLU, 1x1 to h, ReLU, a convolution with
    mask B to h, ReLU, 1x1 to 2h; then ReLU, 1x1, ReLU, 1x1. Pixels above and to the right of the
    own one that lie in a triangle are never seen: the blind spot, which `GatedPixelCNN` lacks.

    Attributes:
        features: h, half the number of maps between the blocks.
        num_blocks: the number of residual blocks.
        head_features: the number of maps before the logits.
        levels: the number of values of a pixel. With 2 there is one logit for each pixel.
        num_classes: the number of classes that an image may be conditioned on; 0 for none.
        first_size: the side of the first filter, odd; the paper's is 7.
        filter_size: the side of the blocks' filters, odd; the paper's is 3.
    """

    features: int = 16
    num_blocks: int = 5
    head_features: int = 32
    levels: int = 2
    num_classes: int = 0
    first_size: int = 7
    filter_size: int = 3

    @nn.compact
    def __call__(
        self, images: Images, labels: Labels = None, position: Position | None = None
    ) -> BitLogits | LevelLogits:
        """Returns the logits of each pixel, or of one pixel from caches.

        Args:
            images: whole images in [-1, 1].
            labels: the class of each image; None without classes.
            position: the pixel; None for all of them. See `MaskedConvolution`.

        Returns:
            Logits of 1 in the shape of the images for 2 levels, else with an axis of levels more.

        Raises:
            ValueError: there are classes and no labels, or labels and no classes.
        """
        require_labels(labels, self.num_classes)
        groups = images.shape[-1]

        def convolve(x, features, size, mask, gain=RECTIFIED):
            return MaskedConvolution(features, (size, size), mask, groups, gain)(x, position)

        def bias(features):
            return _class_bias(labels, self.num_classes, features)

        x = convolve(images, 2 * self.features, self.first_size, "A", 1.0) + bias(2 * self.features)
        for _ in range(self.num_blocks):
            y = convolve(nn.relu(x), self.features, 1, "B")
            y = convolve(nn.relu(y), self.features, self.filter_size, "B") + bias(self.features)
            x = x + convolve(nn.relu(y), 2 * self.features, 1, "B", RESIDUAL)
        x = convolve(nn.relu(x), self.head_features, 1, "B")
        return _to_logits(convolve(nn.relu(x), _outputs(groups, self.levels), 1, "B"), groups)

    def begin_row(self, images: Images, labels: Labels, row: Int[Array, ""]) -> tuple[()]:
        """Returns (): nothing is computed for a whole row.

        Args:
            images: the images.
            labels: their classes.
            row: the index of the row.
        """
        return ()

    def at_pixel(
        self, images: Images, labels: Labels, row_maps: tuple[()], position: Position
    ) -> BitLogits | LevelLogits:
        """Returns the logits of one pixel from caches.

        Args:
            images: whole images, of which only the pixels before the own one count.
            labels: the class of each image; None without classes.
            row_maps: what `begin_row` returned.
            position: the pixel.

        Returns:
            Logits as those of a whole call, of height and width 1.
        """
        return self(images, labels, position)


class GatedPixelCNN(nn.Module):
    """Computes the logits of pixels with a vertical and a horizontal stack of gated layers.

    The vertical stack sees all rows above, the horizontal stack the own row to the left; each layer
    of the horizontal stack also reads the vertical one, so that there is no blind spot.

    Attributes:
        features: p, the number of maps of each stack.
        num_layers: the number of layers, the first included.
        head_features: the number of maps before the logits.
        levels: the number of values of a pixel. With 2 there is one logit for each pixel.
        num_classes: the number of classes that an image may be conditioned on; 0 for none.
        first_size: the side of the first filter, odd.
        filter_size: the side of the other filters, odd.
    """

    features: int = 16
    num_layers: int = 6
    head_features: int = 32
    levels: int = 2
    num_classes: int = 0
    first_size: int = 7
    filter_size: int = 3

    def setup(self):
        sizes = (self.first_size, *(self.filter_size,) * (self.num_layers - 1))
        self.vertical = VerticalStack(self.features, sizes, self.num_classes)
        self.horizontal = HorizontalStack(
            self.features, sizes, self.head_features, self.levels, self.num_classes
        )

    def __call__(self, images: Images, labels: Labels = None) -> BitLogits | LevelLogits:
        """Returns the logits of each pixel.

        Args:
            images: images in [-1, 1].
            labels: the class of each image; None without classes.

        Returns:
            Logits of 1 in the shape of the images for 2 levels, else with an axis of levels more.

        Raises:
            ValueError: there are classes and no labels, or labels and no classes.
        """
        require_labels(labels, self.num_classes)
        return self.horizontal(images, self.vertical(images, labels), labels)

    def begin_row(
        self, images: Images, labels: Labels, row: Int[Array, ""]
    ) -> tuple[Float[Array, "batch 1 width feature"], ...]:
        """Returns what the vertical stack says of a row, from caches.

        Args:
            images: whole images, of which only the rows above count.
            labels: the class of each image; None without classes.
            row: the index of the row.

        Returns:
            For each layer the maps that the horizontal stack reads.
        """
        return self.vertical(images, labels, Position(row))

    def at_pixel(
        self,
        images: Images,
        labels: Labels,
        row_maps: tuple[Float[Array, "batch 1 width feature"], ...],
        position: Position,
    ) -> BitLogits | LevelLogits:
        """Returns the logits of one pixel from caches.

        Args:
            images: whole images, of which only the pixels before the own one count.
            labels: the class of each image; None without classes.
            row_maps: what `begin_row` returned for the row.
            position: the pixel.

        Returns:
            Logits as those of a whole call, of height and width 1.
        """
        here = tuple(maps[:, :, position.column][:, :, None] for maps in row_maps)
        return self.horizontal(images, here, labels, position)


class VerticalStack(nn.Module):
    """Computes maps that see all rows above, and what each layer sends to the horizontal stack.

    Attributes:
        features: the number of maps.
        sizes: the side of each layer's filter.
        num_classes: the number of classes; 0 for none.
    """

    features: int
    sizes: tuple[int, ...]
    num_classes: int

    @nn.compact
    def __call__(
        self, images: Images, labels: Labels, position: Position | None = None
    ) -> tuple[Maps, ...]:
        """Returns for each layer the maps for the horizontal stack, whole or of one row."""
        x, sent = images, []
        for layer, size in enumerate(self.sizes):
            mask = "rows A" if layer == 0 else "rows B"
            x = MaskedConvolution(2 * self.features, (size, size), mask)(x, position)
            sent.append(MaskedConvolution(2 * self.features, (1, 1), "B")(x))
            x = _gate(x + _class_bias(labels, self.num_classes, 2 * self.features), 1)
        return tuple(sent)


class HorizontalStack(nn.Module):
    """Computes the logits from the own row and from what the vertical stack sends.

    Attributes:
        features: the number of maps.
        sizes: the side of each layer's filter.
        head_features: the number of maps before the logits.
        levels: the number of values of a pixel.
        num_classes: the number of classes; 0 for none.
    """

    features: int
    sizes: tuple[int, ...]
    head_features: int
    levels: int
    num_classes: int

    @nn.compact
    def __call__(
        self,
        images: Images,
        sent: tuple[Maps, ...],
        labels: Labels,
        position: Position | None = None,
    ) -> BitLogits | LevelLogits:
        """Returns the logits of all pixels, or of one from caches."""
        groups = images.shape[-1]

        def convolve(x, features, width, mask, gain=1.0):
            return MaskedConvolution(features, (1, width), mask, groups, gain)(x, position)

        x = images
        for layer, (size, from_above) in enumerate(zip(self.sizes, sent, strict=True)):
            y = convolve(x, 2 * self.features, size, "A" if layer == 0 else "B")
            y = y + from_above + _class_bias(labels, self.num_classes, 2 * self.features)
            y = _gate(y, groups)
            y = convolve(y, self.features, 1, "B")
            x = y if layer == 0 else x + y
        x = convolve(nn.relu(x), self.head_features, 1, "B", RECTIFIED)
        return _to_logits(
            convolve(nn.relu(x), _outputs(groups, self.levels), 1, "B", RECTIFIED), groups
        )


def require_labels(labels: Labels, num_classes: int) -> None:
    """Checks that there are labels where there are classes, and only there.

    Args:
        labels: the labels, or None.
        num_classes: the number of classes, 0 for none.

    Raises:
        ValueError: one is there without the other.
    """
    if (labels is None) != (num_classes == 0):
        present = "no labels" if labels is None else "labels"
        raise ValueError(
            f"the network has {num_classes} classes and got {present}; it needs labels exactly if "
            "it has classes"
        )


def _gate(x: Maps, groups: int) -> Float[Array, "batch rows columns half"]:
    """Returns tanh of half of the maps times the sigmoid of the others, within image channels."""
    half = x.shape[-1] // 2
    if half % groups:
        raise ValueError(
            f"a gated layer has {half} maps; they must be a multiple of the {groups} image channels"
        )
    pairs = x.reshape(*x.shape[:3], groups, 2, half // groups)
    value, gate = pairs[..., 0, :], pairs[..., 1, :]
    return (nn.tanh(value) * nn.sigmoid(gate)).reshape(*x.shape[:3], half)


def _class_bias(labels: Labels, num_classes: int, features: int) -> Float[Array, "_ 1 1 feature"]:
    if labels is None:
        return jnp.zeros((1, 1, 1, features))
    initializer = nn.initializers.zeros
    return nn.Embed(num_classes, features, embedding_init=initializer)(labels)[:, None, None]


def _outputs(channels: int, levels: int) -> int:
    return channels * (1 if levels == 2 else levels)


def _to_logits(x: Maps, channels: int) -> BitLogits | LevelLogits:
    """Gives the logits of several levels an axis of their own, the channel's before it."""
    if x.shape[-1] == channels:
        return x
    return x.reshape(*x.shape[:3], channels, -1)
