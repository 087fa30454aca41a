"""Detects objects without a detector: a linear classifier looks at windows of a few sizes.

This is how objects were found before: Dalal and Triggs, 2005, on histograms of gradients; here on
small pictures of the windows.
"""

from typing import NamedTuple

import numpy as np

from lecture_models.data.dataset import Split
from lecture_models.data.joint_views import resized
from lecture_models.metrics.detection import Found
from lecture_models.nn.anchors import box_overlaps, non_maximum_suppression
from lecture_models.tasks.detection import true_boxes

LOOK = 10  # Pixels of a side at which a window is looked at.
STEP = 2  # Of these pixels from one window to the next.
EDGE = 2  # Of these pixels that a window may extend over the edge.
BACKGROUND = 8  # Windows without an object from each training picture.
LEAST, MOST = 0.05, 0.4  # Of the score that is kept; of the overlap of two windows.


class WindowClassifier(NamedTuple):
    """Holds the sizes of windows, one for each class, and a classifier of what they show."""

    sizes: np.ndarray
    classifier: object
    classes: int


def fit_windows(split: Split, classes: int, generator: np.random.Generator) -> WindowClassifier:
    """Returns a classifier of windows: the class of an object, or background."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    truth = true_boxes(split)
    boxes, labels = split["boxes"].values, split["box_labels"].values
    sides = boxes[:, 2:] - boxes[:, :2]
    sizes = np.stack(
        [
            np.median(sides[labels == label] if (labels == label).any() else sides, axis=0)
            for label in range(classes)
        ]
    )
    looks, kinds = [], []
    for pixels, one in zip(split["pixels"], truth, strict=True):
        for box, label in zip(one.boxes, one.labels, strict=True):
            looks.append(_look(pixels, box))
            kinds.append(label)
        size = sizes[generator.integers(classes, size=BACKGROUND)]
        start = generator.uniform(0.0, 1.0, (BACKGROUND, 2)) * (1.0 - size)
        windows = np.concatenate([start, start + size], axis=1).astype(np.float32)
        free = box_overlaps(windows, one.boxes).max(axis=1, initial=0.0) < 0.3
        looks += [_look(pixels, window) for window in windows[free]]
        kinds += [classes] * int(free.sum())
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, tol=1e-2, max_iter=1000))
    return WindowClassifier(sizes, model.fit(np.stack(looks), np.array(kinds)), classes)


def _look(pixels: np.ndarray, window: np.ndarray) -> np.ndarray:
    return resized(pixels, (LOOK, LOOK), window).astype(np.float32).ravel()


def find_windows(model: WindowClassifier, pixels: np.ndarray) -> list[Found]:
    """Returns for each picture the windows that show an object, the best at each place."""
    return [_found(model, picture) for picture in pixels]


def _found(model: WindowClassifier, pixels: np.ndarray) -> Found:
    boxes, scores, labels = [np.zeros((0, 4))], [np.zeros(0)], [np.zeros(0, np.int64)]
    for label in range(model.classes):
        known = list(model.classifier.classes_)
        if label not in known:
            continue
        windows, looks = _windows(pixels, model.sizes[label])
        own = model.classifier.predict_proba(looks)[:, known.index(label)]
        sure = np.flatnonzero(own >= LEAST)
        kept = sure[non_maximum_suppression(windows[sure], own[sure], MOST)]
        boxes.append(windows[kept])
        scores.append(own[kept])
        labels.append(np.full(len(kept), label))
    return Found(np.concatenate(boxes), np.concatenate(labels), np.concatenate(scores))


def _windows(pixels: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns all windows of a size, as boxes cut at the picture's edges, and what they show."""
    shape = np.maximum(np.rint(LOOK / size), LOOK).astype(int)
    small = resized(pixels, tuple(shape.tolist()))
    wide = np.pad(small, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(wide, (LOOK, LOOK), axis=(0, 1))
    views = views[::STEP, ::STEP].transpose(0, 1, 3, 4, 2)
    rows, columns = np.mgrid[: views.shape[0], : views.shape[1]]
    start = np.stack([rows, columns], axis=-1).reshape(-1, 2) * STEP - EDGE
    edges = np.concatenate([start / shape, (start + LOOK) / shape], axis=1)
    looks = views.reshape(len(edges), -1).astype(np.float32)
    return np.clip(edges, 0.0, 1.0).astype(np.float32), looks
