"""Judges detected boxes by pycocotools, the program of the COCO challenge."""

import contextlib
import importlib.util
import io

import numpy as np

from lecture_models.metrics.detection import Found

SIDE = 1000.0  # Boxes are shares of the sides; areas of small objects are not told apart.


def has_pycocotools() -> bool:
    """Tells whether pycocotools is installed.

    Returns:
        False where `pip install 'lecture-models[vision]'` is needed.
    """
    return importlib.util.find_spec("pycocotools") is not None


def coco_average_precision(
    found: list[Found], truth: list[Found], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns AP@.5 and AP@[.5:.95] of each class, by pycocotools.

    Args:
        found: for each picture the found boxes, as shares of the sides.
        truth: for each picture the true boxes.
        classes: the number of classes.

    Returns:
        Two arrays with one value per class; -1 for a class without a true box.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # It prints its progress.
        known = COCO()
        known.dataset = {
            "info": {},
            "images": [{"id": number + 1} for number in range(len(truth))],
            # Numbers begin at 1: an annotation 0 would match nothing.
            "categories": [{"id": label + 1} for label in range(classes)],
            "annotations": [
                row | {"id": number + 1, "iscrowd": 0} for number, row in enumerate(_rows(truth))
            ],
        }
        known.createIndex()
        rows = _rows(found)
        if not rows:  # pycocotools cannot read an empty list.
            present = np.isin(np.arange(classes), np.concatenate([one.labels for one in truth]))
            return (np.where(present, 0.0, -1.0),) * 2
        evaluation = COCOeval(known, known.loadRes(rows), "bbox")
        evaluation.params.areaRng = [[0.0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    # Threshold, recall, class, area, most per picture: the last is 100.
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    return precision[0].mean(axis=0), precision.mean(axis=(0, 1))


def _rows(pictures: list[Found]) -> list[dict]:
    """Returns the boxes as pycocotools takes them: left, top, width, height."""
    rows = []
    for number, one in enumerate(pictures):
        for box, label, score in zip(one.boxes, one.labels, one.scores, strict=True):
            top, left, bottom, right = (SIDE * float(edge) for edge in box)
            width, height = right - left, bottom - top
            rows.append(
                {
                    "image_id": number + 1,
                    "category_id": int(label) + 1,
                    "bbox": [left, top, width, height],
                    "area": width * height,
                    "score": float(score),
                }
            )
    return rows
