import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.image_space.optimizers import from_optax, normalized_gradient


def test_each_image_moves_by_the_rate_on_average_whatever_its_gradient():
    optimizer = normalized_gradient(1.5)
    params = jnp.zeros((2, 2, 2, 1))
    small = jnp.arange(1.0, 5.0).reshape(1, 2, 2, 1)
    gradients = jnp.concatenate([1e-6 * small, 1e3 * small])
    moved, _ = optimizer.update(gradients, optimizer.init(params), params, jnp.asarray(0.0))
    np.testing.assert_allclose(moved[0], moved[1], rtol=1e-5)
    np.testing.assert_allclose(jnp.abs(moved).mean((1, 2, 3)), [1.5, 1.5], rtol=1e-5)
    assert (moved < 0.0).all()


def test_without_a_gradient_an_image_stays():
    optimizer = normalized_gradient(1.5)
    params = jnp.ones((1, 2, 2, 1))
    moved, _ = optimizer.update(
        jnp.zeros_like(params), optimizer.init(params), params, jnp.asarray(0.0)
    )
    np.testing.assert_array_equal(moved, params)


def test_an_optax_transformation_descends():
    optimizer = from_optax(optax.sgd(0.25))
    params = jnp.array([2.0])
    moved, state = optimizer.update(jnp.array([4.0]), optimizer.init(params), params, 0.0)
    np.testing.assert_array_equal(moved, [1.0])
    np.testing.assert_array_equal(optimizer.accepted(moved, state), moved)
