import numpy as np
import pytest

from lecture_models.linear.feature_space import (
    span_coordinates,
    squared_distances,
    standardized,
)
from lecture_models.linear.pca import fit_pca, project, reconstruct

ROWS = np.random.default_rng(0).normal(size=(12, 40)).astype(np.float32) + 2.0


def test_the_distance_is_that_of_the_reconstruction():
    pca, others = fit_pca(ROWS, 4), ROWS[::-1] * 1.5
    errors = others - reconstruct(pca, project(pca, others))
    np.testing.assert_allclose(squared_distances(pca, others), (errors**2).sum(1), rtol=1e-4)


def test_light_has_no_effect_on_standardized_vectors_and_a_constant_becomes_0():
    np.testing.assert_allclose(standardized(3.0 * ROWS + 7.0), standardized(ROWS), atol=1e-5)
    assert (standardized(np.full((1, 9), 0.4, np.float32)) == 0.0).all()
    np.testing.assert_allclose(standardized(ROWS).std(axis=1), 1.0, rtol=1e-5)


def test_coordinates_in_the_span_keep_distances_and_codes():
    coordinates = span_coordinates(ROWS)
    assert coordinates.shape == (12, 11)
    full, few = (((rows[:, None] - rows[None]) ** 2).sum(-1) for rows in (ROWS, coordinates))
    np.testing.assert_allclose(few, full, rtol=1e-4, atol=1e-4)
    codes = [project(fit_pca(rows[:8], 3), rows) for rows in (ROWS, coordinates)]
    np.testing.assert_allclose(np.abs(codes[0]), np.abs(codes[1]), rtol=1e-3, atol=1e-3)


def test_a_vector_of_the_space_is_at_distance_0():
    pca = fit_pca(ROWS, 11)
    assert squared_distances(pca, ROWS).max() == pytest.approx(0.0, abs=1e-3)
