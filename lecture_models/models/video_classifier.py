"""Classifies films: a convolutional network on each frame, and what joins the frames."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from lecture_models.nn.recurrent import RecurrentLayer
from lecture_models.nn.recurrent_cells import Cell, lstm

Films = Float[Array, "film time height width channel"]
Mask = Bool[Array, "film time"]


class FrameEncoder(nn.Module):
    """Maps each frame to features by convolutions whose filters do not overlap.

    Such a convolution is one matrix product of patches, so that many networks with own weights run
    as one batched product. It runs on all frames at once, before any recurrence.

    Attributes:
        widths: the maps of each convolution, of 4x4 and then 2x2 pixels.
        features: the features of a frame.
        dropout: the share of the features that are dropped while training.
    """

    widths: tuple[int, ...] = (16, 32)
    features: int = 64
    dropout: float = 0.2

    @nn.compact
    def __call__(self, films: Films, training: bool) -> Float[Array, "film time feature"]:
        films_and_time = films.shape[:2]
        maps = films.reshape(-1, *films.shape[2:])
        for depth, width in enumerate(self.widths):
            side = 4 if depth == 0 else 2
            count, height, across, channels = maps.shape
            patches = maps.reshape(count, height // side, side, across // side, side, channels)
            patches = patches.swapaxes(2, 3).reshape(
                count, height // side, across // side, side * side * channels
            )
            maps = nn.relu(nn.Dense(width)(patches))
        codes = nn.relu(nn.Dense(self.features)(maps.reshape(*films_and_time, -1)))
        return nn.Dropout(self.dropout, deterministic=not training)(codes)


class RecurrentFilm(nn.Module):
    """Reads the frames in order; each output has the logits of the film so far.

    Attributes:
        num_classes: the number of classes.
        features: the features of a frame and of the recurrent layer.
        cell: the recurrent cell.
    """

    num_classes: int
    features: int = 64
    cell: Cell = lstm()

    @nn.compact
    def __call__(
        self, films: Films, mask: Mask, training: bool = False
    ) -> Float[Array, "film time class"]:
        codes = FrameEncoder(features=self.features)(films, training)
        _, outputs = RecurrentLayer(self.features, self.cell)(codes, None, mask, training)
        return running_mean(nn.Dense(self.num_classes)(outputs), mask)


class AveragedFilm(nn.Module):
    """Averages the logits of single frames, whatever their order.

    Attributes:
        num_classes: the number of classes.
        features: the features of a frame.
    """

    num_classes: int
    features: int = 64

    @nn.compact
    def __call__(
        self, films: Films, mask: Mask, training: bool = False
    ) -> Float[Array, "film time class"]:
        codes = FrameEncoder(features=self.features)(films, training)
        hidden = nn.relu(nn.Dense(self.features)(codes))
        return running_mean(nn.Dense(self.num_classes)(hidden), mask)


def running_mean(
    values: Float[Array, "film time class"], mask: Mask
) -> Float[Array, "film time class"]:
    """Returns the mean of the real elements up to each time; padding repeats the last mean.

    Args:
        values: one vector per frame.
        mask: True at the frames, False at the padding.

    Returns:
        The means; 0 before the first frame.
    """
    real = mask[..., None].astype(values.dtype)
    return jnp.cumsum(values * real, axis=1) / jnp.maximum(jnp.cumsum(real, axis=1), 1.0)
