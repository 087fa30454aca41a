import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from lecture_models.image_space.optimizers import normalized_gradient
from lecture_models.image_space.regularizers import (
    blur_every,
    clip_small_contribution,
    clip_small_norm,
    gaussian_blur,
    with_rules,
)

GRAY = jnp.zeros(3)


def images():
    return jax.random.normal(jax.random.key(0), (2, 12, 10, 3))


def test_the_blur_is_the_gaussian_filter_of_scipy():
    x = images()
    expected = ndimage.gaussian_filter(
        np.asarray(x), (0.0, 1.3, 1.3, 0.0), mode="nearest", truncate=3.0
    )
    np.testing.assert_allclose(gaussian_blur(x, 1.3), expected, atol=2e-2)


def test_a_constant_image_stays_as_it_is():
    x = jnp.full((1, 7, 9, 3), 0.4)
    np.testing.assert_allclose(gaussian_blur(x, 2.0), x, rtol=1e-5)


def test_only_every_nth_update_blurs():
    rule, x = blur_every(3, 1.0), images()
    for count in (0, 1, 3):
        np.testing.assert_array_equal(rule(x, x, jnp.int32(count)), x)
    np.testing.assert_array_equal(rule(x, x, jnp.int32(2)), gaussian_blur(x, 1.0))


def test_the_faintest_fifth_of_the_pixels_goes_to_the_origin():
    x = images()
    clipped = clip_small_norm(0.2, GRAY)(x, x, jnp.int32(0))
    gone = np.asarray((clipped == 0.0).all(-1))
    assert gone.sum((1, 2)).tolist() == [24, 24]
    norm = np.linalg.norm(np.asarray(x), axis=-1)
    assert norm[gone].max() < norm[~gone].min() + 0.3
    np.testing.assert_array_equal(np.asarray(clipped)[~gone], np.asarray(x)[~gone])


def test_pixels_without_gradient_contribute_least():
    x = images()
    gradients = jnp.ones_like(x).at[:, :3].set(0.0)
    clipped = clip_small_contribution(0.25, GRAY)(x, gradients, jnp.int32(0))
    assert float(jnp.abs(clipped[:, 3:] - x[:, 3:]).max()) == 0.0
    none = clip_small_contribution(0.0, GRAY)(x, gradients, jnp.int32(0))
    np.testing.assert_array_equal(none, x)


def test_rules_follow_each_update_and_count_it():
    double = lambda x, gradients, count: x * (2.0 + count)  # noqa: E731
    plain = normalized_gradient(0.1)
    optimizer = with_rules(plain, [double])
    x = jnp.ones((1, 2, 2, 3))
    state = optimizer.init(x)
    x, state = optimizer.update(x, state, x, jnp.float32(0.0))
    np.testing.assert_allclose(x, 1.8, rtol=1e-6)
    x, state = optimizer.update(x, state, x, jnp.float32(0.0))
    np.testing.assert_allclose(x, 5.1, rtol=1e-5)
    np.testing.assert_array_equal(optimizer.accepted(x, state), x)
    assert with_rules(plain, []) is plain
