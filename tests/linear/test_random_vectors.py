import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from sklearn.random_projection import johnson_lindenstrauss_min_dim

from lecture_models.linear import random_vectors as rv


@pytest.mark.parametrize("dim", [2, 50])
@pytest.mark.parametrize("draw", [rv.draw_gaussian, rv.draw_on_sphere])
def test_cosines_have_the_deviation_and_the_distribution_of_theory(dim, draw):
    sample = rv.sample_cosines(jax.random.key(0), draw, dim, 3_000)
    assert sample.std() == pytest.approx(dim**-0.5, rel=0.05)
    assert np.abs(sample).mean() == pytest.approx(rv.expected_absolute_cosine(dim), rel=0.05)
    half = (dim - 1.0) / 2.0
    assert stats.kstest((sample + 1.0) / 2.0, stats.beta(half, half).cdf).pvalue > 0.01


def test_points_of_the_sphere_have_length_one():
    points = rv.draw_on_sphere(jax.random.key(1), (3_000, 2))
    np.testing.assert_allclose(jnp.linalg.norm(points, axis=1), 1.0, rtol=1e-5)


def test_cosines_of_known_angles():
    first = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]], np.float32)
    second = np.array([[1.0, 0.0], [5.0, 0.0], [1.0, 0.0]], np.float32)
    np.testing.assert_allclose(rv.cosines(first, second), [1.0, 0.5**0.5, 0.0], atol=1e-6)


def test_a_sample_in_chunks_has_as_many_pairs_as_asked_for():
    sample = rv.sample_cosines(jax.random.key(0), rv.draw_gaussian, 500_000, 5)
    assert sample.shape == (5,)
    assert np.abs(sample).max() < 0.01


@pytest.mark.parametrize("dim", [3, 10, 1_000])
def test_the_density_is_the_formula_and_adds_up_to_one(dim):
    places = np.linspace(-1.0, 1.0, 20_001)[1:-1]
    density = rv.cosine_density(places, dim)
    assert density.sum() * 1e-4 == pytest.approx(1.0, abs=2e-4)
    formula = (1.0 - places**2) ** ((dim - 3.0) / 2.0)
    np.testing.assert_allclose(density / density.max(), formula / formula.max(), rtol=1e-6)


def test_absolute_cosines_approach_the_limit():
    assert rv.expected_absolute_cosine(2) == pytest.approx(2.0 / np.pi)
    assert rv.expected_absolute_cosine(10_000) == pytest.approx(
        (2.0 / np.pi / 10_000) ** 0.5, rel=1e-4
    )


def test_p_values_of_the_plane_are_angles():
    assert rv.cosine_p_value(0.0, 2) == pytest.approx(1.0)
    assert rv.cosine_p_value(-np.cos(np.pi / 6.0), 2) == pytest.approx(1.0 / 3.0)
    assert rv.cosine_p_value(0.5, 1_000) < 1e-50


def test_as_many_directions_as_predicted_are_nearly_orthogonal():
    count = round(rv.nearly_orthogonal_count(200, 0.2))
    random = np.random.default_rng(0)

    def largest():
        points = random.normal(size=(count, 200))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        return np.abs(points @ points.T - np.eye(count)).max()

    assert np.mean([largest() < 0.2 for _ in range(400)]) == pytest.approx(0.5, abs=0.1)


def test_a_random_projection_hardly_distorts_distances():
    points = np.random.default_rng(0).normal(size=(60, 2_000)).astype(np.float32)
    dim = rv.johnson_lindenstrauss_dim(60, 0.5)
    assert dim == pytest.approx(johnson_lindenstrauss_min_dim(60, eps=0.5), abs=1)
    projected = np.asarray(rv.random_projection(jax.random.key(0), points, dim))
    ratios = [
        ((projected[i] - projected[j]) ** 2).sum() / ((points[i] - points[j]) ** 2).sum()
        for i in range(60)
        for j in range(i)
    ]
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.05)
    assert min(ratios) > 0.5
    assert max(ratios) < 1.5
