"""Draws how training sounds are changed: pitch, tempo, noise, and what is hidden."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lecture_models.nn.log_mel import Features, Lengths, Mask, Reading, Samples
from lecture_models.nn.recurrent import length_mask


class Perturbation(NamedTuple):
    """Says how much sounds are changed.

    Attributes:
        pitch: the largest change of all frequencies: 0.2 divides or multiplies by up to 1.2.
        tempo: likewise of the speed.
        loudest_noise: the smallest ratio of signal to noise in dB; `QUIETEST` or more for no noise.
        hidden_bands: at most so many neighboring bands are hidden, twice.
        hidden_frames: at most so many neighboring frames are hidden, twice.
    """

    pitch: float = 0.0
    tempo: float = 0.0
    loudest_noise: float = 60.0
    hidden_bands: int = 0
    hidden_frames: int = 0


QUIETEST = 60.0  # dB; noise is drawn from the loudest one to this.


def draw_reading(key: Key[Array, ""], batch: int, perturbation: Perturbation) -> Reading:
    """Draws pitch and tempo of each sound, equally likely up and down in their logarithm.

    Args:
        key: the key.
        batch: the number of sounds.
        perturbation: the limits.

    Returns:
        The reading.
    """
    factors = [
        jnp.exp(jnp.log1p(most) * jax.random.uniform(own_key, (batch,), minval=-1.0, maxval=1.0))
        for own_key, most in zip(
            jax.random.split(key), (perturbation.pitch, perturbation.tempo), strict=True
        )
    ]
    return Reading(*factors)


def add_noise(
    key: Key[Array, ""], samples: Samples, lengths: Lengths, decibels: Float[Array, " batch"]
) -> Samples:
    """Adds white noise at a ratio of signal to noise.

    Args:
        key: draws the noise.
        samples: the sounds.
        lengths: the number of samples of each; noise is added to these alone.
        decibels: 10 log10 of the ratio of the sound's mean power to that of the noise.

    Returns:
        The noisy sounds.
    """
    mask = length_mask(lengths, samples.shape[1])
    count = jnp.maximum(lengths, 1).astype(samples.dtype)
    power = (mask * jnp.square(samples)).sum(axis=1) / count
    deviation = jnp.sqrt(power) * 10.0 ** (-decibels / 20.0)
    return samples + mask * deviation[:, None] * jax.random.normal(key, samples.shape)


def draw_noise(
    key: Key[Array, ""], samples: Samples, lengths: Lengths, perturbation: Perturbation
) -> Samples:
    """Adds noise whose ratio is drawn for each sound, from the loudest allowed to 60 dB.

    Args:
        key: the key.
        samples: the sounds.
        lengths: the number of samples of each.
        perturbation: the limits.

    Returns:
        The noisy sounds; the sounds themselves if no noise is allowed.
    """
    if perturbation.loudest_noise >= QUIETEST:
        return samples
    ratio_key, noise_key = jax.random.split(key)
    ratios = jax.random.uniform(
        ratio_key, (len(samples),), minval=perturbation.loudest_noise, maxval=QUIETEST
    )
    return add_noise(noise_key, samples, lengths, ratios)


def hide(
    key: Key[Array, ""], features: Features, mask: Mask, perturbation: Perturbation
) -> Features:
    """Sets two stretches of bands and two of frames of each sound to 0, the features' mean.

    Args:
        key: draws where and how many.
        features: standardized features.
        mask: which frames belong to the sound; stretches begin among them.
        perturbation: the limits.

    Returns:
        The features. Park et al., 2019, SpecAugment.
    """
    lengths = mask.sum(axis=1)
    bands = jnp.full(len(features), features.shape[2])
    kept = jnp.ones(features.shape, bool)
    for number in range(2):
        frame_key, band_key = jax.random.split(jax.random.fold_in(key, number))
        frames = _stretch(frame_key, features.shape[1], lengths, perturbation.hidden_frames)
        hidden = _stretch(band_key, features.shape[2], bands, perturbation.hidden_bands)
        kept = kept & ~frames[:, :, None] & ~hidden[:, None]
    return jnp.where(kept, features, 0.0)


def _stretch(key, size: int, lengths, most: int):
    """Returns True within a stretch of 0 to `most` places, one for each sound."""
    begin_key, width_key = jax.random.split(key)
    begins = jnp.floor(jax.random.uniform(begin_key, lengths.shape) * lengths)
    widths = jax.random.randint(width_key, lengths.shape, 0, most + 1)
    places = jnp.arange(size)[None]
    return (places >= begins[:, None]) & (places < (begins + widths)[:, None])
