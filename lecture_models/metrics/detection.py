"""Judges detected boxes by average precision, as the COCO challenge does.

`pycocotools` computes the same: a test compares them.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from lecture_models.nn.anchors import box_overlaps

IOU_THRESHOLDS = tuple(float(value) for value in np.linspace(0.5, 0.95, 10).round(2))
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_PER_PICTURE = 100


class Found(NamedTuple):
    """Holds the boxes that were found in one picture, or the true ones, whose scores are 1.

    Attributes:
        boxes: top, left, bottom and right, in any unit.
        labels: the class of each.
        scores: how sure each is.
    """

    boxes: Float[np.ndarray, "box 4"]
    labels: Int[np.ndarray, " box"]
    scores: Float[np.ndarray, " box"]


class Curve(NamedTuple):
    """Holds precision and recall of one class as the least score falls.

    Attributes:
        precision: the share of found boxes that are right.
        recall: the share of true boxes that were found.
        scores: the least score at each point.
        average: the average precision; NaN for a class without a true box.
    """

    precision: Float[np.ndarray, " point"]
    recall: Float[np.ndarray, " point"]
    scores: Float[np.ndarray, " point"]
    average: float


def overlaps(
    found: Float[np.ndarray, "found 4"], truth: Float[np.ndarray, "true 4"]
) -> Float[np.ndarray, "found true"]:
    """Returns the intersection over union of each found box with each true one.

    Args:
        found: boxes.
        truth: other boxes.

    Returns:
        A matrix.

    Raises:
        ValueError: a true box has no area.
    """
    sides = truth[:, 2:] - truth[:, :2]
    if (sides <= 0.0).any():
        raise ValueError(f"{truth[(sides <= 0.0).any(axis=1)][0].tolist()} has no area")
    return box_overlaps(found, truth)


def matched(
    found: Found, truth: Found, label: int, threshold: float
) -> tuple[Bool[np.ndarray, " found"], Float[np.ndarray, " found"]]:
    """Returns which found boxes of a class are right, the most sure first, and their scores.

    Each found box, the most sure first, takes the true box that it overlaps most among those that
    are still free, if by at least the threshold; a second box on one object is wrong.

    Args:
        found: the found boxes of a picture.
        truth: its true boxes.
        label: the class.
        threshold: the least intersection over union.

    Returns:
        Which are right, and the scores. Lin et al., 2014; Everingham et al., 2010, section 4.2.
    """
    chosen = np.flatnonzero(found.labels == label)
    chosen = chosen[np.argsort(-found.scores[chosen], kind="stable")][:MOST_PER_PICTURE]
    table = overlaps(found.boxes[chosen], truth.boxes[truth.labels == label])
    right, free = np.zeros(len(chosen), bool), np.ones(table.shape[1], bool)
    for place, row in enumerate(table):
        best = int(np.argmax(np.where(free, row, -1.0))) if free.any() else -1
        if best >= 0 and row[best] >= threshold:
            right[place], free[best] = True, False
    return right, found.scores[chosen]


def precision_recall(
    found: list[Found], truth: list[Found], label: int, threshold: float = 0.5
) -> Curve:
    """Returns precision and recall of one class over all pictures.

    Args:
        found: for each picture the found boxes.
        truth: for each picture the true boxes.
        label: the class.
        threshold: the least intersection over union of a right box.

    Returns:
        The curve. Its average precision is COCO's: the mean, over 101 levels of recall, of the
        largest precision at that recall or a higher one.

    Raises:
        ValueError: the numbers of pictures differ, or a true box has no area.
    """
    if len(found) != len(truth):
        raise ValueError(f"boxes of {len(found)} pictures were found; {len(truth)} have true ones")
    pairs = [matched(one, other, label, threshold) for one, other in zip(found, truth, strict=True)]
    right = np.concatenate([np.zeros(0, bool), *(pair[0] for pair in pairs)])
    scores = np.concatenate([np.zeros(0), *(pair[1] for pair in pairs)])
    order = np.argsort(-scores, kind="mergesort")
    hits = np.cumsum(right[order])
    total = sum(int((other.labels == label).sum()) for other in truth)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / max(total, 1)
    if not total:
        return Curve(precision, recall, scores[order], float("nan"))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS, side="left")
    levels = [best[place] if place < len(best) else 0.0 for place in places]
    return Curve(precision, recall, scores[order], float(np.mean(levels)))


def average_precision(
    found: list[Found], truth: list[Found], classes: int, thresholds: tuple[float, ...]
) -> Float[np.ndarray, " class"]:
    """Returns the average precision of each class, as a mean over thresholds.

    Args:
        found: for each picture the found boxes.
        truth: for each picture the true boxes.
        classes: the number of classes.
        thresholds: (0.5,) for AP@.5, `IOU_THRESHOLDS` for AP@[.5:.95].

    Returns:
        From 0 to 1; NaN for a class without a true box.
    """
    curves = [
        [precision_recall(found, truth, label, threshold).average for threshold in thresholds]
        for label in range(classes)
    ]
    return np.array(curves).mean(axis=1)


def count_errors(
    found: list[Found], truth: list[Found], label: int, least: float
) -> Int[np.ndarray, " picture"]:
    """Returns by how much the number of found objects of a class exceeds the true one.

    Args:
        found: for each picture the found boxes.
        truth: for each picture the true boxes.
        label: the class.
        least: the least score of a box that counts.

    Returns:
        One difference per picture.
    """
    counts = [
        int(((one.labels == label) & (one.scores >= least)).sum() - (other.labels == label).sum())
        for one, other in zip(found, truth, strict=True)
    ]
    return np.array(counts, np.int64)
