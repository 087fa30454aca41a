"""Finds masks without a network, as baselines, and draws masks on pictures."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, UInt8

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import AnnotatedImages
from lecture_models.metrics.segmentation import mask_iou

Pixels = UInt8[np.ndarray, "picture height width 3"]
Masks = UInt8[np.ndarray, "picture height width"]

LEVELS = 16  # Of each color channel in a histogram.
SHARES = tuple(np.linspace(0.1, 0.9, 17).tolist())  # Thresholds to choose from.


class MaskBaselines(NamedTuple):
    """Holds the masks that are found without a network.

    Attributes:
        otsu: one threshold of the brightness of each picture, by Otsu, 1979.
        colors: the share of the object among training pixels of that color, above a threshold.
        places: the share of the object at that place of the training masks, above a threshold.
    """

    otsu: Masks
    colors: Masks
    places: Masks


def require_masks(split: Split, name: str) -> None:
    """Checks that a data set has pictures with masks.

    Raises:
        DataError: it has none.
    """
    if "masks" not in split.arrays or "pixels" not in split.arrays:
        raise DataError(f"--dataset={name} has no pictures with masks")


def mask_baselines(train: Split, validation: Split, pixels: Pixels) -> MaskBaselines:
    """Returns masks of pictures by thresholds, which are chosen on the validation pictures.

    Args:
        train: the pictures that are counted.
        validation: the pictures on which each threshold is chosen.
        pixels: the pictures whose masks are returned.
    """
    counts = _color_shares(train)
    places = train["masks"].mean(axis=0)

    def by_color(pictures: Pixels) -> np.ndarray:
        return counts[_color_index(pictures)]

    def by_place(pictures: Pixels) -> np.ndarray:
        return np.broadcast_to(places, pictures.shape[:3])

    brighter = otsu_masks(validation["pixels"])
    inverted = _fit(1 - brighter, validation) > _fit(brighter, validation)
    otsu = otsu_masks(pixels)
    found = []
    for shares in (by_color, by_place):
        known = shares(validation["pixels"])
        best = max(SHARES, key=lambda share, known=known: _fit(known > share, validation))
        found.append((shares(pixels) > best).astype(np.uint8))
    return MaskBaselines(1 - otsu if inverted else otsu, *found)


def otsu_masks(pixels: Pixels) -> Masks:
    """Returns 1 where a picture is brighter than its threshold by Otsu's method."""
    from skimage.filters import threshold_otsu

    gray = pixels.mean(axis=3)
    return np.stack(
        [
            (picture > threshold_otsu(picture)) if np.ptp(picture) else np.zeros(picture.shape)
            for picture in gray
        ]
    ).astype(np.uint8)


def _fit(masks: np.ndarray, split: Split) -> float:
    return float(mask_iou(masks.astype(np.uint8), split["masks"]).mean())


def _color_index(pixels: Pixels) -> np.ndarray:
    red, green, blue = np.moveaxis(pixels.astype(np.int64) * LEVELS // 256, -1, 0)
    return (red * LEVELS + green) * LEVELS + blue


def _color_shares(split: Split) -> Float64[np.ndarray, " color"]:
    """Returns for each color the share of its training pixels that belong to the object."""
    index, inside = _color_index(split["pixels"]).ravel(), split["masks"].ravel() > 0
    count = np.bincount(index, minlength=LEVELS**3)
    return (np.bincount(index[inside], minlength=LEVELS**3) + 0.5) / (count + 1.0)


def drawn_masks(
    pixels: Pixels, found: Masks, truth: Masks | None, caption: str, worst: bool = False
) -> AnnotatedImages:
    """Returns pictures with what was found; with a truth, hits, additions and misses differ.

    Args:
        pixels: the pictures.
        found: the masks that were found.
        truth: the true masks; None if they are not known.
        caption: the caption.
        worst: shows the pictures whose masks fit least, in place of the first ones.
    """
    chosen = np.arange(len(pixels))
    shown = found.astype(np.int32)
    if truth is not None:
        if worst:
            chosen = np.argsort(mask_iou(found, truth), kind="stable")
        # 1 where both are, 2 where it was found alone, 4 where it was missed.
        shown = np.where(truth > 0, np.where(found > 0, 1, 4), np.where(found > 0, 2, 0))
    chosen = chosen[:12]
    return AnnotatedImages(
        images_from_uint8(pixels[chosen]),
        masks=shown[chosen].astype(np.int32),
        columns=4,
        caption=caption,
    )
