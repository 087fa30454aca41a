"""Attributes a text's class to its words."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Embedded = Float[Array, "batch time embedding"]
Logits = Float[Array, "batch class"]


def margins(logits: Logits, classes: Int[Array, " batch"]) -> Float[Array, " batch"]:
    """Returns by how much a class's logit exceeds the mean of the others.

    Args:
        logits: one row per text.
        classes: one class per text.

    Returns:
        The margin of each text.
    """
    own = jnp.take_along_axis(logits, classes[:, None], axis=1)[:, 0]
    return own - (logits.sum(axis=1) - own) / (logits.shape[1] - 1)


def word_contributions(
    classify: Callable[[Embedded], Logits], embedded: Embedded, classes: Int[Array, " batch"]
) -> Float[Array, "batch time"]:
    """Returns gradient x input, summed over each word's vector e.

    e . dS/de with the margin S of the class. The sum over the words is the derivative of S when all
    vectors are scaled together; it is S minus its bias where S is linear. Denil et al., 2014,
    Extraction of salient sentences from labeled documents; Li et al., 2016, Visualizing and
    understanding neural models in NLP.

    Args:
        classify: maps words' vectors to logits; each text by itself.
        embedded: the vectors.
        classes: the class of each text that is explained.

    Returns:
        The contributions: positive where a word speaks for the class.
    """
    gradient = jax.grad(lambda vectors: margins(classify(vectors), classes).sum())(embedded)
    return (gradient * embedded).sum(axis=-1)
