import numpy as np
import pytest

from lecture_models.linear import histogram_density as hd

POINTS = np.random.default_rng(0).normal(size=(500, 2))


def test_the_density_adds_up_to_one():
    histogram = hd.fit_plane_histogram(POINTS, 7)
    assert histogram.density.sum() * histogram.extent.prod() / 49 == pytest.approx(1.0)


def test_a_cell_has_its_share_of_the_points():
    points = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 1.0], [0.0, 0.1]])
    histogram = hd.fit_plane_histogram(points, 2, 0.0)
    np.testing.assert_allclose(np.diag(histogram.density) * 0.36, [0.75, 0.25])
    found = np.exp(hd.histogram_log_density(histogram, np.array([[0.05, 0.02], [0.9, 0.9]])))
    np.testing.assert_allclose(found * 0.36, [0.75, 0.25])


def test_a_point_outside_has_the_lowest_density():
    histogram = hd.fit_plane_histogram(POINTS, 7)
    far = hd.histogram_log_density(histogram, np.array([[99.0, 0.0], [0.0, -99.0]]))
    np.testing.assert_allclose(far, np.log(histogram.density.min()))


def test_points_on_a_line_are_refused():
    with pytest.raises(ValueError, match="one coordinate in common"):
        hd.fit_plane_histogram(np.array([[1.0, 2.0], [1.0, 3.0]]), 4)
