"""What the texture experiments share: a source, its held-out half, and what has been copied."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Images
from lecture_models.image_space.patches import copying

Pixels = Float32[np.ndarray, "height width 3"]
DEFAULT_TEXTURE = "gravel"


class Halves(NamedTuple):
    """A picture cut across its longer side: what is imitated, and what is only compared with."""

    source: Pixels
    held_out: Pixels


def read_halves(library: Library, texture: str, side: int, smallest: int) -> Halves:
    """Of the picture at `texture`, its longer side resized to `side`.

    Raises DataError where a half has a side below `smallest`, or the picture is of one color.
    """
    picture = library.picture(texture or DEFAULT_TEXTURE, side)
    pixels = images_from_uint8(picture.pixels[None])[0]
    height, width = pixels.shape[:2]
    if width < height:
        pixels = pixels.swapaxes(0, 1)
    half = pixels.shape[1] // 2
    halves = pixels[:, :half], pixels[:, -half:]
    if width < height:
        halves = tuple(each.swapaxes(0, 1) for each in halves)
    if min(halves[0].shape[:2]) < smallest:
        raise DataError(
            f"half of the texture is {halves[0].shape[0]}x{halves[0].shape[1]}; each side must be "
            f"at least {smallest}"
        )
    if np.ptp(halves[0].reshape(-1, 3), axis=0).max() == 0.0:
        raise DataError("the texture's source half is of one color: there is nothing to imitate")
    return Halves(*halves)


def judge_copying(image: Pixels, halves: Halves, side: int) -> Evaluation:
    """How far patches are from the nearest of the source: the image's, and the held-out half's."""
    made = copying(image, halves.source, side).mean
    other = copying(halves.held_out, halves.source, side).mean
    return {
        "source_distance": made,
        "source_distance_held_out": other,
        # 0 for a collage of the source, 1 for what is as new as the other half of the picture.
        "originality": made / max(other, 1e-12),
    }


def show_halves(halves: Halves) -> Evaluation:
    both = np.stack([halves.source, halves.held_out])
    return {"source": Images(both, 2, "the source, and the half that is held out")}
