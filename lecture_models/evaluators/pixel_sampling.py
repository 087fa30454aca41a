"""Draws images pixel by pixel from a model of each pixel given those before it.

`draw` computes all logits anew for each pixel; `draw_from_caches` computes those of one pixel from
kept activations. With the same key both draw the same pixels.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key

from lecture_models.losses.pixel_likelihood import from_levels
from lecture_models.nn.masked_convolution import Position

Variables = Any  # {"params": ...}, as a linen module's `apply` takes.
Images = Float[Array, "image height width channel"]
Labels = Int[Array, " image"] | None
Unknown = Bool[np.ndarray, "height width"]


class PixelModel(NamedTuple):
    """Describes a model of pixels by functions of variables and arrays only.

    Attributes:
        levels: the number of values of a pixel.
        logits: `logits(variables, images, labels)` returns the logits of all pixels: of 1, in the
            shape of the images, for 2 levels; else with an axis of levels more.
        caches: `caches(variables, images, labels)` returns empty caches; None if the model has no
            cached activations, and then `begin_row` and `at_pixel` are None too.
        begin_row: `begin_row(variables, caches, images, labels, row)` returns the caches and the
            maps of a row, which `at_pixel` reads.
        at_pixel: `at_pixel(variables, caches, images, labels, row_maps, position)` returns the
            caches and the logits of one pixel, of height and width 1.
    """

    levels: int
    logits: Callable[..., Array]
    caches: Callable[..., Any] | None = None
    begin_row: Callable[..., tuple[Any, Any]] | None = None
    at_pixel: Callable[..., tuple[Any, Array]] | None = None


def pixel_model(module: nn.Module, levels: int) -> PixelModel:
    """Describes a linen module that computes logits of pixels.

    Args:
        module: maps (images, labels) to logits. If it has the methods `begin_row` and `at_pixel`,
            as `models.pixelcnn.PixelCNN` has, their caches are the collection "cache".
        levels: the number of values of a pixel.

    Returns:
        The module as functions.
    """
    if not hasattr(module, "at_pixel"):
        return PixelModel(levels, module.apply)

    def caches(variables, images, labels):
        def call(variables):
            return module.apply(variables, images, labels, mutable=["cache"])[1]

        shapes = jax.eval_shape(call, variables)
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    def call(method, variables, caches, *arguments):
        everything = {**variables, **caches}
        result, updated = module.apply(everything, *arguments, method=method, mutable=["cache"])
        return {**caches, **updated}, result

    return PixelModel(
        levels,
        module.apply,
        caches,
        lambda variables, caches, *arguments: call("begin_row", variables, caches, *arguments),
        lambda variables, caches, *arguments: call("at_pixel", variables, caches, *arguments),
    )


def draw(
    model: PixelModel,
    variables: Variables,
    key: Key[Array, ""],
    images: Images,
    labels: Labels = None,
    unknown: Unknown | None = None,
    temperature: float | Array = 1.0,
) -> Images:
    """Draws pixels in raster order; each takes a pass of the model over the whole images.

    Args:
        model: the model.
        variables: its variables.
        key: the random key; the draw of a pixel depends on the key and on the pixel's place.
        images: the known pixels in [-1, 1]; the values of unknown pixels do not matter.
        labels: the class of each image; None without classes.
        unknown: True for the pixels that are drawn; None for all of them.
        temperature: divides the logits, above 0. Below 1 draws are more like the most probable.

    Returns:
        The images with all pixels known.
    """
    _, height, width, channels = images.shape
    unknown = np.ones((height, width), bool) if unknown is None else unknown
    places = np.argwhere(np.repeat(unknown[..., None], channels, axis=2)).astype(np.int32)

    def draw_one(images, place):
        row, column, channel = place
        logits = model.logits(variables, images, labels)[:, row, column, channel]
        value = _draw_value(_key_of(key, place, images), logits, model.levels, temperature)
        return images.at[:, row, column, channel].set(value), None

    return lax.scan(draw_one, images, places)[0]


def draw_from_caches(
    model: PixelModel,
    variables: Variables,
    key: Key[Array, ""],
    images: Images,
    labels: Labels = None,
    unknown: Unknown | None = None,
    temperature: float | Array = 1.0,
) -> Images:
    """Draws pixels in raster order from cached activations, which each pixel computes once.

    Args:
        model: the model, which has caches.
        variables: its variables.
        key: the random key; with the same key `draw` draws the same pixels.
        images: the known pixels in [-1, 1]; the values of unknown pixels do not matter.
        labels: the class of each image; None without classes.
        unknown: True for the pixels that are drawn; None for all of them.
        temperature: divides the logits, above 0. Below 1 draws are more like the most probable.

    Returns:
        The images with all pixels known.

    Raises:
        ValueError: the model has no caches.
    """
    if model.caches is None or model.begin_row is None or model.at_pixel is None:
        raise ValueError("the model keeps no activations; `draw` draws without them")
    begin_row, at_pixel = model.begin_row, model.at_pixel
    _, height, width, channels = images.shape
    drawn = jnp.ones((height, width), bool) if unknown is None else jnp.asarray(unknown)

    def draw_pixel(carry, column, row, row_maps):
        images, caches = carry
        position = Position(row, column)
        for channel in range(channels):
            caches, logits = at_pixel(variables, caches, images, labels, row_maps, position)
            place = (row, column, jnp.int32(channel))
            value = _draw_value(
                _key_of(key, place, images), logits[:, 0, 0, channel], model.levels, temperature
            )
            known = images[:, row, column, channel]
            value = jnp.where(drawn[row, column], value, known)
            images = images.at[:, row, column, channel].set(value)
        return (images, caches), None

    def draw_row(carry, row):
        images, caches = carry
        caches, row_maps = begin_row(variables, caches, images, labels, row)

        def body(carry, column):
            return draw_pixel(carry, column, row, row_maps)

        return lax.scan(body, (images, caches), jnp.arange(width))

    caches = model.caches(variables, images, labels)
    return lax.scan(draw_row, (images, caches), jnp.arange(height))[0][0]


def _key_of(key: Key[Array, ""], place: Any, images: Images) -> Key[Array, ""]:
    """Returns the key of a pixel and channel, by its place in raster order."""
    _, _, width, channels = images.shape
    row, column, channel = place
    return jax.random.fold_in(key, (row * width + column) * channels + channel)


def _draw_value(
    key: Key[Array, ""],
    logits: Float[Array, " image"] | Float[Array, "image level"],
    levels: int,
    temperature: float | Array,
) -> Float[Array, " image"]:
    """Draws a value in [-1, 1] for each image."""
    logits = logits / temperature
    if levels == 2:
        is_one = jax.random.uniform(key, logits.shape) < nn.sigmoid(logits)
        return jnp.where(is_one, 1.0, -1.0)
    return from_levels(jax.random.categorical(key, logits).astype(jnp.int32), levels)
