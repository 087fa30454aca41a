"""Reads and prepares the pictures and masks of a style transfer."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.image_space.colors import gray, match_colors, match_luminance
from lecture_models.tasks.canvas import extended
from lecture_models.tasks.image_optimization import resized
from lecture_models.tasks.pictures import Picture, as_images, opacity_of, read_picture

Mask = Float[Array, "height width"]

_STYLE_SIZE = "--style_scale times --size"  # The flags that give the size of the style pictures.


class Style(NamedTuple):
    """Holds one style picture with its masks.

    Attributes:
        picture: the style picture at its full size, in [-1, 1].
        share: the weight of this style; the shares of all styles add up to 1.
        content_mask: 1 where this style applies in the content, 0 elsewhere; None for everywhere.
        style_mask: 1 where the style picture counts, 0 elsewhere; None for everywhere.
    """

    picture: Picture
    share: float
    content_mask: Mask | None
    style_mask: Mask | None


def read_mask(library: Library, name: str, size: tuple[int, int]) -> Mask | None:
    """Reads a mask: white counts; black does not, nor does what is transparent.

    Args:
        library: where pictures are read.
        name: the path of a picture of the aspect ratio of `size`, or "" for no mask.
        size: (height, width) in pixels, to which the mask is resized by nearest neighbor.

    Returns:
        The mask with values in [0, 1], or None for no name.

    Raises:
        DataError: the mask has another aspect ratio, or no white part.
    """
    if not name:
        return None
    file = library.picture(name)
    levels = (gray(as_images(file.pixels))[0, :, :, 0] + 1.0) / 2.0
    opacity = opacity_of(file)
    if opacity is not None:
        # The picture was blended with white; this is what blending with black gives.
        levels = jnp.maximum(levels - (1.0 - opacity), 0.0)
    require_aspect(name, levels.shape, size)
    mask = jax.image.resize(levels, size, "nearest")
    if float(mask.max()) < 0.5:
        dark = "black everywhere" if opacity is None else "black or transparent everywhere"
        raise DataError(
            f"the mask {name} is {dark} at {size[1]}x{size[0]}; it must have a white part"
        )
    return mask


def require_aspect(name: str, mask: tuple[int, int], picture: tuple[int, int]) -> None:
    """Raises DataError unless a mask has the aspect ratio of its picture, up to rounding.

    Args:
        name: the path of the mask.
        mask: its (height, width) in pixels.
        picture: (height, width) of the picture as it is used, in pixels.
    """
    ratio = (mask[1] / mask[0]) / (picture[1] / picture[0])
    # Half a pixel of each side of each of the two may be lost by rounding.
    rounding = sum(0.5 / side for side in (*mask, *picture))
    if abs(math.log(ratio)) > 0.01 + rounding:
        raise DataError(
            f"the mask {name} is {mask[1]}x{mask[0]}, and its picture is used at "
            f"{picture[1]}x{picture[0]}; both must have one aspect ratio: crop the mask"
        )


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
    """Reads one Style per name.

    Args:
        library: where pictures are read.
        names: paths or sample names of the style pictures.
        mix: the share of each style.
        longer_side: pixels of the longer side of every style picture.
        content: the content picture, which gives the size of the content masks.
        recolor: a function that is applied to every style picture.
        content_masks: a mask's path for each style, "" for none.
        style_masks: a mask's path for each style, "" for none.

    Returns:
        The styles, in the order of their names.
    """
    styles = []
    paths = zip(names, mix, content_masks, style_masks, strict=True)
    for name, share, content_path, style_path in paths:
        picture = recolor(read_picture(library, name, longer_side, _STYLE_SIZE))
        content_mask = read_mask(library, content_path, content.shape[1:3])
        style_mask = read_mask(library, style_path, picture.shape[1:3])
        styles.append(Style(picture, share, content_mask, style_mask))
    return tuple(styles)


def shares(weights: tuple[float, ...], count: int) -> tuple[float, ...]:
    """Returns the weights of `count` styles scaled to add up to 1; equal ones for no weights."""
    weights = weights or (1.0,) * count
    return tuple(weight / math.fsum(weights) for weight in weights)


def scaled_size(picture: Picture, factor: float) -> tuple[int, int]:
    """Returns (height, width) in pixels of a picture scaled by `factor`; each is at least 1."""
    height, width = picture.shape[1:3]
    return max(1, round(height * factor)), max(1, round(width * factor))


def scaled(picture: Picture, factor: float) -> Picture:
    """Returns the picture with both sides scaled by `factor`."""
    return resized(picture, scaled_size(picture, factor))


def scaled_mask(mask: Mask | None, size: tuple[int, int]) -> Mask | None:
    """Resizes a mask to (rows, columns) of a feature map; partly covered cells count partly."""
    return None if mask is None else jax.image.resize(mask, size, "linear")


def extended_mask(mask: Mask | None, size: tuple[int, int], canvas: tuple[int, int]) -> Mask | None:
    """Returns a mask that covers a canvas, of which it covered the upper left part of `size`."""
    if mask is None or canvas == size:
        return mask
    whole = zip(mask.shape, canvas, size, strict=True)
    rows, columns = (round(length * wide / side) for length, wide, side in whole)
    return extended(mask[None, :, :, None], (rows, columns))[0, :, :, 0]


def recolored(style: Picture, content: Picture, keep_colors: bool, match: bool) -> Picture:
    """Returns the style with the content's luminance or color statistics, or unchanged."""
    if keep_colors:
        return match_luminance(style, content)
    return match_colors(style, content) if match else style


def noise(key: Key[Array, ""], content: Picture, keep_colors: bool) -> Picture:
    """Draws white noise in [-1, 1]; with `keep_colors`, noise in the content's luminance only."""
    drawn = jax.random.uniform(key, content.shape, minval=-1.0, maxval=1.0)
    return content + gray(drawn - content) if keep_colors else drawn
