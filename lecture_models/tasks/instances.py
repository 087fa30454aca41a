"""Separates touching objects: targets for a network, and instances from what it predicts."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Integer, UInt8

from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import AnnotatedImages
from lecture_models.metrics.instances import instance_scores, kinds_of_errors
from lecture_models.tasks.segmentation import otsu_masks

Instances = Integer[np.ndarray, "picture height width"]

SMOOTHING = 1.0  # Pixels; of predicted distances, which waver from pixel to pixel.
SMALLEST = 12  # Pixels of an object or of its seed.


class InstanceResults(NamedTuple):
    """Holds how well objects were found, as means over pictures.

    Attributes:
        half: right / (right + wrong + missed) at an intersection over union above 0.5.
        three_quarters: likewise 0.75.
        bowl: its mean over 0.5, 0.55, ..., 0.95.
        count_error: by how much the number of objects is wrong.
        missed: true objects of which nothing was found, of all pictures.
        merged: found objects that cover two or more true ones.
        split: true objects that were found in parts.
    """

    half: float
    three_quarters: float
    bowl: float
    count_error: float
    missed: int
    merged: int
    split: int


def stretched(
    pixels: UInt8[np.ndarray, "picture height width 3"],
) -> UInt8[np.ndarray, "picture height width 3"]:
    """Returns pictures in the full range of brightness: a microscope's exposure varies widely.

    Args:
        pixels: the pictures; the darkest 1% of each become black, the brightest 0.2% white.
    """
    if not len(pixels):
        return pixels
    low, high = np.percentile(pixels, (1.0, 99.8), axis=(1, 2, 3), keepdims=True)
    shares = (pixels - low) / np.maximum(high - low, 1.0)
    return np.rint(255.0 * np.clip(shares, 0.0, 1.0)).astype(np.uint8)


def edge_distances(masks: Instances) -> Float32[np.ndarray, "picture height width"]:
    """Returns how far inside its object each pixel is: 0 outside, 1 at the innermost pixel.

    Args:
        masks: the instances of each picture.
    """
    from scipy import ndimage

    distances = np.zeros(masks.shape, np.float32)
    for number, labels in enumerate(masks):
        for label, place in enumerate(ndimage.find_objects(labels), 1):
            if place is None:
                continue
            inside = np.pad(labels[place] == label, 1)
            inner = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
            own = inside[1:-1, 1:-1]
            distances[number][place][own] = (inner / inner.max())[own]
    return distances


def separated(
    inside: Float[np.ndarray, "height width"],
    distances: Float[np.ndarray, "height width"],
    peak: float,
) -> Integer[np.ndarray, "height width"]:
    """Returns instances by a watershed: each grows from a region that is far inside.

    Args:
        inside: log-odds that a pixel belongs to an object.
        distances: how far inside it is, see `edge_distances`.
        peak: the distance from which on a pixel belongs to a seed.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    mask = inside > 0.0
    distances = ndimage.gaussian_filter(distances, SMOOTHING)
    seeds, count = ndimage.label(mask & (distances >= peak))
    sizes = ndimage.sum_labels(np.ones(seeds.shape), seeds, np.arange(1, count + 1))
    seeds = np.where(np.isin(seeds, 1 + np.flatnonzero(sizes >= SMALLEST / 4)), seeds, 0)
    regions, _ = ndimage.label(mask)
    unseeded = mask & ~np.isin(regions, np.unique(regions[seeds > 0]))
    seeds = np.where(unseeded, count + regions, seeds)  # An object without a seed is its own.
    labels = watershed(-distances, seeds, mask=mask)
    return _renumbered(labels)


def _renumbered(labels: np.ndarray) -> np.ndarray:
    """Returns the objects of at least the smallest size as 1, 2, ..."""
    numbers, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    kept = (numbers > 0) & (counts >= SMALLEST)
    return np.where(kept, np.cumsum(kept), 0)[places].reshape(labels.shape)


def otsu_instances(
    pixels: UInt8[np.ndarray, "picture height width 3"], split: bool
) -> list[np.ndarray]:
    """Returns what a threshold finds: its connected parts, or those of a watershed.

    Args:
        pixels: pictures of bright objects.
        split: separates parts by their own distances from the edge.
    """
    from scipy import ndimage

    results = []
    for mask in otsu_masks(pixels):
        if split:
            distances = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 1.5)
            peaks = (distances == ndimage.maximum_filter(distances, 9)) & (mask > 0)
            results.append(_grown(mask, distances, peaks))
        else:
            results.append(_renumbered(ndimage.label(mask)[0]))
    return results


def _grown(mask: np.ndarray, distances: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    from scipy import ndimage
    from skimage.segmentation import watershed

    return _renumbered(watershed(-distances, ndimage.label(peaks)[0], mask=mask > 0))


def judge_instances(found: list[np.ndarray], truth: Instances) -> InstanceResults:
    """Returns how well the objects of all pictures were found."""
    pairs = list(zip(found, truth.astype(np.int64), strict=True))
    scores = np.stack([instance_scores(one, other) for one, other in pairs])
    errors = np.abs([int(one.max()) - int(other.max()) for one, other in pairs])
    kinds = np.sum([kinds_of_errors(one, other) for one, other in pairs], axis=0)
    means = scores.mean(axis=0)
    return InstanceResults(
        *(float(value) for value in (means[0], means[5], means.mean(), errors.mean())),
        *(int(value) for value in kinds),
    )


def drawn_instances(
    pixels: UInt8[np.ndarray, "picture height width 3"],
    found: list[np.ndarray],
    truth: Instances | None,
    caption: str,
    order: np.ndarray,
) -> AnnotatedImages:
    """Returns pictures with a color for each object; below the truth where it is known."""
    images, masks = [], []
    for number in order:
        image = images_from_uint8(pixels[number : number + 1])[0]
        bright = np.clip((image + 1.0) / max(float(image.max()) + 1.0, 1e-3), 0.0, 1.0)
        own = [found[number]] if truth is None else [truth[number], found[number]]
        images += [2.0 * bright - 1.0] * len(own)
        masks += [labels.astype(np.int32) for labels in own]
    return AnnotatedImages(
        np.stack(images).astype(np.float32), masks=np.stack(masks), columns=4, caption=caption
    )
