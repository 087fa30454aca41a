import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from lecture_models.models.latent import interpolate, manifold_grid, traverse


def test_a_walk_goes_evenly_from_its_first_latent_to_its_last():
    first, last = jnp.array([[0.0, 0.0], [1.0, 1.0]]), jnp.array([[2.0, 4.0], [1.0, -1.0]])
    walks = interpolate(first, last, 3)
    expected = [[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [1.0, 1.0], [1.0, 0.0], [1.0, -1.0]]
    np.testing.assert_allclose(walks, expected)


def test_neighbors_of_a_grid_differ_by_equal_prior_probability():
    grid = manifold_grid(5, latent_dim=2)
    assert grid.shape == (25, 2)
    np.testing.assert_allclose(
        norm.cdf(grid[:5, 0]), [0.05, 0.275, 0.5, 0.725, 0.95], rtol=0, atol=1e-6
    )


def test_a_grid_is_read_as_a_plot_first_to_the_right_second_upwards():
    rows = manifold_grid(3, latent_dim=2).reshape(3, 3, 2)
    low, high = norm.ppf([0.05, 0.95])
    np.testing.assert_allclose(rows[0, 0], [low, high], atol=1e-5)
    np.testing.assert_allclose(rows[0, 2], [high, high], atol=1e-5)
    np.testing.assert_allclose(rows[2, 0], [low, low], atol=1e-5)
    np.testing.assert_allclose(rows[1, 1], [0.0, 0.0], atol=1e-6)


def test_a_grid_leaves_all_other_dimensions_at_zero():
    grid = np.asarray(manifold_grid(4, latent_dim=6, dims=(4, 1)))
    assert (np.delete(grid, [4, 1], axis=1) == 0.0).all()
    np.testing.assert_array_equal(grid[:, [4, 1]], manifold_grid(4, latent_dim=2))


def test_a_grid_refuses_dimensions_that_are_not_two_of_the_latents():
    with pytest.raises(ValueError, match="no dimension 2;.*from 0 to 1"):
        manifold_grid(3, latent_dim=2, dims=(0, 2))
    with pytest.raises(ValueError, match="dimension -1"):
        manifold_grid(3, latent_dim=2, dims=(-1, 0))
    with pytest.raises(ValueError, match=r"dims is \(1, 1\); the two dimensions must differ"):
        manifold_grid(3, latent_dim=2, dims=(1, 1))
    with pytest.raises(ValueError, match="side is 1; it must be at least 2"):
        manifold_grid(1, latent_dim=2)


def test_a_traversal_changes_one_dimension_in_each_row():
    base = jnp.array([0.5, -0.5, 2.0])
    rows = traverse(base, (2, 0), (-3.0, 0.0, 3.0)).reshape(2, 3, 3)
    np.testing.assert_allclose(rows[0], [[0.5, -0.5, -3.0], [0.5, -0.5, 0.0], [0.5, -0.5, 3.0]])
    np.testing.assert_allclose(rows[1], [[-3.0, -0.5, 2.0], [0.0, -0.5, 2.0], [3.0, -0.5, 2.0]])


def test_a_traversal_through_its_own_value_passes_the_base():
    base = np.array([0.25, -1.5], np.float32)
    np.testing.assert_array_equal(traverse(base, np.arange(2), base)[0], base)


def test_a_traversal_refuses_a_dimension_that_does_not_exist():
    with pytest.raises(ValueError, match="no dimension 3;.*from 0 to 2"):
        traverse(jnp.zeros(3), (0, 3), (0.0,))
