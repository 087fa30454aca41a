"""Tests by derivatives that the logits of a pixel depend on no later pixel."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from lecture_models.evaluators.pixel_sampling import Labels, PixelModel, Variables

Image = Float[np.ndarray, "1 height width channel"]

LARGEST_IMAGE = 1_024  # Pixels times channels; a derivative has the square of it as entries.
ROWS_PER_CALL = 56
WEIGHT_SEED = 0
FIELD_IMAGES = 16


def make_dependence(
    model: PixelModel,
) -> Callable[[Variables, Image, Labels], Bool[np.ndarray, "output input"]]:
    """Returns a function that tells on which pixels the logits of each pixel depend.

    Args:
        model: the model.

    Returns:
        A function of (variables, image, labels). It returns a square matrix over pixels and
        channels in raster order: True where the derivative is not exactly 0. Of several levels a
        random sum is taken.
    """

    @functools.partial(jax.jit, static_argnames="count")
    def rows(variables, image, labels, first, count):
        def scores(image):
            logits = model.logits(variables, image, labels)
            if logits.ndim > image.ndim:
                weights = jax.random.normal(jax.random.key(WEIGHT_SEED), logits.shape[-1:])
                logits = logits @ weights
            return logits.ravel()

        _, pull_back = jax.vjp(scores, image)
        directions = jnp.roll(jnp.eye(count, image.size, dtype=image.dtype), first, axis=1)
        return jax.vmap(lambda direction: pull_back(direction)[0].ravel())(directions) != 0.0

    def dependence(variables, image, labels=None):
        count = min(ROWS_PER_CALL, image.size)
        blocks = [
            np.asarray(rows(variables, image, labels, first, count))
            for first in range(0, image.size, count)
        ]
        return np.concatenate(blocks)[: image.size]

    return dependence


def causality_line(
    dependence: Callable[..., Bool[np.ndarray, "output input"]],
    variables: Variables,
    images: Float[np.ndarray, "image height width channel"],
    labels: Labels,
) -> tuple[int, str]:
    """Counts the derivatives of a pixel's logits to itself and to later pixels that are not 0.

    Args:
        dependence: what `make_dependence` returned.
        variables: the model's variables.
        images: images, of which the middle of the first one is used.
        labels: their classes; None without classes.

    Returns:
        The number, which must be 0, and a line that says so.
    """
    channels = images.shape[-1]
    side = min(*images.shape[1:3], int((LARGEST_IMAGE / channels) ** 0.5))
    top, left = ((size - side) // 2 for size in images.shape[1:3])
    image = images[:1, top : top + side, left : left + side]
    depends = dependence(variables, image, None if labels is None else labels[:1])
    leaks, total = int(np.triu(depends).sum()), image.size * (image.size + 1) // 2
    earlier = int(np.tril(depends, -1).sum())
    return leaks, (
        f"{leaks} of {total:,} derivatives to the own or a later pixel are not 0; "
        f"{earlier:,} of {total - image.size:,} to an earlier one"
    )


def field_of(
    model: PixelModel, variables: Variables, labels: Labels, image_shape: tuple[int, int, int]
) -> Bool[np.ndarray, "height width"]:
    """Tells which pixels the logits of the middle pixel see.

    Args:
        model: the model.
        variables: its variables, not those of a layer that starts at 0.
        labels: the class of one image; None without classes.
        image_shape: height, width and channels.

    Returns:
        True where the derivative of any channel's logits to any channel is not exactly 0, at any of
        a few images of random numbers: at one image alone some rectifiers are off.
    """
    height, width, _ = image_shape
    images = jax.random.normal(jax.random.key(WEIGHT_SEED), (FIELD_IMAGES, *image_shape))
    labels = None if labels is None else jnp.repeat(labels, FIELD_IMAGES)

    def scores(images):
        logits = model.logits(variables, images, labels)[:, height // 2, width // 2]
        weights = jax.random.normal(jax.random.key(WEIGHT_SEED + 1), logits.shape[1:])
        return (logits * weights[None]).sum()

    return np.asarray(jax.jit(jax.grad(scores))(images) != 0.0).any(axis=(0, -1))


def blind_spot(
    sees: Bool[np.ndarray, "height width"],
) -> tuple[Bool[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Finds the earlier pixels that the middle pixel should see and does not.

    Args:
        sees: what `field_of` returned.

    Returns:
        True for the earlier pixels in the smallest window of rows and columns around the middle
        that holds the field, and True for those of them that are not seen: the blind spot.
    """
    height, width = sees.shape
    rows, columns = np.indices(sees.shape)
    rows, columns = rows - height // 2, columns - width // 2
    up = (-rows[sees]).max(initial=0)
    across = abs(columns[sees]).max(initial=0)
    earlier = (rows < 0) | ((rows == 0) & (columns < 0))
    window = earlier & (rows >= -up) & (abs(columns) <= across)
    return window, window & ~sees
