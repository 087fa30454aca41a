"""Places anchor boxes on a grid, and matches objects to them.

A box is (top, left, bottom, right) in any unit, see `nn.boxes`.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

from lecture_models.nn.boxes import area, decode, encode

Boxes = Float[Array, "*batch 4"]


NEARLY_BEST = 0.8  # Share of an object's best overlap from which on an anchor is for it, too.


class Matching(NamedTuple):
    """Says which object each anchor is for.

    Attributes:
        object: the number of the object that overlaps most.
        positive: whether the anchor is for that object.
        weight: 1 over the number of anchors of the same object, 0 for other anchors: large objects
            have many anchors, small ones few.
        background: how much it costs to see an object at an anchor that is for none: 1 far from
            every object, little near one; 0 for anchors that are for an object.
    """

    object: Int[Array, " anchor"]
    positive: Bool[Array, " anchor"]
    weight: Float[Array, " anchor"]
    background: Float[Array, " anchor"]


def grid_anchors(
    rows: int, columns: int, sizes: Float[np.ndarray, "size 2"]
) -> Float32[np.ndarray, "anchor 4"]:
    """Returns boxes of several sizes around the middle of each cell of a grid.

    Args:
        rows: the rows of the grid, which divides the picture.
        columns: its columns.
        sizes: heights and widths as shares of the picture's sides.

    Returns:
        Boxes as shares of the sides, row by row, and for each cell size by size. Ren et al., 2015,
        Faster R-CNN, section 3.1.1.
    """
    down, across = np.meshgrid(
        (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij"
    )
    centers = np.stack([down, across], axis=-1)[:, :, None]
    half = np.asarray(sizes)[None, None] / 2.0
    return np.concatenate([centers - half, centers + half], -1).reshape(-1, 4).astype(np.float32)


def pair_overlaps(
    first: Float[Array, "first 4"], second: Float[Array, "second 4"]
) -> Float[Array, "first second"]:
    """Returns the intersection over union of each box with each of other boxes.

    Args:
        first: boxes.
        second: other boxes, of any number.

    Returns:
        A matrix; 0 for a box without an area.
    """
    low = jnp.maximum(first[:, None, :2], second[None, :, :2])
    high = jnp.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = area(jnp.concatenate([low, high], axis=-1))
    together = area(first)[:, None] + area(second)[None] - shared
    return jnp.where(shared > 0.0, shared / jnp.where(together > 0.0, together, 1.0), 0.0)


def match(
    anchors: Float[Array, "anchor 4"],
    boxes: Float[Array, "object 4"],
    present: Bool[Array, " object"],
    nearly_best: float = NEARLY_BEST,
) -> Matching:
    """Returns which object each anchor is for.

    Each object has the anchor that overlaps it most, and those that overlap it nearly as much and
    no other object more. The other anchors are background, with the weight (1 - overlap)^4, as near
    the centers of Zhou et al., 2019: so the best anchor alone is sure of its object.

    Args:
        anchors: the anchors.
        boxes: the objects' boxes.
        present: False for boxes that only fill up a batch.
        nearly_best: the share of the largest intersection over union, from 0 to 1.

    Returns:
        The matching. The first rule is that of Ren et al., 2015, section 3.1.2.
    """
    overlaps = jnp.where(present[None], pair_overlaps(anchors, boxes), 0.0)
    nearest, best = overlaps.argmax(axis=1), overlaps.max(axis=1)
    # The anchor that overlaps each object most; absent objects write nowhere.
    own = jnp.where(present, overlaps.argmax(axis=0), len(anchors))
    objects = nearest.at[own].set(jnp.arange(len(boxes)), mode="drop")
    forced = jnp.zeros(len(anchors), bool).at[own].set(True, mode="drop")
    near = (best > 0.0) & (best >= nearly_best * overlaps.max(axis=0)[nearest])
    positive = forced | near
    counts = jnp.zeros(len(boxes)).at[objects].add(positive)
    weight = jnp.where(positive, 1.0 / jnp.maximum(counts[objects], 1.0), 0.0)
    return Matching(objects, positive, weight, jnp.where(positive, 0.0, (1.0 - best) ** 4))


def offsets_from(anchors: Boxes, boxes: Boxes) -> Boxes:
    """Returns what a network predicts in place of boxes: how they differ from their anchors.

    Args:
        anchors: the anchors.
        boxes: as many boxes.

    Returns:
        Moves of the center in units of the anchor's sides, and logarithms of the ratio of sides.
        `boxes_at` turns them back. Girshick et al., 2014, appendix C.
    """
    own, code = encode(anchors), encode(boxes)
    return jnp.concatenate(
        [(code[..., :2] - own[..., :2]) / jnp.exp(own[..., 2:]), code[..., 2:] - own[..., 2:]], -1
    )


def boxes_at(anchors: Boxes, offsets: Boxes) -> Boxes:
    """Returns the boxes that offsets from anchors describe.

    Args:
        anchors: the anchors.
        offsets: what `offsets_from` returns.

    Returns:
        The boxes.
    """
    own = encode(anchors)
    centers = own[..., :2] + offsets[..., :2] * jnp.exp(own[..., 2:])
    return decode(jnp.concatenate([centers, own[..., 2:] + offsets[..., 2:]], axis=-1))


def non_maximum_suppression(
    boxes: Float32[np.ndarray, "box 4"], scores: Float[np.ndarray, " box"], most: float = 0.5
) -> Int[np.ndarray, " kept"]:
    """Returns which boxes stay when those that overlap a better one are left out.

    Args:
        boxes: the boxes.
        scores: their scores; of equal ones the first box counts as better.
        most: the intersection over union above which the worse box is left out; 1 keeps all.

    Returns:
        The numbers of the kept boxes, the best first.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = box_overlaps(boxes[order], boxes[order])
    dropped = np.zeros(len(order), bool)
    for place in range(len(order)):
        if not dropped[place]:
            worse = overlaps[place] > most
            worse[: place + 1] = False
            dropped |= worse
    return order[~dropped]


