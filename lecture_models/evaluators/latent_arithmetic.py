"""Adds and subtracts the latents of a generative adversarial network, and judges the images."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.samples import Extractor

Latents = Float[Array | np.ndarray, "image latent"]
Pixels = Float[Array | np.ndarray, "image height width channel"]
State = Any

POOL = 4_000  # Samples among which heavy and light ones of each class are looked for.
AVERAGED = 3  # Latents in each mean: Radford et al., 2016, section 6.3.2.
MIN_PROBABILITY = 0.9  # Of a sample's class, so that unclear samples are not used.
REPETITIONS = 200  # Pairs of classes that are judged.
SHOWN = 10  # Pairs in the picture.


class Groups(NamedTuple):
    """Holds the latents of each usable class: of its quarter of most ink, and of least.

    Attributes:
        classes: the numbers of the classes.
        heavy: for each of them the latents of heavy samples.
        light: likewise, of light samples.
    """

    classes: list[int]
    heavy: list[np.ndarray]
    light: list[np.ndarray]


def arithmetic_evaluation(
    generate: Callable[[State, Latents], Pixels],
    sample_latents: Callable[[Key[Array, ""], int], Latents],
    extractor: Extractor,
) -> Callable[[State, Key[Array, ""]], Evaluation]:
    """Returns a function that moves samples from light to heavy strokes by adding latents.

    heavy a - light a + light b, each the mean of three latents of such samples, should be a heavy
    b: Radford et al., 2016, figure 7, where the images were chosen by hand. Here a classifier and
    the mean of the pixels choose them.

    Args:
        generate: maps a state and latents to images in [-1, 1].
        sample_latents: maps (key, count) to draws from the prior.
        extractor: a classifier of the images.

    Returns:
        A function of (state, key). It returns `arithmetic_kept_class`, the share of results that
        are classified as b; `arithmetic_heavier`, the share with more ink than the mean of light b;
        `arithmetic_heavier_control`, the same where heavy a is replaced by other samples of light
        a, so that nothing is to be added; and a picture. With fewer than two usable classes it
        returns {}.
    """

    def judged(state, latents) -> tuple[Pixels, np.ndarray, np.ndarray]:
        images = np.asarray(generate(state, latents))
        _, logits = batched_apply(extractor.apply, images, min(1_000, len(images)))
        return images, np.asarray(jax.nn.softmax(logits)), images.mean((1, 2, 3))

    def evaluate(state, key) -> Evaluation:
        pool = np.asarray(sample_latents(key, POOL))
        _, probabilities, ink = judged(state, pool)
        groups = find_groups(pool, probabilities, ink)
        if len(groups.classes) < 2:
            return {}
        draw = np.random.default_rng(0)  # The latents have the key; the pairs are always the same.
        targets, terms, controls = draw_terms(groups, draw)
        heavy_a, light_a, light_b = terms
        results, result_probabilities, result_ink = judged(state, heavy_a - light_a + light_b)
        bases, _, base_ink = judged(state, light_b)
        _, _, control_ink = judged(state, controls - light_a + light_b)
        rows = (
            np.asarray(generate(state, heavy_a[:SHOWN])),
            np.asarray(generate(state, light_a[:SHOWN])),
            bases[:SHOWN],
            results[:SHOWN],
        )
        return {
            "arithmetic_kept_class": float((result_probabilities.argmax(1) == targets).mean()),
            "arithmetic_heavier": float((result_ink > base_ink).mean()),
            "arithmetic_heavier_control": float((control_ink > base_ink).mean()),
            "arithmetic": Images(
                np.concatenate(rows),
                SHOWN,
                "each column: heavy a, light a, light b, and the image of heavy a - light a + "
                "light b; each from the mean of three latents",
            ),
        }

    return evaluate


def find_groups(
    latents: Float[np.ndarray, "image latent"],
    probabilities: Float[np.ndarray, "image class"],
    ink: Float[np.ndarray, " image"],
) -> Groups:
    """Finds the samples of each class with the most and with the least ink.

    Args:
        latents: the latents of the samples.
        probabilities: the probability of each class, which is the sample's where it reaches 0.9.
        ink: the mean of each sample's pixels.

    Returns:
        The heaviest and the lightest quarter of each class; classes with fewer than twelve samples
        are left out.
    """
    groups = Groups([], [], [])
    for number in range(probabilities.shape[1]):
        own = np.flatnonzero(probabilities[:, number] >= MIN_PROBABILITY)
        quarter = len(own) // 4
        if quarter < AVERAGED:
            continue
        ordered = own[np.argsort(ink[own], kind="stable")]
        groups.classes.append(number)
        groups.heavy.append(latents[ordered[-quarter:]])
        groups.light.append(latents[ordered[:quarter]])
    return groups


def draw_terms(
    groups: Groups, draw: np.random.Generator
) -> tuple[Int[np.ndarray, " pair"], list[np.ndarray], np.ndarray]:
    """Draws pairs of classes, and the means of latents for each.

    Args:
        groups: the latents of two classes or more.
        draw: the source of randomness.

    Returns:
        The class b of each pair; the means heavy a, light a and light b, (pair, latent) each; and
        further means of light a.
    """

    def mean(of: np.ndarray) -> np.ndarray:
        return of[draw.choice(len(of), AVERAGED, replace=False)].mean(0)

    targets, means = [], []
    for _ in range(REPETITIONS):
        a, b = draw.choice(len(groups.classes), 2, replace=False)
        targets.append(groups.classes[b])
        parts = (groups.heavy[a], groups.light[a], groups.light[b], groups.light[a])
        means.append([mean(part) for part in parts])
    *terms, controls = np.asarray(means, np.float32).swapaxes(0, 1)
    return np.array(targets), terms, controls
