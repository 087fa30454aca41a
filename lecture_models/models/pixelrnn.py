"""Defines PixelRNN: the distribution of each pixel given those before it, by recurrent layers.

Van den Oord et al., "Pixel recurrent neural networks", 2016.
"""

from typing import Literal

import flax.linen as nn
from jaxtyping import Array, Float, Int

from lecture_models.nn.masked_convolution import MaskedConvolution, Position
from lecture_models.nn.pixel_lstm import DiagonalBiLSTM, RowLSTM, at_each_place

Images = Float[Array, "batch height width channel"]
BitLogits = Float[Array, "batch _ _ 1"]
LevelLogits = Float[Array, "batch _ _ 1 level"]
LAYERS = {"row_lstm": RowLSTM, "diagonal_bilstm": DiagonalBiLSTM}


class PixelRNN(nn.Module):
    """Computes the logits of gray pixels with residual layers of LSTM units.

    A 7x7 convolution with mask A to 2h maps; layers of h LSTM units, each with a 1x1 convolution to
    2h maps and a residual connection; then ReLU, 1x1, ReLU, 1x1.

    Attributes:
        features: h, the number of units of a pixel in each layer.
        num_layers: the number of recurrent layers.
        layer: `row_lstm` or `diagonal_bilstm`.
        head_features: the number of maps before the logits.
        levels: the number of values of a pixel. With 2 there is one logit for each pixel.
    """

    features: int = 16
    num_layers: int = 2
    layer: Literal["row_lstm", "diagonal_bilstm"] = "row_lstm"
    head_features: int = 32
    levels: int = 2

    def setup(self):
        self.first = MaskedConvolution(2 * self.features, (7, 7), "A")
        layers = range(self.num_layers)
        self.recurrent = [LAYERS[self.layer](self.features) for _ in layers]
        self.residual = [nn.Dense(2 * self.features) for _ in layers]
        self.head = nn.Dense(self.head_features)
        self.output = nn.Dense(1 if self.levels == 2 else self.levels)

    def __call__(self, images: Images, labels: None = None) -> BitLogits | LevelLogits:
        """Returns the logits of each pixel.

        Args:
            images: images in [-1, 1].
            labels: None: there are no classes.

        Returns:
            Logits of 1 in the shape of the images for 2 levels, else with an axis of levels more.

        Raises:
            ValueError: the images have several channels.
        """
        if images.shape[-1] != 1:
            raise ValueError(f"images have {images.shape[-1]} channels; PixelRNN takes 1")
        x = self.first(images)
        for recurrent, residual in zip(self.recurrent, self.residual, strict=True):
            x = x + at_each_place(residual, recurrent(x))
        return self._to_logits(x)

    def begin_row(self, images: Images, labels: None, row: Int[Array, ""]) -> tuple:
        """Returns what each layer knows of the row above, from caches.

        Args:
            images: the images.
            labels: None: there are no classes.
            row: the index of the row.

        Returns:
            One entry for each layer, which `at_pixel` reads.
        """
        return tuple(recurrent.begin_row(row) for recurrent in self.recurrent)

    def at_pixel(
        self, images: Images, labels: None, row_maps: tuple, position: Position
    ) -> BitLogits | LevelLogits:
        """Returns the logits of one pixel from caches.

        Args:
            images: whole images, of which only the pixels before the own one count.
            labels: None: there are no classes.
            row_maps: what `begin_row` returned for the row.
            position: the pixel.

        Returns:
            Logits as those of a whole call, of height and width 1.
        """
        x = self.first(images, position)
        for recurrent, residual, maps in zip(self.recurrent, self.residual, row_maps, strict=True):
            x = x + residual(recurrent.at_pixel(x, maps, position))
        return self._to_logits(x)

    def _to_logits(self, x: Float[Array, "batch _ _ channel"]) -> BitLogits | LevelLogits:
        x = nn.relu(at_each_place(self.head, nn.relu(x)))
        logits = at_each_place(self.output, x)
        return logits if self.levels == 2 else logits[..., None, :]
