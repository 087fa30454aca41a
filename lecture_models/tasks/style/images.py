"""The pictures of a style transfer: read once, at the sizes of its stages."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.image_space.colors import gray, match_colors, match_luminance
from lecture_models.tasks.image_optimization import resized

Picture = Float[Array, "1 height width 3"]
Mask = Float[Array, "height width"]


class Style(NamedTuple):
    """One style picture at its full size; the masks are of the content and of the style picture.

    A mask is None where none was given.
    """

    picture: Picture
    share: float
    place: Mask | None
    part: Mask | None


def as_images(pixels: UInt8[np.ndarray, "height width 3"]) -> Picture:
    return jnp.asarray(images_from_uint8(pixels[None]))


def read_picture(library: Library, name: str, longer_side: int) -> Picture:
    return as_images(library.picture(name, longer_side).pixels)


def read_mask(library: Library, name: str, size: tuple[int, int]) -> Mask | None:
    """White where it counts, black where not; of any size, resized to (height, width), nearest.

    None for no name. Raises DataError where it is black all over.
    """
    if not name:
        return None
    levels = (gray(as_images(library.picture(name).pixels))[0, :, :, 0] + 1.0) / 2.0
    mask = jax.image.resize(levels, size, "nearest")
    if float(mask.max()) < 0.5:
        raise DataError(f"the mask {name} is black all over at {size[1]}x{size[0]}: nothing counts")
    return mask


def read_styles(
    library: Library,
    names: Sequence[str],
    mix: Sequence[float],
    longer_side: int,
    content: Picture,
    recolor: Callable[[Picture], Picture],
    content_masks: Sequence[str],
    style_masks: Sequence[str],
) -> tuple[Style, ...]:
    """One Style a name; a mask without a name is none."""
    styles = []
    for name, share, place, part in zip(names, mix, content_masks, style_masks, strict=True):
        picture = recolor(read_picture(library, name, longer_side))
        where = read_mask(library, place, content.shape[1:3])
        styles.append(Style(picture, share, where, read_mask(library, part, picture.shape[1:3])))
    return tuple(styles)


def shares(given: tuple[float, ...], count: int) -> tuple[float, ...]:
    """Of the styles, adding up to 1; equal ones where none are given."""
    given = given or (1.0,) * count
    return tuple(each / math.fsum(given) for each in given)


def scaled_size(picture: Picture, factor: float) -> tuple[int, int]:
    height, width = picture.shape[1:3]
    return max(1, round(height * factor)), max(1, round(width * factor))


def scaled(picture: Picture, factor: float) -> Picture:
    return resized(picture, scaled_size(picture, factor))


def scaled_mask(mask: Mask | None, size: tuple[int, int]) -> Mask | None:
    """To (row, column) of a map; places that are covered in part count in part."""
    return None if mask is None else jax.image.resize(mask, size, "linear")


def recolored(style: Picture, content: Picture, keep_colors: bool, match: bool) -> Picture:
    """The style with the content's luminance, with its colors, or as it is."""
    if keep_colors:
        return match_luminance(style, content)
    return match_colors(style, content) if match else style


def noise(key: Key[Array, ""], content: Picture, keep_colors: bool) -> Picture:
    """White noise; of the luminance alone where colors are to be kept."""
    drawn = jax.random.uniform(key, content.shape, minval=-1.0, maxval=1.0)
    return content + gray(drawn - content) if keep_colors else drawn
