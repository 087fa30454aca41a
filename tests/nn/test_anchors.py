import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.anchors import (
    box_overlaps,
    boxes_at,
    covered_share,
    grid_anchors,
    match,
    non_maximum_suppression,
    offsets_from,
    pair_overlaps,
    size_clusters,
)

GENERATOR = np.random.default_rng(0)
matched = jax.jit(match)  # One program for each shape, in place of one for each operation.


def random_boxes(count):
    start, size = GENERATOR.uniform(0, 0.6, (count, 2)), GENERATOR.uniform(0.05, 0.4, (count, 2))
    return np.concatenate([start, start + size], axis=1).astype(np.float32)


def test_anchors_stand_around_the_middle_of_each_cell():
    anchors = grid_anchors(2, 4, np.array([[0.5, 0.25], [0.1, 0.1]]))
    assert anchors.shape == (16, 4)
    np.testing.assert_allclose(anchors[0], [0.0, 0.0, 0.5, 0.25])
    np.testing.assert_allclose(anchors[15], [0.7, 0.825, 0.8, 0.925], rtol=1e-6)


def test_anchors_of_the_sizes_of_objects_cover_them():
    boxes = random_boxes(60)
    sizes = size_clusters(boxes[:, 2:] - boxes[:, :2], 9)
    assert covered_share(grid_anchors(32, 32, sizes), boxes) > 0.9
    assert covered_share(grid_anchors(32, 32, sizes), boxes, 0.1) == 1.0
    assert covered_share(grid_anchors(2, 2, sizes[:1]), boxes) < 1.0


def test_clusters_find_the_sizes_that_there_are():
    sizes = np.repeat([[0.1, 0.2], [0.5, 0.4]], 5, axis=0)
    np.testing.assert_allclose(size_clusters(sizes, 2), [[0.1, 0.2], [0.5, 0.4]])
    assert len(size_clusters(sizes, 5)) == 2


def test_boxes_come_back_from_their_offsets():
    boxes, anchors = jnp.asarray(random_boxes(20)), jnp.asarray(random_boxes(20))
    np.testing.assert_allclose(boxes_at(anchors, offsets_from(anchors, boxes)), boxes, atol=1e-5)
    np.testing.assert_allclose(offsets_from(boxes, boxes), 0.0, atol=1e-6)


def test_known_overlaps_of_pairs():
    first = jnp.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    second = jnp.array([[0.0, 0.5, 1.0, 1.5], [2.0, 2.0, 3.0, 3.0]])
    expected = [[1 / 3, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(pair_overlaps(first, second), expected, rtol=1e-6)
    in_numpy = box_overlaps(np.asarray(first), np.asarray(second))
    np.testing.assert_allclose(in_numpy, expected, rtol=1e-6)


def test_each_object_has_an_anchor_however_little_they_overlap():
    anchors = jnp.asarray(grid_anchors(4, 4, np.array([[0.25, 0.25]])))
    boxes = jnp.array([[0.0, 0.0, 0.25, 0.25], [0.55, 0.55, 0.6, 0.6], [0.0, 0.0, 1.0, 1.0]])
    found = matched(anchors, boxes, jnp.array([True, True, False]))
    assert found.positive.tolist() == [place in (0, 10) for place in range(16)]
    np.testing.assert_allclose(found.weight, found.positive)
    assert found.object[0] == 0
    assert found.object[10] == 1
    np.testing.assert_allclose(found.background[jnp.array([0, 5, 10])], [0.0, 1.0, 0.0])


def test_anchors_nearly_as_good_are_for_the_object_and_others_near_it_cost_little():
    widths = (1.0, 0.8, 0.7, 0.1)
    anchors = jnp.array([[0.0, 0.0, 1.0, width] for width in widths])
    found = matched(anchors, jnp.array([[0.0, 0.0, 1.0, 1.0]]), jnp.array([True]))
    assert found.positive.tolist() == [True, True, False, False]
    np.testing.assert_allclose(found.weight, [0.5, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(found.background, [0.0, 0.0, 0.3**4, 0.9**4], rtol=1e-5)


def test_a_picture_without_objects_is_all_background():
    anchors = jnp.asarray(grid_anchors(2, 2, np.array([[0.5, 0.5]])))
    found = matched(anchors, jnp.zeros((3, 4)), jnp.zeros(3, bool))
    assert not found.positive.any()
    np.testing.assert_allclose(found.background, 1.0)


def test_suppression_keeps_the_best_and_is_idempotent():
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [0, 2, 1, 3]], np.float32)
    scores = np.array([0.5, 0.9, 0.1])
    kept = non_maximum_suppression(boxes, scores)
    assert kept.tolist() == [1, 2]
    again = non_maximum_suppression(boxes[kept], scores[kept])
    assert again.tolist() == [0, 1]


def test_suppression_keeps_all_at_an_overlap_of_one_and_the_first_of_equals():
    boxes = np.tile(np.array([[0, 0, 1, 1]], np.float32), (3, 1))
    scores = np.full(3, 0.5)
    assert non_maximum_suppression(boxes, scores, 1.0).tolist() == [0, 1, 2]
    assert non_maximum_suppression(boxes, scores).tolist() == [0]
    assert non_maximum_suppression(boxes[:0], scores[:0]).tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_suppression_does_not_depend_on_the_order_of_different_scores(seed):
    boxes, scores = random_boxes(30), GENERATOR.permutation(30) / 30.0
    order = np.random.default_rng(seed).permutation(30)
    kept = set(non_maximum_suppression(boxes, scores).tolist())
    assert {
        int(order[place]) for place in non_maximum_suppression(boxes[order], scores[order])
    } == kept


def test_what_absent_objects_hold_changes_nothing():
    anchors = jnp.asarray(grid_anchors(4, 4, np.array([[0.25, 0.25]])))
    boxes = jnp.asarray(random_boxes(4))
    present = jnp.array([True, True, False, False])
    first = matched(anchors, boxes, present)
    second = matched(anchors, boxes.at[2:].set(boxes[0]), present)
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), first, second))
