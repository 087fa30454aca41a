"""Classifies sounds: convolutions over time and frequency, over samples, or an LSTM over frames.

Each network maps inputs, a mask of what belongs to the sound, and whether it trains, to logits.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from lecture_models.nn.recurrent_stack import RecurrentStack
from lecture_models.nn.time_convolution import TimeConvolution, thinned

Frames = Float[Array, "batch time feature"]
Mask = Bool[Array, "batch time"]
Logits = Float[Array, "batch class"]


def masked_mean(values: Frames, mask: Mask) -> Float[Array, "batch feature"]:
    """Returns the mean over the time that belongs to a sequence.

    Args:
        values: features along time.
        mask: True where they count.

    Returns:
        The mean; 0 where nothing counts.
    """
    weights = mask[..., None].astype(values.dtype)
    return (weights * values).sum(axis=1) / jnp.maximum(weights.sum(axis=1), 1.0)


class SpectrogramConvolution(nn.Module):
    """Convolves log-mel spectra over time and frequency, and takes the mean over time.

    Attributes:
        classes: the number of classes.
        features: of each convolution of 3x3, whose stride is 2 in both directions.
        dropout: the share of the last features that is dropped while training.
    """

    classes: int
    features: tuple[int, ...] = (16, 32, 64)
    dropout: float = 0.3

    @nn.compact
    def __call__(self, inputs: Frames, mask: Mask, training: bool = False) -> Logits:
        """Returns the logits of spectra, whose features are their bands in order."""
        maps = inputs[..., None]
        for features in self.features:
            # Nothing that follows a sound may reach it.
            maps = maps * mask[:, :, None, None]
            maps = nn.Conv(features, (3, 3), strides=(2, 2))(maps)
            maps = nn.relu(maps)
            mask = thinned(mask, 2)
        values = maps.reshape(*maps.shape[:2], -1)
        pooled = masked_mean(values, mask)
        pooled = nn.Dropout(self.dropout, deterministic=not training)(pooled)
        return nn.Dense(self.classes)(pooled)


class WaveformConvolution(nn.Module):
    """Convolves the samples of a sound in one dimension: Dai et al., 2017, the form of M5.

    The first filters are wide, and learn what the log-mel spectrum has built in.

    Attributes:
        classes: the number of classes.
        features: of each convolution.
        first_width: samples under the first filters, whose stride is a quarter of them.
        width: places under the other filters, whose stride is 2.
        dropout: the share of the last features that is dropped while training.
    """

    classes: int
    features: tuple[int, ...] = (64, 64, 96, 128)
    first_width: int = 64
    width: int = 3
    dropout: float = 0.3

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "batch sample"], mask: Mask, training: bool = False
    ) -> Logits:
        """Returns the logits of samples."""
        values = inputs[..., None]
        for number, features in enumerate(self.features):
            width = self.width if number else self.first_width
            stride = 2 if number else self.first_width // 4
            values = TimeConvolution(features, width, stride)(values * mask[..., None])
            values = nn.relu(nn.LayerNorm()(values))
            mask = thinned(mask, stride)
        pooled = masked_mean(values, mask)
        pooled = nn.Dropout(self.dropout, deterministic=not training)(pooled)
        return nn.Dense(self.classes)(pooled)


class SpectrogramLSTM(nn.Module):
    """Reads the frames of a sound in both directions, and takes the mean of the outputs.

    Attributes:
        classes: the number of classes.
        features: of each layer, in each direction.
        dropout: the share of the inputs of the upper layers and of the last features that is
            dropped while training.
    """

    classes: int
    features: tuple[int, ...] = (96,)
    dropout: float = 0.3

    @nn.compact
    def __call__(self, inputs: Frames, mask: Mask, training: bool = False) -> Logits:
        """Returns the logits of frames."""
        stack = RecurrentStack(self.features, bidirectional=True, dropout=self.dropout)
        _, outputs = stack(inputs, None, mask, training)
        pooled = nn.Dropout(self.dropout, deterministic=not training)(masked_mean(outputs, mask))
        return nn.Dense(self.classes)(pooled)
