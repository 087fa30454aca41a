"""Scores and shows the samples of a generative adversarial network."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.data.dataset import Dataset
from lecture_models.evaluators.samples import sample_pictures, sample_scorer
from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.models.latent import interpolate

Latents = Float[Array, "image latent"]
Pixels = Float[Array, "image height width channel"]
State = Any  # The experiment's state, a pytree of arrays.

MIN_COVERED_SHARE = 0.8  # A smaller share of the classes among the samples raises an alarm.
WALKS, STEPS = 8, 10  # Rows and columns of the interpolation.
PROBED = 1_000  # Images over which the discriminator's mean probabilities are taken.


def make_evaluate(
    generate: Callable[[State, Latents], Pixels],
    discriminate: Callable[[State, Pixels], Float[Array, " image"]],
    sample_latents: Callable[[Key[Array, ""], int], Latents],
    dataset: Dataset,
    num_samples: int,
    extractor_steps: int,
    batch_size: int | None = None,
) -> Callable[[State, Key[Array, ""]], Evaluation]:
    """Returns the `evaluate` of an experiment that trains a GAN.

    Its scores are those of `metrics.samples`.

    Args:
        generate: maps a state and latents to images in [-1, 1], in evaluation mode; it is not
            jitted here.
        discriminate: maps a state and images to logits, in evaluation mode; it is jitted here.
        sample_latents: maps (key, count) to draws from the prior.
        dataset: the data that the samples are compared with.
        num_samples: how many samples the scores are computed from.
        extractor_steps: how many steps the judging classifier is trained, where none ships.
        batch_size: how many of the samples are generated at a time; None is all at once.

    Returns:
        A function of (state, key). It returns the scores and their descriptions; the mean
        probabilities that the discriminator gives to test images and to samples; pictures of
        samples, of walks between latents and of the nearest training images; and
        `alarm_collapse`, a text that is empty unless fewer than 80% of the classes are covered.
    """
    scorer = functools.cache(lambda: sample_scorer(dataset, extractor_steps))

    @jax.jit
    def mean_probability(state, images):
        return jax.nn.sigmoid(discriminate(state, images)).mean()

    def draw_samples(state, latents):
        if batch_size is None:
            return np.asarray(generate(state, latents))
        return batched_apply(functools.partial(generate, state), latents, batch_size)

    def evaluate(state, key):
        sample_key, walk_key = jax.random.split(key)
        samples = draw_samples(state, sample_latents(sample_key, num_samples))
        ends = sample_latents(walk_key, 2 * WALKS)
        scores = scorer()(samples)
        return {
            **scores.scalars,
            **scores.descriptions,
            "real_probability": mean_probability(state, dataset.test.images[:PROBED]),
            "fake_probability": mean_probability(state, samples[:PROBED]),
            **sample_pictures(samples, dataset.train.images),
            "interpolation": Images(
                generate(state, interpolate(ends[:WALKS], ends[WALKS:], STEPS)),
                STEPS,
                "each row walks from one latent to another",
            ),
            "alarm_collapse": collapse_alarm(scores.scalars, len(dataset.classes)),
        }

    return evaluate


def collapse_alarm(scalars: dict[str, float], num_classes: int) -> str:
    """Returns a warning when the samples reach too few of the classes, else an empty text.

    Args:
        scalars: the scores of the samples; without `modes_covered` there is no warning.
        num_classes: the number of classes of the data.

    Returns:
        One line, or "".
    """
    covered = scalars.get("modes_covered", math.inf)
    if covered >= MIN_COVERED_SHARE * num_classes:
        return ""
    return f"{covered:.0f} of {num_classes} modes covered"
