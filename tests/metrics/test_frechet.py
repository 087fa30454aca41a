import numpy as np
import pytest
import scipy.linalg

from lecture_models.metrics.frechet import (
    Gaussian,
    fit_gaussian,
    frechet_distance,
    gaussian_distance,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _random_covariance(rng, dimensions):
    factor = rng.normal(size=(dimensions, 2 * dimensions))
    return factor @ factor.T


def test_identical_features_have_no_distance(rng):
    features = rng.normal(size=(200, 20))
    assert 0.0 <= frechet_distance(features, features) < 1e-10


def test_mean_and_covariance_are_unbiased():
    gaussian = fit_gaussian(np.array([[0.0, 0.0], [2.0, 4.0]]))
    np.testing.assert_allclose(gaussian.mean, [1.0, 2.0])
    np.testing.assert_allclose(gaussian.covariance, [[2.0, 4.0], [4.0, 8.0]])


def test_independent_dimensions_follow_the_closed_form(rng):
    means, scales = rng.normal(size=(2, 6)), rng.uniform(0.1, 3.0, size=(2, 6))
    gaussians = [
        Gaussian(mean, np.diag(scale**2)) for mean, scale in zip(means, scales, strict=True)
    ]
    expected = ((means[0] - means[1]) ** 2 + (scales[0] - scales[1]) ** 2).sum()
    assert gaussian_distance(*gaussians) == pytest.approx(expected, rel=1e-12)


def test_a_shift_costs_its_squared_length(rng):
    features, shift = rng.normal(size=(100, 5)), np.array([1.0, -2.0, 0.0, 0.5, 3.0])
    assert frechet_distance(features, features + shift) == pytest.approx(shift @ shift, rel=1e-9)


def test_the_order_of_the_sets_does_not_matter(rng):
    a, b = rng.normal(size=(80, 7)), rng.gamma(2.0, size=(60, 7))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-10)


def test_a_rotation_of_both_sets_changes_nothing(rng):
    a, b = rng.normal(size=(80, 7)), rng.gamma(2.0, size=(60, 7))
    rotation, _ = np.linalg.qr(rng.normal(size=(7, 7)))
    expected = frechet_distance(a, b)
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(expected, rel=1e-10)


def test_scaling_the_features_scales_the_distance_by_the_square(rng):
    a, b = rng.normal(size=(80, 7)), rng.gamma(2.0, size=(60, 7))
    assert frechet_distance(3 * a, 3 * b) == pytest.approx(9 * frechet_distance(a, b), rel=1e-10)


def test_it_agrees_with_the_matrix_square_root(rng):
    a, b = (Gaussian(rng.normal(size=9), _random_covariance(rng, 9)) for _ in range(2))
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    expected = ((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance + b.covariance - 2 * root)
    assert gaussian_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_fewer_examples_than_dimensions_work(rng):
    features = rng.normal(size=(10, 84))
    assert frechet_distance(features, features) < 1e-5
    assert frechet_distance(features, features + 1.0) == pytest.approx(84.0, rel=1e-6)


def test_covariances_that_share_no_direction_add_up():
    a = Gaussian(np.zeros(2), np.diag([4.0, 0.0]))
    b = Gaussian(np.zeros(2), np.diag([0.0, 9.0]))
    assert gaussian_distance(a, b) == pytest.approx(13.0)


def test_single_precision_features_are_computed_in_double(rng):
    features = (rng.normal(size=(500, 4)) + 1000.0).astype(np.float32)
    expected = np.cov(features.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(fit_gaussian(features).covariance, expected, rtol=1e-10)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_examples_are_refused(count):
    with pytest.raises(ValueError, match=f"at least 2 examples; there are {count}"):
        fit_gaussian(np.zeros((count, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(value):
    features = np.zeros((5, 3))
    features[2] = value
    with pytest.raises(ValueError, match="1 of 5 examples are not"):
        fit_gaussian(features)


def test_features_of_different_dimension_are_refused():
    with pytest.raises(ValueError, match="3 and 4 dimensions"):
        frechet_distance(np.zeros((5, 3)), np.zeros((5, 4)))
