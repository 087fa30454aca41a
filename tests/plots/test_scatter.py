import itertools

import numpy as np
import pytest
from PIL import ImageColor

from lecture_models.plots import scatter
from lecture_models.plots.class_colors import class_color
from lecture_models.plots.figure import SIDE, new_figure
from lecture_models.plots.png import tile
from lecture_models.plots.scatter import scatter_plot

CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])


def _bytes(image):
    return tile(image[None], 1)


def _positions(image, label):
    """Returns (row, column) of the pixels in exactly the color of a class."""
    return np.argwhere((_bytes(image) == ImageColor.getrgb(class_color(label))).all(-1))


def _below_the_legend(positions):
    return positions[positions[:, 0] > 30]


def test_a_plot_is_an_image_between_black_and_white():
    points = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    image = scatter_plot(points, np.arange(500) % 10, tuple("0123456789"))
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == np.float32
    assert image.min() >= -1.0
    assert image.max() == 1.0
    assert (image == 1.0).all(-1).mean() > 0.5


def test_the_first_coordinate_points_right_and_the_second_up():
    image = scatter_plot(CORNERS, np.arange(4), tuple("abcd"))
    places = [_below_the_legend(_positions(image, label)).mean(axis=0) for label in range(4)]
    (low_left, low_right, high_left, high_right) = np.array(places)
    np.testing.assert_allclose(low_right - low_left, [0, high_right[1] - high_left[1]], atol=1)
    np.testing.assert_allclose(high_left - low_left, [high_right[0] - low_right[0], 0], atol=1)
    assert low_right[1] > low_left[1]
    assert high_left[0] < low_left[0]


def test_both_axes_have_one_scale():
    image = scatter_plot(CORNERS * np.array([[1.0, 0.25]]), np.arange(4), tuple("abcd"))
    places = [_below_the_legend(_positions(image, label)).mean(axis=0) for label in range(4)]
    width, height = places[1][1] - places[0][1], places[0][0] - places[2][0]
    assert width / height == pytest.approx(4.0, rel=0.03)


def test_every_class_has_its_color_in_the_legend_and_the_thirteenth_the_first_again():
    one_dot = np.zeros((1, 2))
    names = tuple(f"{index}" for index in range(12))
    image = scatter_plot(one_dot, np.array([0]), names)
    assert all(len(_positions(image, label)) > 20 for label in range(12))
    thirteen = scatter_plot(one_dot, np.array([12]), (*names, "12"))
    dots = _below_the_legend(_positions(thirteen, 0))
    assert len(dots) > 5


