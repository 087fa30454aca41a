import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.gan import Discriminator, Generator
from lecture_models.models.latent import interpolate


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.slow
def test_the_papers_generator_has_as_many_parameters_as_its_code():
    """Checks 100-1200-1200-784, from the authors' mnist.yaml."""
    generator = Generator((1200, 1200), (28, 28, 1))
    params = generator.init(jax.random.key(0), jnp.zeros((1, 100)))
    assert count(params) == 101 * 1200 + 1201 * 1200 + 1201 * 784


@pytest.mark.slow
def test_the_papers_discriminator_has_as_many_parameters_as_its_code():
    """Checks 784-240-240-1 with five pieces each, from the authors' mnist.yaml."""
    discriminator = Discriminator((240, 240), pieces=5)
    params = discriminator.init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
    assert count(params) == 785 * 1200 + 241 * 1200 + 241


@pytest.mark.slow
def test_images_stay_within_one_and_minus_one():
    generator = Generator((16,), (4, 4, 3))
    latents = 100.0 * jax.random.normal(jax.random.key(1), (8, 5))
    images = generator.apply(generator.init(jax.random.key(0), latents), latents)
    assert images.shape == (8, 4, 4, 3)
    assert jnp.abs(images).max() <= 1.0


@pytest.mark.slow
def test_each_image_has_one_logit_of_its_own():
    discriminator = Discriminator((16,), pieces=2)
    images = jax.random.normal(jax.random.key(1), (4, 5, 5, 1))
    params = discriminator.init(jax.random.key(0), images)
    logits = discriminator.apply(params, images)
    assert logits.shape == (4,)
    alone = discriminator.apply(params, images[2:3])
    assert float(alone[0]) == pytest.approx(float(logits[2]), rel=1e-5)


def test_the_negative_side_of_a_leaky_rectifier_has_slope_a_fifth():
    discriminator = Discriminator((1,))
    one = {"kernel": jnp.ones((1, 1)), "bias": jnp.zeros(1)}
    images = jnp.array([-3.0, 2.0]).reshape(2, 1, 1, 1)
    logits = discriminator.apply({"params": {"Dense_0": one, "Dense_1": one}}, images)
    np.testing.assert_allclose(logits, [-0.6, 2.0], rtol=1e-6)


@pytest.mark.slow
def test_dropout_acts_in_training_alone():
    discriminator = Discriminator((64,), input_dropout=0.2, hidden_dropout=0.5)
    images = jnp.ones((2, 8, 8, 1))
    params = discriminator.init(jax.random.key(0), images)
    first, second = (
        discriminator.apply(params, images, training=True, rngs={"dropout": jax.random.key(i)})
        for i in (1, 2)
    )
    assert (first != second).any()
    assert (discriminator.apply(params, images) == discriminator.apply(params, images)).all()


@pytest.mark.slow
def test_a_walk_is_straight_from_its_first_to_its_last_latent():
    first, last = jnp.array([[0.0, 1.0], [5.0, 5.0]]), jnp.array([[2.0, 3.0], [5.0, 7.0]])
    walk = interpolate(first, last, 3).reshape(2, 3, 2)
    assert (walk[:, 0] == first).all()
    assert (walk[:, -1] == last).all()
    assert (walk[:, 1] == (first + last) / 2).all()
