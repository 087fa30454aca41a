import numpy as np
import pytest

from lecture_models.evaluators.coco import coco_average_precision, has_pycocotools
from lecture_models.metrics.detection import (
    IOU_THRESHOLDS,
    Found,
    average_precision,
    count_errors,
    overlaps,
    precision_recall,
)

GENERATOR = np.random.default_rng(0)
CLASSES = 3


def scene(count):
    start = GENERATOR.uniform(0, 0.7, (count, 2))
    boxes = np.concatenate([start, start + GENERATOR.uniform(0.1, 0.3, (count, 2))], axis=1)
    return Found(boxes, GENERATOR.integers(CLASSES, size=count), np.ones(count))


TRUTH = [scene(count) for count in (4, 0, 7, 9, 3)]
NOTHING = [Found(one.boxes[:0], one.labels[:0], one.scores[:0]) for one in TRUTH]


def shaken(noise, extra):
    """Returns the true boxes moved a little, some of another class, with boxes at random places."""
    found = []
    for one in TRUTH:
        other = scene(extra)
        boxes = np.concatenate(
            [one.boxes + GENERATOR.normal(0, noise, one.boxes.shape), other.boxes]
        )
        labels = np.concatenate([one.labels, other.labels])
        wrong = GENERATOR.random(len(labels)) < 0.2
        labels = np.where(wrong, (labels + 1) % CLASSES, labels)
        found.append(Found(boxes, labels, GENERATOR.random(len(labels)).round(2)))
    return found


def test_perfect_boxes_have_an_average_precision_of_one():
    np.testing.assert_allclose(average_precision(TRUTH, TRUTH, CLASSES, IOU_THRESHOLDS), 1.0)


def test_no_boxes_have_none():
    np.testing.assert_allclose(average_precision(NOTHING, TRUTH, CLASSES, (0.5,)), 0.0)


def test_boxes_of_other_pictures_are_hardly_right():
    moved = [*TRUTH[1:], TRUTH[0]]
    assert average_precision(moved, TRUTH, CLASSES, IOU_THRESHOLDS).mean() < 0.2


def test_a_second_box_on_an_object_is_wrong():
    twice = [Found(*(np.concatenate([values, values]) for values in one)) for one in TRUTH]
    curve = precision_recall(twice, TRUTH, 0)
    assert curve.recall[-1] == 1.0
    assert curve.precision[-1] == 0.5
    assert count_errors(twice, TRUTH, 0, 0.5).sum() == sum((t.labels == 0).sum() for t in TRUTH)


def test_a_class_without_true_boxes_has_no_average():
    assert np.isnan(precision_recall(TRUTH, TRUTH, 7).average)


def test_wrong_boxes_after_all_right_ones_cost_nothing():
    found = [
        Found(
            np.concatenate([one.boxes, [[0.0, 0.0, 0.01, 0.01]]]),
            np.append(one.labels, 0),
            np.append(one.scores, 0.1),
        )
        for one in TRUTH
    ]
    assert precision_recall(found, TRUTH, 0).average == 1.0


def test_overlaps_by_hand_and_boxes_without_an_area():
    boxes = np.array([[0.0, 0.0, 1.0, 1.0]])
    assert overlaps(boxes, np.array([[0.0, 0.5, 1.0, 1.5]]))[0, 0] == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="has no area"):
        overlaps(boxes, np.zeros((1, 4)))


def test_lists_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="boxes of 4 pictures were found; 5 have true ones"):
        precision_recall(TRUTH[:4], TRUTH, 0)


@pytest.mark.skipif(not has_pycocotools(), reason="pycocotools is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("noise", "extra"), [(0.01, 0), (0.02, 5), (0.05, 20)])
def test_pycocotools_computes_the_same(noise, extra):
    found = shaken(noise, extra)
    half, mean = coco_average_precision(found, TRUTH, CLASSES)
    np.testing.assert_allclose(average_precision(found, TRUTH, CLASSES, (0.5,)), half, atol=1e-9)
    own = average_precision(found, TRUTH, CLASSES, IOU_THRESHOLDS)
    np.testing.assert_allclose(own, mean, atol=1e-9)


@pytest.mark.skipif(not has_pycocotools(), reason="pycocotools is not installed")
def test_pycocotools_takes_no_boxes():
    half, mean = coco_average_precision(NOTHING, TRUTH, CLASSES + 1)
    assert half.tolist() == mean.tolist() == [0.0, 0.0, 0.0, -1.0]
