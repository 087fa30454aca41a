"""Tests by derivatives that the logits of a pixel depend on no later pixel."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from lecture_models.evaluators.pixel_sampling import Labels, PixelModel, Variables

LARGEST_IMAGE = 1_024  # Pixels times channels; a derivative has the square of it as entries.
ROWS_PER_CALL = 56
WEIGHT_SEED = 0


def dependence(
    model: PixelModel,
    variables: Variables,
    image: Float[np.ndarray, "1 height width channel"],
    labels: Labels,
) -> Bool[np.ndarray, "output input"]:
    """Tells on which pixels the logits of each pixel depend.

    Args:
        model: the model.
        variables: its variables.
        image: the image at which derivatives are taken.
        labels: its class; None without classes.

    Returns:
        A square matrix over pixels and channels in raster order: True where the derivative is not
        exactly 0. Of several levels a random sum is taken.
    """

    def scores(image):
        logits = model.logits(variables, image, labels)
        if logits.ndim > image.ndim:
            weights = jax.random.normal(jax.random.key(WEIGHT_SEED), logits.shape[-1:])
            logits = logits @ weights
        return logits.ravel()

    @functools.partial(jax.jit, static_argnames="count")
    def rows(image, first, count):
        _, pull_back = jax.vjp(scores, image)
        directions = jnp.eye(count, image.size, dtype=image.dtype)
        directions = jnp.roll(directions, first, axis=1)
        return jax.vmap(lambda direction: pull_back(direction)[0].ravel())(directions) != 0.0

    count = min(ROWS_PER_CALL, image.size)
    blocks = [
        np.asarray(rows(jnp.asarray(image), first, count)) for first in range(0, image.size, count)
    ]
    return np.concatenate(blocks)[: image.size]


def causality_line(
    model: PixelModel,
    variables: Variables,
    images: Float[np.ndarray, "image height width channel"],
    labels: Labels,
) -> tuple[int, str]:
    """Counts the derivatives of a pixel's logits to itself and to later pixels that are not 0.

    Args:
        model: the model.
        variables: its variables.
        images: images, of which the middle of the first one is used.
        labels: their classes; None without classes.

    Returns:
        The number, which must be 0, and a line that says so.
    """
    channels = images.shape[-1]
    side = min(*images.shape[1:3], int((LARGEST_IMAGE / channels) ** 0.5))
    top, left = ((size - side) // 2 for size in images.shape[1:3])
    image = images[:1, top : top + side, left : left + side]
    depends = dependence(model, variables, image, None if labels is None else labels[:1])
    leaks, total = int(np.triu(depends).sum()), image.size * (image.size + 1) // 2
    earlier = int(np.tril(depends, -1).sum())
    return leaks, (
        f"{leaks} of {total:,} derivatives to the own or a later pixel are not 0; "
        f"{earlier:,} of {total - image.size:,} to an earlier one"
    )
