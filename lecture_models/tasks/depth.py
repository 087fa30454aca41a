"""Shows depths beside the true ones, and moves a photo by its depth."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, UInt8

from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Animation, DataTable, Images
from lecture_models.metrics.depth import DepthScores, depth_scores
from lecture_models.plots.heat import heat_colors

Pixels = UInt8[np.ndarray, "picture height width 3"]
Depths = Float[np.ndarray, "picture height width"]

# Eigen et al., 2014, table 1, and Laina et al., 2016, table 1, on the official split.
PUBLISHED = (
    ("Eigen et al., 2014 (official split, all pairs)", 0.215, 0.907, "", 61.1, 88.7, 97.1),
    ("Laina et al., 2016 (official split, all pairs)", 0.127, 0.573, 0.055, 81.1, 95.3, 98.8),
)
FARTHEST_ERROR = 2.0  # Meters; the color of larger errors is the same.
SWING = 0.04  # Share of the width by which the nearest point moves to each side.
FRAMES = 24


class MeanDepths(NamedTuple):
    """Holds what is known without looking at a picture: geometric means of the training depths."""

    number: float
    map: Float32[np.ndarray, "height width"]


def mean_depths(depths: Depths) -> MeanDepths:
    """Returns the geometric mean of all depths, and that of each place."""
    logarithms = np.log(depths)
    return MeanDepths(
        float(np.exp(logarithms.mean())), np.exp(logarithms.mean(axis=0)).astype(np.float32)
    )


def depth_table(scores: dict[str, DepthScores], caption: str, published: bool) -> DataTable:
    """Returns the measures of several predictions as a table, with those of papers at the end."""
    rows = [
        (name, score.abs_rel, score.rmse, score.log10, *(100.0 * share for share in score[3:6]))
        for name, score in scores.items()
    ]
    columns = ("depths", "abs-rel", "rmse, m", "log10", "< 1.25, %", "< 1.25^2, %", "< 1.25^3, %")
    return DataTable(columns, tuple(rows) + (PUBLISHED if published else ()), caption)


def compared(
    pixels: Pixels, predicted: Depths, truth: Depths, caption: str, order: np.ndarray
) -> Images:
    """Returns rows of photo, true depth, predicted depth, and their distance.

    Args:
        pixels: the photos.
        predicted: predicted depths in meters.
        truth: true ones.
        caption: the caption, to which the colors are added.
        order: the numbers of the shown pictures.
    """
    low, high = float(truth.min()), float(np.quantile(truth, 0.99))
    rows = []
    for number in order:
        error = np.abs(predicted[number] - truth[number])
        rows += [
            images_from_uint8(pixels[number : number + 1])[0],
            heat_colors(truth[number], low, high),
            heat_colors(predicted[number], low, high),
            heat_colors(error, 0.0, FARTHEST_ERROR, "magma"),
        ]
    colors = f"photo, true depth, ours ({low:.1f} m dark to {high:.1f} m bright), error up to 2 m"
    return Images(np.stack(rows), 4, f"{caption}: {colors}")


def picture_errors(predicted: Depths, truth: Depths) -> Float[np.ndarray, " picture"]:
    """Returns the mean relative error of each picture."""
    pairs = zip(predicted, truth, strict=True)
    return np.array([depth_scores(one[None], other[None]).abs_rel for one, other in pairs])


def parallax(
    pixels: UInt8[np.ndarray, "height width 3"],
    depths: Float[np.ndarray, "height width"],
    caption: str,
) -> Animation:
    """Returns a photo seen from a point that swings left and right, by the depth of each pixel.

    A point at depth d moves by a multiple of 1 / d. Each pixel of a frame shows what the photo has
    at its origin, which is found by two steps of a fixed-point iteration; nothing is invented
    behind the edges of near things, which are stretched.

    Args:
        pixels: the photo.
        depths: its depths.
        caption: the caption.
    """
    from scipy import ndimage

    height, width = depths.shape
    nearness = depths.min() / ndimage.gaussian_filter(depths, 1.0)
    nearness = nearness - nearness.mean()
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    image = images_from_uint8(pixels[None])[0]
    frames = []
    for frame in range(FRAMES):
        shift = SWING * width * np.sin(2.0 * np.pi * frame / FRAMES)
        origin = columns - shift * nearness
        for _ in range(2):
            places = [rows, origin]
            moved = ndimage.map_coordinates(nearness, places, order=1, mode="nearest")
            origin = columns - shift * moved
        frames.append(
            np.stack(
                [
                    ndimage.map_coordinates(channel, [rows, origin], order=1, mode="nearest")
                    for channel in np.moveaxis(image, -1, 0)
                ],
                axis=-1,
            )
        )
    return Animation(np.stack(frames).astype(np.float32), 0.08, caption)
