"""Prepares sounds for networks: log-mel spectra or plain samples, changed at random in training."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lecture_models.nn.log_mel import (
    Features,
    Lengths,
    Mask,
    Reading,
    Samples,
    Spectrum,
    as_it_is,
    log_mel,
    slopes,
    standardized,
)
from lecture_models.nn.recurrent import length_mask
from lecture_models.nn.sound_perturbation import Perturbation, draw_noise, draw_reading, hide

# Maps sounds, their lengths and a reading to the inputs of a network and their mask.
Front = Callable[[Samples, Lengths, Reading], tuple[Array, Mask]]


class Inputs(NamedTuple):
    """Describes what a network gets of a sound.

    Attributes:
        front: reads the sounds.
        finish: what follows after stretches were hidden.
        hides: whether stretches of bands and frames can be hidden.
    """

    front: Front
    finish: Callable[[Features], Features] = lambda features: features
    hides: bool = True

    def clean(self, samples: Samples, lengths: Lengths) -> tuple[Array, Mask]:
        """Returns the inputs of unchanged sounds, and their mask."""
        features, mask = self.front(samples, lengths, as_it_is(len(samples)))
        return self.finish(features), mask

    def perturbed(
        self, key: Key[Array, ""], samples: Samples, lengths: Lengths, perturbation: Perturbation
    ) -> tuple[Array, Mask]:
        """Returns the inputs of sounds that are changed at random, and their mask."""
        read_key, noise_key, hide_key = jax.random.split(key, 3)
        samples = draw_noise(noise_key, samples, lengths, perturbation)
        reading = draw_reading(read_key, len(samples), perturbation)
        features, mask = self.front(samples, lengths, reading)
        if self.hides:
            features = hide(hide_key, features, mask, perturbation)
        return self.finish(features), mask


def spectral_inputs(
    spectrum: Spectrum, with_slopes: bool = False, each_band: bool = False
) -> Inputs:
    """Returns log-mel spectra, standardized for each sound, perhaps with their slopes."""

    def front(samples, lengths, reading):
        features, mask = log_mel(samples, lengths, spectrum, reading)
        return standardized(features, mask, each_band), mask

    def finish(features):
        return jnp.concatenate([features, slopes(features)], axis=-1)

    return Inputs(front, finish) if with_slopes else Inputs(front)


def sample_inputs() -> Inputs:
    """Returns samples of variance 1, whose speed changes with their pitch."""

    def front(samples, lengths, reading):
        read, mask = read_samples(samples, lengths, reading)
        features = standardized(read[..., None], mask)
        return features[..., 0], mask

    return Inputs(front, hides=False)


def read_samples(
    samples: Samples, lengths: Lengths, reading: Reading
) -> tuple[Float[Array, "batch sample"], Mask]:
    """Returns sounds as a tape plays them at another speed, by linear interpolation.

    Args:
        samples: the sounds; zeros follow them.
        lengths: the number of samples of each.
        reading: its pitch is the speed; its tempo cannot differ from it.
    """
    places = jnp.arange(samples.shape[1])[None] * reading.pitch[:, None]
    before = jnp.floor(places).astype(jnp.int32)
    last = samples.shape[1] - 1
    first, second = (
        jnp.take_along_axis(samples, jnp.minimum(before + step, last), axis=1) for step in (0, 1)
    )
    mask = length_mask((lengths / reading.pitch).astype(jnp.int32), samples.shape[1])
    return mask * (first + (places - before) * (second - first)), mask
