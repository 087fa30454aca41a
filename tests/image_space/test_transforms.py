import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.transforms import (
    compose,
    identity,
    jitter,
    pad,
    random_placement,
    random_rotation,
    random_scale,
)


def images(height=12, width=9, seed=0):
    return jax.random.uniform(jax.random.key(seed), (2, height, width, 3), minval=-1, maxval=1)


def wave(side=41):
    """Smooth, so that sampling between pixels is nearly exact."""
    rows, columns = np.meshgrid(*[np.linspace(-1.0, 1.0, side)] * 2, indexing="ij")
    plane = np.cos(2.0 * rows) * np.sin(1.5 * columns)
    return jnp.asarray(np.repeat(plane[None, :, :, None], 3, -1), jnp.float32)


def test_jitter_moves_every_pixel_and_loses_none():
    x = images()
    moved = jitter(4)(jax.random.key(1), x)
    assert moved.shape == x.shape
    np.testing.assert_array_equal(jnp.sort(moved.ravel()), jnp.sort(x.ravel()))


@pytest.mark.slow
def test_jitter_reaches_all_shifts_and_none_beyond():
    x = jnp.zeros((1, 11, 11, 3)).at[0, 5, 5].set(1.0)
    found = set()
    for seed in range(80):
        row, column = np.argwhere(jitter(1)(jax.random.key(seed), x)[0, :, :, 0])[0]
        found.add((int(row) - 5, int(column) - 5))
    assert found == {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}


def test_no_jitter_is_no_change():
    np.testing.assert_array_equal(jitter(0)(jax.random.key(0), images()), images())


def test_the_gradient_through_jitter_comes_back_to_its_place():
    """So a step on the rolled image, rolled back, is a step on the image, as on the slide."""
    key, weights = jax.random.key(5), images(seed=3)
    gradient = jax.grad(lambda x: (jitter(3)(key, x) * weights).sum())(images())
    np.testing.assert_allclose(jitter(3)(jax.random.key(5), gradient), weights, rtol=1e-6)


def test_a_scale_of_one_and_an_angle_of_nought_change_nothing():
    x = images()
    np.testing.assert_allclose(random_scale(1.0, 1.0)(jax.random.key(0), x), x, atol=1e-5)
    np.testing.assert_allclose(random_rotation(0.0)(jax.random.key(0), x), x, atol=1e-5)


def test_a_scale_of_two_shows_the_middle_twice_as_large():
    x = wave()
    large = random_scale(2.0, 2.0)(jax.random.key(0), x)
    np.testing.assert_allclose(large[:, ::2, ::2], x[:, 10:31, 10:31], atol=1e-5)


def test_a_smaller_scale_leaves_gray_around():
    small = random_scale(0.5, 0.5)(jax.random.key(0), jnp.ones((1, 20, 20, 3)))
    assert float(jnp.abs(small[:, :4]).max()) == 0.0
    np.testing.assert_allclose(small[:, 6:14, 6:14], 1.0, rtol=1e-6)


def test_rotation_keeps_the_center_and_the_mean_nearby():
    x = wave()
    turned = random_rotation(20.0)(jax.random.key(2), x)
    np.testing.assert_allclose(turned[:, 20, 20], x[:, 20, 20], atol=1e-5)
    assert float(jnp.abs(turned - x).max()) > 0.05


def test_rotation_does_not_depend_on_which_side_is_up():
    x, key = wave(), jax.random.key(4)
    turned = random_rotation(15.0)(key, jnp.rot90(x, axes=(1, 2)))
    upright = random_rotation(15.0)(jax.random.clone(key), x)
    np.testing.assert_allclose(turned, jnp.rot90(upright, axes=(1, 2)), atol=1e-5)


def test_padding_surrounds_by_one_gray():
    padded = pad(3, 0.5)(jax.random.key(0), images())
    assert padded.shape == (2, 18, 15, 3)
    np.testing.assert_array_equal(padded[:, 3:-3, 3:-3], images())
    np.testing.assert_array_equal(padded[:, :3], 0.5)


def test_transforms_follow_one_another_with_keys_of_their_own():
    key, x = jax.random.key(7), images()
    both = compose(jitter(3), jitter(3))(key, x)
    first, second = jax.random.split(jax.random.clone(key))
    np.testing.assert_array_equal(both, jitter(3)(second, jitter(3)(first, x)))


def test_a_placement_of_zeros_is_no_change():
    assert random_placement(0, 0.0, 0.0) is identity


def test_a_placement_shifts_then_rotates():
    both = compose(jitter(3), random_rotation(20.0))
    found = random_placement(3, 0.0, 20.0)(jax.random.key(5), images())
    np.testing.assert_array_equal(found, both(jax.random.key(5), images()))


def test_nothing_composed_is_the_identity():
    assert compose() is identity
    np.testing.assert_array_equal(identity(jax.random.key(0), images()), images())


@pytest.mark.parametrize("transform", [jitter(2), random_scale(0.8, 1.2), random_rotation(15.0)])
def test_a_transform_is_the_same_for_the_same_key_and_keeps_the_range(transform):
    x = images()
    one, two = (transform(jax.random.key(9), x) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert float(jnp.abs(one).max()) <= 1.0 + 1e-6
