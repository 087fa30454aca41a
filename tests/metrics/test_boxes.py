import pytest

from lecture_models.metrics.boxes import Box, center_distance, intersection_over_union


def test_equal_boxes_overlap_wholly_and_distant_ones_not_at_all():
    box = Box(0.0, 0.0, 2.0, 4.0)
    assert intersection_over_union(box, box) == 1.0
    assert intersection_over_union(box, Box(5.0, 5.0, 6.0, 6.0)) == 0.0
    assert intersection_over_union(box, Box(1.0, 0.0, 3.0, 4.0)) == pytest.approx(1.0 / 3.0)


def test_centers_are_apart_by_a_right_triangle():
    assert center_distance(Box(0.0, 0.0, 2.0, 2.0), Box(3.0, 4.0, 5.0, 6.0)) == 5.0


def test_a_box_without_area_is_refused():
    with pytest.raises(ValueError, match="has no area"):
        intersection_over_union(Box(0.0, 0.0, 0.0, 1.0), Box(0.0, 0.0, 1.0, 1.0))