def box_overlaps(
    first: Float[np.ndarray, "first 4"], second: Float[np.ndarray, "second 4"]
) -> Float[np.ndarray, "first second"]:
    """Returns what `pair_overlaps` does, in NumPy: a new number of boxes compiles nothing.

    Args:
        first: boxes.
        second: other boxes, of any number.

    Returns:
        A matrix; 0 for a box without an area.
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=-1)
    areas = [
        np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=-1) for boxes in (first, second)
    ]
    together = areas[0][:, None] + areas[1][None] - shared
    return np.where(shared > 0.0, shared / np.where(together > 0.0, together, 1.0), 0.0)


def size_clusters(
    sizes: Float[np.ndarray, "box 2"], count: int, rounds: int = 30
) -> Float[np.ndarray, "count 2"]:
    """Returns the sizes of anchors for boxes: k-means whose nearness is the overlap.

    Args:
        sizes: heights and widths of training boxes.
        count: how many sizes.
        rounds: how often means are taken.

    Returns:
        Sizes from the smallest to the largest area, or fewer of them if there are fewer different
        boxes. Redmon and Farhadi, 2017, YOLO9000, section 2.
    """
    areas = sizes.prod(axis=1)
    distinct = np.unique(sizes[np.argsort(areas)], axis=0)
    count = min(count, len(distinct))
    ordered = sizes[np.argsort(areas, kind="stable")]
    # Starts at sizes that are evenly spaced in the logarithm of the area.
    levels = np.linspace(np.log(areas.min()), np.log(areas.max()), count)
    nearest = np.abs(np.log(np.sort(areas))[None] - levels[:, None]).argmin(axis=1)
    centers = ordered[nearest].astype(np.float64)
    for _ in range(rounds):
        shared = np.minimum(sizes[:, None], centers[None]).prod(axis=2)
        overlap = shared / (areas[:, None] + centers.prod(axis=1)[None] - shared)
        member = overlap.argmax(axis=1)
        for number in range(count):
            if (member == number).any():
                centers[number] = sizes[member == number].mean(axis=0)
    return centers[np.argsort(centers.prod(axis=1))]


def covered_share(
    anchors: Float[np.ndarray, "anchor 4"], boxes: Float[np.ndarray, "object 4"], least: float = 0.5
) -> float:
    """Returns the share of boxes that some anchor overlaps by at least `least`.

    Args:
        anchors: the anchors.
        boxes: the boxes, at least one.
        least: the intersection over union.

    Returns:
        From 0 to 1: anchors that cover few objects leave the others to the forced matches.
    """
    return float((box_overlaps(anchors, boxes).max(axis=0) >= least).mean())