def test_the_same_points_give_the_same_bytes():
    points = np.random.default_rng(0).normal(size=(300, 2))
    labels = np.arange(300) % 3
    first, second = (scatter_plot(points, labels, tuple("abc")) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_no_class_hides_another_that_lies_below_it():
    points = np.random.default_rng(0).normal(size=(20_000, 2)).astype(np.float32)
    image = scatter_plot(points, np.arange(20_000) // 10_000, ("first", "last"))
    first, last = (len(_positions(image, label)) for label in range(2))
    assert 0.8 < first / last < 1.25


def test_an_outlier_stands_at_the_edge_and_does_not_squeeze_the_others():
    points = np.random.default_rng(0).normal(size=(1_000, 2))
    labels = np.zeros(1_000, np.int32)
    alone = _positions(scatter_plot(points, labels, ("a", "b")), 0)
    points[0], labels[0] = [1e6, 0.0], 1
    image = scatter_plot(points, labels, ("a", "b"))
    edge = _below_the_legend(_positions(image, 1))
    assert edge[:, 1].min() > 0.9 * SIDE
    assert np.ptp(_positions(image, 0)[:, 1]) == pytest.approx(np.ptp(alone[:, 1]), abs=8)


def test_the_same_limits_put_a_point_in_the_same_place_in_two_plots():
    near, far = np.array([[0.5, 0.5], [0.1, 0.1]]), np.array([[0.5, 0.5], [70.0, 90.0]])
    places = [
        _below_the_legend(
            _positions(scatter_plot(points, np.arange(2), ("a", "b"), limits=(-4.0, 4.0)), 0)
        )
        for points in (near, far)
    ]
    np.testing.assert_array_equal(*places)


@pytest.mark.parametrize("scale", [1e-30, 3e-3, 1.0, 3e30])
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_points_of_every_size_are_shown_apart(scale, offset):
    image = scatter_plot(scale * (CORNERS + offset), np.arange(4), tuple("abcd"))
    places = np.array(
        [_below_the_legend(_positions(image, label)).mean(axis=0) for label in range(4)]
    )
    assert np.ptp(places[:, 0]) > 60
    assert np.ptp(places[:, 1]) > 60


@pytest.mark.parametrize("points", [np.zeros((1, 2)), np.full((5, 2), 3.0), np.full((2, 2), 1e20)])
def test_points_that_are_all_the_same_stand_in_the_middle(points):
    image = scatter_plot(points, np.zeros(len(points), np.int32), ("a",))
    dots = _below_the_legend(_positions(image, 0))
    assert len(dots) > 5
    np.testing.assert_allclose(dots.mean(axis=0), [SIDE / 2, SIDE / 2], atol=60)


def test_many_long_class_names_leave_two_thirds_to_the_points():
    names = tuple(f"a class with a long name, number {index}" for index in range(100))
    points = np.random.default_rng(0).normal(size=(2_000, 2))
    image = scatter_plot(points, np.zeros(2_000, np.int32), names)
    dots = _positions(image, 0)
    assert np.ptp(dots[dots[:, 0] > 150][:, 0]) > 0.6 * SIDE


def test_axis_names_and_a_title_are_drawn_outside_the_points():
    def drawn(**text):
        return scatter_plot(CORNERS, np.arange(4), tuple("abcd"), **text)

    changed = np.argwhere((drawn(axis_names=("a", "b")) != drawn(axis_names=("c", "d"))).any(-1))
    assert set(changed[changed[:, 0] < 0.9 * SIDE][:, 1] < 0.1 * SIDE) == {True}
    assert (changed[:, 0] > 0.9 * SIDE).any()
    changed = np.argwhere((drawn(title="first") != drawn(title="other")).any(-1))
    assert 30 < changed[:, 0].min() < changed[:, 0].max() < 80


def test_names_of_classes_are_plain_text_in_any_script():
    names = ("_hidden", "$x$", "$", "\N{CJK UNIFIED IDEOGRAPH-732B}")
    image = scatter_plot(np.zeros((1, 2)), np.array([0]), names)
    assert all(len(_positions(image, label)) > 20 for label in range(4))


def test_points_that_cannot_be_drawn_are_refused():
    points, labels = np.zeros((3, 2)), np.zeros(3, np.int32)
    with pytest.raises(ValueError, match=r"points have shape \(0, 2\); a scatter plot needs"):
        scatter_plot(points[:0], labels[:0], ("a",))
    with pytest.raises(ValueError, match=r"points have shape \(3, 5\)"):
        scatter_plot(np.zeros((3, 5)), labels, ("a",))
    with pytest.raises(ValueError, match="3 points and 2 labels"):
        scatter_plot(points, labels[:2], ("a",))
    with pytest.raises(ValueError, match="labels are from 0 to 2; with 2 classes .* from 0 to 1"):
        scatter_plot(points, np.arange(3), ("a", "b"))
    with pytest.raises(ValueError, match=r"limits are \(1.0, 1.0\); the first must be below"):
        scatter_plot(points, labels, ("a",), limits=(1.0, 1.0))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_points_that_are_not_finite_are_refused(broken):
    points = np.array([[0.0, 0.0], [1.0, broken]])
    with pytest.raises(ValueError, match="points must be finite; 1 of 2 are not"):
        scatter_plot(points, np.zeros(2, np.int32), ("a",))


def test_ticks_of_close_values_have_their_own_labels_without_an_offset(monkeypatch):
    figures = []
    monkeypatch.setattr(scatter, "new_figure", lambda: figures.append(new_figure()) or figures[0])
    scatter_plot(32.2612 + 1e-4 * CORNERS, np.arange(4), tuple("abcd"))
    (axes,) = figures[0].axes
    for axis in (axes.xaxis, axes.yaxis):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        assert axis.get_offset_text().get_text() == ""
        assert all(label.startswith("32.261") for label in labels)
        assert len(set(labels)) == len(labels) >= 2
    boxes = [label.get_window_extent() for label in axes.xaxis.get_ticklabels()]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
