"""Prepares pictures with one box each for a localizer, and draws what it found."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from lecture_models.data import joint_views
from lecture_models.data.dataset import Split
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import AnnotatedImages, LabeledBox
from lecture_models.metrics.boxes import Box
from lecture_models.metrics.boxes import intersection_over_union as overlap_of
from lecture_models.nn.boxes import intersection_over_union

Pixels = UInt8[np.ndarray, "picture side side 3"]
Boxes = Float32[np.ndarray, "picture 4"]

LEAST_CROP = 0.8  # Share of each side that an augmented view keeps at least.
LEAST_VISIBLE = 0.7  # Share of the box's sides that a view must show.
TRIES = 20


class BoxedPictures(NamedTuple):
    """Holds pictures, the boxes of their objects as shares of the sides, and their classes."""

    pixels: Pixels
    boxes: Boxes
    labels: Int[np.ndarray, " picture"]


def boxed(split: Split) -> BoxedPictures:
    """Returns the pictures of a split."""
    return BoxedPictures(split["pixels"], split["boxes"], split.labels)


def augmented(pictures: BoxedPictures, views: int, generator: np.random.Generator) -> BoxedPictures:
    """Returns each picture as it is, mirrored, and as random crops, with its box moved along.

    Args:
        pictures: the pictures.
        views: how many of each; 1 for the pictures alone.
        generator: draws the crops; every other view is mirrored.
    """
    parts = [pictures]
    for view in range(1, views):
        cropped = pictures if view == 1 else _cropped(pictures, generator)
        parts.append(mirrored(cropped) if view % 2 else cropped)
    return BoxedPictures(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def mirrored(pictures: BoxedPictures) -> BoxedPictures:
    """Returns pictures and boxes with left and right exchanged."""
    return _joined([joint_views.mirrored(scene) for scene in _scenes(pictures)], pictures.labels)


def _cropped(pictures: BoxedPictures, generator: np.random.Generator) -> BoxedPictures:
    parts = [
        joint_views.part_of(scene, _window(scene.boxes[0], generator), 0.0)
        for scene in _scenes(pictures)
    ]
    return _joined(parts, pictures.labels)


def _scenes(pictures: BoxedPictures) -> list[joint_views.Scene]:
    return [
        joint_views.Scene(pixels, box[None])
        for pixels, box in zip(pictures.pixels, pictures.boxes, strict=True)
    ]


def _joined(scenes: list[joint_views.Scene], labels: np.ndarray) -> BoxedPictures:
    pixels = np.stack([scene.pixels for scene in scenes])
    return BoxedPictures(pixels, np.concatenate([scene.boxes for scene in scenes]), labels)


def _window(box: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns a random part of a picture that shows most of a box; the whole one if none does."""
    sides = box[2:] - box[:2]
    for _ in range(TRIES):
        size = generator.uniform(LEAST_CROP, 1.0, 2)
        start = generator.uniform(0.0, 1.0 - size)
        window = np.concatenate([start, start + size])
        shown = np.minimum(box[2:], window[2:]) - np.maximum(box[:2], window[:2])
        if (shown >= LEAST_VISIBLE * sides).all():
            return window
    return np.array([0.0, 0.0, 1.0, 1.0])


def small_images(pixels: Pixels, side: int) -> Float32[np.ndarray, "picture small small 3"]:
    """Returns pictures at side x side pixels, in [-1, 1], the input of a net from scratch."""
    shape = (side, side, 3)
    shrink = jax.jit(lambda images: jax.image.resize(images, (len(images), *shape), "linear"))
    parts = np.array_split(pixels, -(-len(pixels) // 64)) if len(pixels) else []
    images = [np.asarray(shrink(jnp.asarray(images_from_uint8(part)))) for part in parts]
    return np.concatenate(images) if images else np.zeros((0, *shape), np.float32)


class Overlaps(NamedTuple):
    """Holds how well boxes fit.

    Attributes:
        mean: the mean intersection over union.
        found: the share of pictures with one above 0.5, in percent.
    """

    mean: float
    found: float


def overlaps(boxes: Float[np.ndarray, "picture 4"], truth: Boxes) -> Overlaps:
    """Returns how well boxes fit the true ones."""
    each = np.asarray(intersection_over_union(jnp.asarray(boxes, jnp.float32), jnp.asarray(truth)))
    return Overlaps(float(each.mean()), 100.0 * float((each > 0.5).mean()))


def heat_box(heat: Float[np.ndarray, "height width"], threshold: float) -> Float32[np.ndarray, "4"]:
    """Returns the box around the largest region where a map exceeds a share of its maximum.

    Zhou et al., 2016, section 3.2: a detector from a classifier's class activation map.

    Args:
        heat: the map, at least 0.
        threshold: the share, from 0 to 1.

    Returns:
        The box as shares of the sides; the whole picture for a map of zeros.
    """
    from scipy import ndimage

    regions, count = ndimage.label(heat > threshold * heat.max())
    if not count:
        return np.array([0.0, 0.0, 1.0, 1.0], np.float32)
    largest = 1 + np.argmax(np.bincount(regions.ravel())[1:])
    rows, columns = ndimage.find_objects((regions == largest).astype(np.int32))[0]
    height, width = heat.shape
    edges = (rows.start / height, columns.start / width, rows.stop / height, columns.stop / width)
    return np.array(edges, np.float32)


def drawn(
    pixels: Pixels,
    boxes: Float[np.ndarray, "picture 4"],
    names: list[str],
    truth: Boxes | None,
    caption: str,
    order: Callable[[np.ndarray], np.ndarray] = lambda scores: np.arange(len(scores)),
    count: int = 12,
) -> AnnotatedImages:
    """Returns pictures with the found box and the true one.

    Args:
        pixels: the pictures.
        boxes: the found boxes.
        names: the words beside each found box.
        truth: the true boxes; None if they are not known.
        caption: the caption.
        order: maps the overlaps of all pictures to the numbers of those that are shown first.
        count: how many are shown.
    """
    side = pixels.shape[1]
    found = [Box(*(float(edge) * side for edge in box)) for box in boxes]
    scores = np.ones(len(found))
    true = [None] * len(found)
    if truth is not None:
        true = [Box(*(float(edge) * side for edge in box)) for box in truth]
        scores = np.array([overlap_of(one, other) for one, other in zip(found, true, strict=True)])
    chosen = order(scores)[:count]
    labels = []
    for number in chosen:
        score = None if truth is None else float(scores[number])
        own = (LabeledBox(*found[number], names[number], score),)
        labels.append(own if truth is None else (LabeledBox(*true[number], "true"), *own))
    return AnnotatedImages(
        images_from_uint8(pixels[chosen]), tuple(labels), columns=4, caption=caption
    )
