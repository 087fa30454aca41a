import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.dataset import DataError, Split
from lecture_models.data.many_boxes import many_boxes_split
from lecture_models.metrics.detection import Found, average_precision
from lecture_models.nn.anchors import box_overlaps, offsets_from
from lecture_models.tasks.detection import (
    RARE,
    drawn_boxes,
    judged,
    make_detector,
    require_boxes,
    training_arrays,
    true_boxes,
)

BOXES = np.array([[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.9, 0.8]], np.float32)
SPLIT = many_boxes_split(
    np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3)).astype(np.uint8),
    [BOXES, BOXES[:1]],
    [np.array([1, 0]), np.array([2])],
)
CLASSES = ("cat", "dog", "duck")


@pytest.fixture(scope="module")
def detector():
    return make_detector(SPLIT, 8, 2, len(CLASSES))


def perfect_map(detector):
    """Returns the map of a network that knows the truth: each box at its nearest anchor."""
    maps = np.zeros((2, len(detector.anchors), len(CLASSES) + 4), np.float32)
    maps[..., : len(CLASSES)] = -20.0
    for number, one in enumerate(true_boxes(SPLIT)):
        nearest = box_overlaps(detector.anchors, one.boxes).argmax(axis=0)
        maps[number, nearest, one.labels] = 20.0
        offsets = offsets_from(jnp.asarray(detector.anchors[nearest]), jnp.asarray(one.boxes))
        maps[number, nearest, len(CLASSES) :] = np.asarray(offsets)
    return maps.reshape(2, 8, 8, -1)


def test_a_map_that_knows_the_truth_is_read_as_the_truth(detector):
    found = detector.found(perfect_map(detector), 0.5)
    np.testing.assert_allclose(average_precision(found, true_boxes(SPLIT), 3, (0.9,)), 1.0)
    assert [len(one.labels) for one in found] == [2, 1]


@pytest.mark.parametrize("axis", [1, 2])
def test_maps_of_flipped_pictures_find_the_same_boxes(detector, axis):
    maps = perfect_map(detector)
    flipped = detector.flipped(maps, axis)
    np.testing.assert_array_equal(detector.flipped(flipped, axis), maps)
    for one, other in zip(detector.found(maps, 0.5), detector.found(flipped, 0.5), strict=True):
        boxes = one.boxes.copy()
        boxes[:, axis - 1] = 1.0 - one.boxes[:, axis + 1]
        boxes[:, axis + 1] = 1.0 - one.boxes[:, axis - 1]
        order, same = np.argsort(boxes[:, 0]), np.argsort(other.boxes[:, 0])
        np.testing.assert_allclose(other.boxes[same], boxes[order], atol=1e-5)


def test_rare_classes_count_more():
    twice = many_boxes_split(
        np.zeros((1, 8, 8, 3), np.uint8), [np.tile(BOXES[:1], (5, 1))], [np.array([0, 0, 0, 0, 1])]
    )
    weights = make_detector(twice, 4, 1, 2).class_weights
    np.testing.assert_allclose(weights[1] / weights[0], 2.0, rtol=1e-6)


def test_an_undecided_map_finds_nothing(detector):
    maps = np.zeros((1, 8, 8, detector.outputs), np.float32)
    assert len(detector.found(maps, 0.5)[0].labels) == 0
    logits, boxes = detector.parted(jnp.asarray(maps))
    np.testing.assert_allclose(logits, -RARE)
    np.testing.assert_allclose(boxes[0], detector.anchors, atol=1e-6)


def test_the_truth_loses_less_than_another_map(detector):
    arrays = training_arrays(SPLIT, 1, np.random.default_rng(0), 1.0, 16, True)
    batch = {name: jnp.asarray(array) for name, array in arrays.items()}
    assert batch["box_labels"].tolist() == [[1, 0], [2, -1]]
    losses = jax.jit(detector.losses)
    right = losses(jnp.asarray(perfect_map(detector)), batch)
    wrong = losses(jnp.asarray(perfect_map(detector)[::-1]), batch)
    assert right["focal"].sum() < wrong["focal"].sum()
    assert right["box"].sum() < wrong["box"].sum()


def test_views_have_pictures_of_one_size_and_boxes_inside():
    arrays = training_arrays(SPLIT, 4, np.random.default_rng(0), 0.7, 16, True)
    assert arrays["images"].shape == (8, 16, 16, 3)
    real = arrays["boxes"][arrays["box_labels"] >= 0]
    assert real.min() >= 0.0
    assert real.max() <= 1.0
    assert (real[:, 2:] > real[:, :2]).all()


def test_boxes_are_right_wrong_or_missed():
    truth = true_boxes(SPLIT)[:1]
    shifted = BOXES[1:] + np.array([[0.0, 0.0, 0.02, 0.0]], np.float32)
    far = np.array([[0.0, 0.8, 0.1, 0.9]], np.float32)
    found = Found(np.concatenate([shifted, far]), np.array([0, 0]), np.array([0.9, 0.8]))
    kinds = judged([found], truth, 0.5, 3)[0]
    assert kinds.labels.tolist() == [0, 1, 2]
    np.testing.assert_allclose(kinds.boxes[2], BOXES[0])
    nothing = judged([found], truth, 0.95, 3)[0]
    assert nothing.labels.tolist() == [2, 2]


def test_boxes_are_drawn_in_pixels():
    shown = drawn_boxes(SPLIT["pixels"], true_boxes(SPLIT), CLASSES, 0.5, "", np.array([1]))
    (box,) = shown.boxes[0]
    assert box.label == "duck"
    np.testing.assert_allclose(box[:4], [2.4, 3.2, 7.2, 9.6], rtol=1e-6)


def test_data_without_boxes_are_refused():
    with pytest.raises(DataError, match="--dataset=x has no pictures with any number of boxes"):
        require_boxes(Split({"pixels": np.zeros((1, 2, 2, 3), np.uint8)}), "x")
