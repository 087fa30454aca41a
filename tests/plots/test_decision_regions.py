import numpy as np
import pytest

from lecture_models.plots.decision_regions import decision_regions, plane_points

LOW, HIGH = (-1.0, -1.0), (1.0, 1.0)
BLUE, ORANGE = (31, 119, 180), (255, 127, 14)


def bytes_of(image):
    return np.rint((image + 1.0) * 127.5).astype(int)


def test_places_begin_at_the_top_left():
    places = plane_points(LOW, (3.0, 1.0), 3)
    assert places[0].tolist() == [-1.0, 1.0]
    assert places[2].tolist() == [3.0, 1.0]
    assert places[-3].tolist() == [-1.0, -1.0]


def test_regions_are_tinted_a_line_parts_them_and_dots_have_their_color():
    places = plane_points(LOW, HIGH, 101)
    points, labels = np.array([[-0.5, 0.5], [0.5, 0.5]]), np.array([0, 1])
    image = bytes_of(decision_regions(places[:, 0] > 0.0, points, labels, LOW, HIGH))
    assert image[25, 25].tolist() == list(BLUE)
    assert image[25, 75].tolist() == list(ORANGE)
    expected = [255 - 0.35 * (255 - value) for value in BLUE]
    np.testing.assert_allclose(image[90, 10], expected, atol=1)
    assert image[90].sum(-1).argmin() in (50, 51)


def test_a_marked_point_has_a_black_outline_and_points_outside_are_left_out():
    places = np.zeros(101 * 101, int)
    points, labels = np.array([[0.0, 0.0], [9.0, 9.0]]), np.array([0, 1])
    plain = bytes_of(decision_regions(places, points, labels, LOW, HIGH))
    marked = bytes_of(decision_regions(places, points, labels, LOW, HIGH, np.array([True, False])))
    assert (plain == 0).all(-1).sum() == 0
    assert (marked == 0).all(-1).sum() > 5
    assert not (plain == ORANGE).all(-1).any()


def test_places_must_fill_a_square():
    with pytest.raises(ValueError, match="there are 6 places"):
        decision_regions(np.zeros(6, int), np.zeros((1, 2)), np.zeros(1, int), LOW, HIGH)
