import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.nn.binarize import binarize


def test_bits_are_unchanged():
    bits = jnp.array([-1.0, 1.0, 1.0, -1.0])
    for seed in range(20):
        assert binarize(jax.random.key(seed), bits).tolist() == bits.tolist()


def test_the_share_of_white_is_the_gray_value():
    grays = jnp.linspace(-1.0, 1.0, 9)
    drawn = binarize(jax.random.key(0), jnp.broadcast_to(grays, (50_000, 9)))
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    np.testing.assert_allclose(drawn.mean(0), grays, atol=0.02)


def test_another_key_draws_other_bits():
    gray = jnp.zeros((28, 28))
    first, second = (binarize(jax.random.key(seed), gray) for seed in (0, 1))
    assert 0.4 < float((first != second).mean()) < 0.6
