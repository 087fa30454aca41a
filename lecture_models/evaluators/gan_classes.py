"""Shows and judges the images that a generator draws for each class."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.experiment import Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.samples import Extractor

Latents = Float[Array, "image latent"]
OneHot = Float[Array, "image class"]
Pixels = Float[Array, "image height width channel"]
State = Any

SHOWN = 10  # Latents in the picture.
JUDGED = 2_000  # Samples whose class is checked, of all classes together.


def class_evaluation(
    generate: Callable[[State, Latents, OneHot], Pixels],
    sample_latents: Callable[[Key[Array, ""], int], Latents],
    num_classes: int,
    extractor: Extractor | None,
) -> Callable[[State, Key[Array, ""]], Evaluation]:
    """Returns a function that draws images of every class.

    Args:
        generate: maps a state, latents and one-hot classes to images in [-1, 1].
        sample_latents: maps (key, count) to draws from the prior.
        num_classes: the number of classes.
        extractor: a classifier of the images; None for none.

    Returns:
        A function of (state, key). It returns `class_accuracy`, the share of samples that the
        classifier assigns to the class that was asked for, and a picture, in which a column has one
        latent and a row one class.
    """

    def evaluate(state, key) -> Evaluation:
        shown_key, judged_key = jax.random.split(key)
        classes = jnp.repeat(jnp.eye(num_classes), SHOWN, axis=0)
        latents = jnp.tile(sample_latents(shown_key, SHOWN), (num_classes, 1))
        caption = "each row one class, each column one latent"
        results: Evaluation = {"classes": Images(generate(state, latents, classes), SHOWN, caption)}
        if extractor is None:
            return results
        asked = np.arange(JUDGED) % num_classes
        samples = generate(state, sample_latents(judged_key, JUDGED), jnp.eye(num_classes)[asked])
        _, logits = batched_apply(extractor.apply, samples, 1_000)
        return results | {"class_accuracy": float((np.asarray(logits).argmax(1) == asked).mean())}

    return evaluate
