"""Reads the source of a texture experiment and measures how much of it was copied."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Images
from lecture_models.image_space.patches import nearest_patch_distances

Pixels = Float32[np.ndarray, "height width 3"]
DEFAULT_TEXTURE = "gravel"


class Halves(NamedTuple):
    """Holds the two halves of a picture that was cut across its longer side.

    Attributes:
        source: the half that is imitated.
        held_out: the other half, which results are only compared with.
    """

    source: Pixels
    held_out: Pixels


def read_halves(library: Library, texture: str, side: int, smallest: int) -> Halves:
    """Reads a picture and cuts it into two halves.

    Args:
        library: where pictures are read.
        texture: a path or a sample name; "" for the default texture.
        side: pixels of the picture's longer side after resizing.
        smallest: the smallest side that a half may have, in pixels.

    Raises:
        DataError: a half is too small, or the source half has only one color.
    """
    picture = library.picture(texture or DEFAULT_TEXTURE, side, flag="--texture_size")
    pixels = images_from_uint8(picture.pixels[None])[0]
    height, width = pixels.shape[:2]
    if width < height:
        pixels = pixels.swapaxes(0, 1)
    half = pixels.shape[1] // 2
    halves = pixels[:, :half], pixels[:, -half:]
    if width < height:
        halves = tuple(half.swapaxes(0, 1) for half in halves)
    if min(halves[0].shape[:2]) < smallest:
        raise DataError(
            f"half of the texture is {halves[0].shape[1]}x{halves[0].shape[0]} at this "
            f"--texture_size; each side must be at least {smallest}"
        )
    if np.ptp(halves[0].reshape(-1, 3), axis=0).max() == 0.0:
        raise DataError(
            "the source half of the texture has only one color; there is nothing to imitate"
        )
    return Halves(*halves)


def judge_copying(image: Pixels, halves: Halves, side: int) -> Evaluation:
    """Measures the distance of an image's patches from the nearest patches of the source.

    Args:
        image: the synthesized texture.
        halves: the source, and the held-out half as the reference of something new.
        side: pixels of a square patch.

    Returns:
        `source_distance` of the image, the same of the held-out half, and their ratio
        `originality`: 0 for a collage of the source, 1 for an image as new as the held-out half.
    """
    made = nearest_patch_distances(image, halves.source, side).mean
    other = nearest_patch_distances(halves.held_out, halves.source, side).mean
    return {
        "source_distance": made,
        "source_distance_held_out": other,
        "originality": made / max(other, 1e-12),
    }


def show_halves(halves: Halves) -> Evaluation:
    """Returns both halves as images."""
    both = np.stack([halves.source, halves.held_out])
    return {"source": Images(both, 2, "the source half and the held-out half")}
