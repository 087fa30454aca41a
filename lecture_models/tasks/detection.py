"""Turns the map of a network into boxes, and back: anchors, targets, and what is drawn."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.joint_views import Scene, random_view, resized
from lecture_models.data.pixels import images_from_uint8
from lecture_models.data.ragged import Ragged
from lecture_models.experiment import AnnotatedImages, LabeledBox
from lecture_models.losses.detection import box_loss, focal_loss
from lecture_models.metrics.detection import Found, matched
from lecture_models.nn.anchors import (
    boxes_at,
    grid_anchors,
    match,
    non_maximum_suppression,
    size_clusters,
)
from lecture_models.nn.boxes import generalized_iou

RARE = 4.6  # Log-odds against an object at an anchor before training: 1% (Lin et al., 2017, 4.1).
ALPHA = 0.5  # Objects and background count alike: background near objects counts little already.
FOCAL_WEIGHT = 2.0  # Beside 1 for the boxes.
LEAST_SCORE = 0.05  # Boxes of a smaller score are not kept.
MOST_CANDIDATES = 400  # Boxes of a picture before suppression.


class Detector(NamedTuple):
    """Says what the channels of a network's map mean.

    Attributes:
        anchors: boxes as shares of the sides, (row column size, 4).
        sizes: the number of anchors at each place.
        classes: the number of classes.
        class_weights: how much an object of each class counts in training.
    """

    anchors: Float32[np.ndarray, "anchor 4"]
    sizes: int
    classes: int
    class_weights: Float32[np.ndarray, " class"]

    @property
    def outputs(self) -> int:
        """Returns the channels of the map: for each anchor the classes and four offsets."""
        return self.sizes * (self.classes + 4)

    def parted(
        self, maps: Float[Array, "batch row column out"]
    ) -> tuple[Float[Array, "batch anchor class"], Float[Array, "batch anchor 4"]]:
        """Returns the logits and the boxes of all anchors."""
        flat = maps.reshape(len(maps), -1, self.classes + 4)
        anchors = jnp.broadcast_to(self.anchors[None], (len(maps), *self.anchors.shape))
        # An offset of the logarithm beyond 4 would be a box of 50 times the anchor.
        offsets = jnp.clip(flat[..., self.classes :], -4.0, 4.0)
        return flat[..., : self.classes] - RARE, boxes_at(anchors, offsets)

    def flipped(
        self, maps: Float32[np.ndarray, "picture row column out"], axis: int
    ) -> Float32[np.ndarray, "picture row column out"]:
        """Returns the maps of pictures from those of the pictures flipped along rows or columns.

        Args:
            maps: the maps of the flipped pictures.
            axis: 1 where top and bottom are exchanged, 2 for left and right.
        """
        shape = (*maps.shape[:3], self.sizes, self.classes + 4)
        result = np.flip(maps.reshape(shape), axis).copy()
        result[..., self.classes + axis - 1] *= -1.0  # The move of the center along this axis.
        return result.reshape(maps.shape)

    def losses(self, maps: Float[Array, "batch row column out"], batch) -> dict[str, Array]:
        """Returns the focal loss and the loss of the boxes, one for each picture."""
        logits, boxes = self.parted(maps)
        present = batch["box_labels"] >= 0
        matching = jax.vmap(match, (None, 0, 0))(jnp.asarray(self.anchors), batch["boxes"], present)

        def of_object(values):
            return jnp.take_along_axis(values, matching.object, axis=1)

        labels = jnp.where(matching.positive, of_object(batch["box_labels"]), -1)
        truth = jnp.take_along_axis(batch["boxes"], matching.object[..., None], axis=1)
        weights = matching.weight * jnp.asarray(self.class_weights)[labels]
        focal = focal_loss(logits, labels, weights, matching.background, ALPHA)
        return {
            "focal": FOCAL_WEIGHT * focal,
            "box": box_loss(generalized_iou(boxes, truth), weights),
        }

    def found(self, maps: Float32[np.ndarray, "picture row column out"], most: float):
        """Returns the boxes of each picture, without those that overlap a better one by `most`."""
        # One compiled program for any number of pictures would pad; so each picture is alone.
        part = jax.jit(self.parted)
        results = []
        for picture in maps:
            logits, boxes = (np.asarray(array)[0] for array in part(picture[None]))
            results.append(_kept(1.0 / (1.0 + np.exp(-logits)), np.clip(boxes, 0.0, 1.0), most))
        return results


def make_detector(split: Split, places: int, sizes: int, classes: int) -> Detector:
    """Returns a detector whose anchors have the sizes of training boxes, on places x places."""
    boxes, labels = split["boxes"].values, split["box_labels"].values
    clusters = size_clusters(boxes[:, 2:] - boxes[:, :2], sizes)
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights = np.sqrt(counts.mean() / counts).astype(np.float32)  # Rare classes count more.
    return Detector(grid_anchors(places, places, clusters), len(clusters), classes, weights)


def _kept(scores: np.ndarray, boxes: np.ndarray, most: float) -> Found:
    anchors, labels = np.nonzero(scores >= LEAST_SCORE)
    values = scores[anchors, labels]
    best = np.argsort(-values, kind="stable")[:MOST_CANDIDATES]
    anchors, labels, values = anchors[best], labels[best], values[best]
    kept = [
        np.flatnonzero(labels == label)[
            non_maximum_suppression(boxes[anchors[labels == label]], values[labels == label], most)
        ]
        for label in np.unique(labels)
    ]
    chosen = np.concatenate([np.zeros(0, np.int64), *kept])
    return Found(boxes[anchors[chosen]], labels[chosen], values[chosen])


def require_boxes(split: Split, name: str) -> None:
    """Checks that a data set has pictures with boxes of several classes.

    Raises:
        DataError: it has none.
    """
    if "box_labels" not in split.arrays:
        raise DataError(f"--dataset={name} has no pictures with any number of boxes")


def true_boxes(split: Split) -> list[Found]:
    """Returns the true boxes of each picture."""
    pairs = zip(
        (split["boxes"][number] for number in range(len(split))),
        (split["box_labels"][number] for number in range(len(split))),
        strict=True,
    )
    return [Found(boxes, labels, np.ones(len(boxes))) for boxes, labels in pairs]


def training_arrays(
    split: Split,
    views: int,
    generator: np.random.Generator,
    least: float,
    side: int,
    mirror: bool,
) -> dict[str, np.ndarray]:
    """Returns views of the pictures, squeezed, with padded boxes and labels of -1 for padding."""
    scenes = [
        Scene(pixels, one.boxes, one.labels)
        for pixels, one in zip(split["pixels"], true_boxes(split), strict=True)
    ]
    drawn = list(scenes)
    for _ in range(1, views):
        drawn += [random_view(scene, generator, least, mirror, mirror) for scene in scenes]
    most = max(1, *(len(scene.labels) for scene in drawn))
    boxes = Ragged.from_sequences([scene.boxes for scene in drawn], np.float32)
    labels = Ragged.from_sequences([scene.labels for scene in drawn], np.int32)
    return {
        "images": np.stack([resized(scene.pixels, (side, side)) for scene in drawn]),
        "features": np.zeros((len(drawn), 0), np.float16),
        "boxes": boxes.padded(most),
        "box_labels": labels.padded(most, -1),
    }


def drawn_boxes(
    pixels: UInt8[np.ndarray, "picture height width 3"],
    found: list[Found],
    classes: tuple[str, ...],
    least: float,
    caption: str,
    order: np.ndarray,
) -> AnnotatedImages:
    """Returns pictures with the boxes of at least a score."""
    height, width = pixels.shape[1:3]
    labels = []
    for number in order:
        one = found[number]
        shown = one.scores >= least
        rows = zip(one.boxes[shown], one.labels[shown], one.scores[shown], strict=True)
        labels.append(
            tuple(
                LabeledBox(
                    *(float(edge) for edge in box * [height, width, height, width]),
                    classes[label],
                    None if score == 1.0 else float(score),
                )
                for box, label, score in rows
            )
        )
    images = images_from_uint8(pixels[np.asarray(order)])
    return AnnotatedImages(images, tuple(labels), columns=3, caption=caption)


def judged(found: list[Found], truth: list[Found], least: float, classes: int) -> list[Found]:
    """Returns boxes in whose place of a class stands 0 for right, 1 for wrong and 2 for missed."""
    results = []
    for one, other in zip(found, truth, strict=True):
        sure = Found(*(values[one.scores >= least] for values in one))
        boxes, kinds = [np.zeros((0, 4))], [np.zeros(0, np.int64)]
        for label in range(classes):
            own = Found(*(values[sure.labels == label] for values in sure))
            own = Found(*(values[np.argsort(-own.scores, kind="stable")] for values in own))
            right, _ = matched(own, other, label, 0.5)
            boxes.append(own.boxes)
            kinds.append(np.where(right, 0, 1))
            missed = other.boxes[other.labels == label]
            back, _ = matched(
                Found(missed, np.full(len(missed), label), np.ones(len(missed))),
                Found(own.boxes[right], np.full(right.sum(), label), np.ones(right.sum())),
                label,
                0.5,
            )
            boxes.append(missed[~back])
            kinds.append(np.full((~back).sum(), 2))
        results.append(
            Found(np.concatenate(boxes), np.concatenate(kinds), np.ones(sum(map(len, kinds))))
        )
    return results
