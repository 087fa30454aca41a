import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.gram import gram_loss, gram_matrix


@pytest.fixture
def features():
    """One image of 3x4 places and 5 channels, behind a rectifier."""
    return jnp.maximum(jax.random.normal(jax.random.key(0), (1, 3, 4, 5)), 0.0)


@pytest.fixture
def target():
    other = jnp.maximum(jax.random.normal(jax.random.key(1), (1, 3, 4, 5)), 0.0)
    return gram_matrix(other)[0]


def test_gram_of_two_places_by_hand():
    features = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 1, 2)
    np.testing.assert_array_equal(gram_matrix(features)[0], [[10.0, 14.0], [14.0, 20.0]])


def test_gram_forgets_where_things_are(features):
    rolled = jnp.roll(features, (1, 2), (1, 2))
    np.testing.assert_allclose(gram_matrix(rolled), gram_matrix(features), rtol=1e-6)


def test_each_image_has_its_own_gram(features):
    both = gram_matrix(jnp.concatenate([features, 2.0 * features]))
    np.testing.assert_allclose(both[1], 4.0 * both[0], rtol=1e-6)


def test_style_loss_is_the_printed_sum(features, target):
    (found,) = gram_loss(features, target)
    gram, n, m = np.asarray(gram_matrix(features)[0]), 5, 12
    expected = np.square(gram - np.asarray(target)).sum() / (4 * n**2 * m**2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_style_gradient_is_the_closed_form_of_the_paper(features, target):
    """dE/dF = F^T (G - A) / (N^2 M^2) where F > 0, else 0: eq. 6, through the rectifier."""
    before = jax.random.normal(jax.random.key(0), (1, 3, 4, 5))  # Whose rectified part it is.
    found = jax.grad(lambda x: gram_loss(jnp.maximum(x, 0.0), target).sum())(before)
    flat, n, m = np.asarray(features).reshape(12, 5), 5, 12
    gram = flat.T @ flat
    closed = flat @ (gram - np.asarray(target)) / (n**2 * m**2)
    closed = np.where(flat > 0.0, closed, 0.0).reshape(1, 3, 4, 5)
    np.testing.assert_allclose(found, closed, atol=1e-5 * np.abs(closed).max())


def test_a_picture_of_another_size_is_compared_place_by_place(features, target):
    same = gram_loss(features, target)
    twice = jnp.concatenate([features, features], 1)
    np.testing.assert_allclose(
        gram_loss(twice, target, target_places=jnp.asarray(12.0)), same, rtol=1e-5
    )


def test_a_mask_of_ones_changes_nothing(features, target):
    masked = gram_loss(features, target, jnp.ones((3, 4)))
    np.testing.assert_allclose(masked, gram_loss(features, target), rtol=1e-6)


def test_a_mask_that_hides_evenly_changes_nothing(features, target):
    """The places are counted with the squares by which the mask weighs products of features."""
    masked = gram_loss(features, target, jnp.full((3, 4), 0.5), jnp.asarray(12.0))
    np.testing.assert_allclose(masked, gram_loss(features, target), rtol=1e-5)


@pytest.mark.slow
def test_what_a_mask_hides_does_not_count(features):
    mask = jnp.zeros((3, 4)).at[0].set(1.0)
    cut = gram_matrix(features[:, :1])[0]
    np.testing.assert_allclose(gram_matrix(features, mask)[0], cut, rtol=1e-6)
    loss = gram_loss(features, cut, mask, jnp.asarray(4.0))
    np.testing.assert_allclose(loss, [0.0], atol=1e-10)
    gradient = jax.grad(lambda x: gram_loss(x, 0.0 * cut, mask).sum())(features)
    assert not gradient[:, 1:].any()
    assert gradient[:, 0].any()
