import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.steps.denoising import AutoencoderPair, denoising_step
from lecture_models.steps.descent import init_train_state

OPTIMIZER = optax.sgd(0.1)
IMAGES = jax.random.uniform(jax.random.key(3), (6, 2, 2, 1), minval=-1.0)


def loss(params, inputs, targets):
    """Computes the loss of a network that scales its input."""
    return jnp.mean((params["scale"] * inputs - targets) ** 2)


def halve(key, images):
    return 0.5 * images


def add_noise(key, images):
    return images + jax.random.normal(key, images.shape)


@pytest.fixture
def state():
    net = init_train_state(OPTIMIZER, {"scale": jnp.float32(1.0)})
    return AutoencoderPair(net, net)


def test_the_noisy_input_is_compared_with_the_clean_image(state):
    power = float(jnp.mean(IMAGES**2))
    after, metrics = denoising_step(OPTIMIZER, halve, loss, state, IMAGES, jax.random.key(0))
    # The loss is power (scale / 2 - 1)^2: against the halved image it would be 0.
    assert float(metrics["denoising_loss"]) == pytest.approx(0.25 * power, rel=1e-5)
    expected = 1.0 + 0.1 * 0.5 * power
    assert float(after.denoising.params["scale"]) == pytest.approx(expected, rel=1e-5)


def test_the_plain_net_sees_no_noise(state):
    after, metrics = denoising_step(OPTIMIZER, halve, loss, state, IMAGES, jax.random.key(0))
    assert float(metrics["plain_loss"]) == 0.0
    assert float(after.plain.params["scale"]) == 1.0


def test_the_noise_is_new_for_another_key(state):
    losses = [
        denoising_step(OPTIMIZER, add_noise, loss, state, IMAGES, jax.random.key(seed))[1]
        for seed in (0, 0, 1)
    ]
    first, again, other = (float(each["denoising_loss"]) for each in losses)
    assert first == again != other


def test_each_net_learns_the_scale_that_undoes_its_noise(state):
    step = jax.jit(lambda state, key: denoising_step(OPTIMIZER, halve, loss, state, IMAGES, key))
    for index in range(300):
        state, _ = step(state, jax.random.key(index))
    np.testing.assert_allclose(state.denoising.params["scale"], 2.0, rtol=1e-2)
    np.testing.assert_allclose(state.plain.params["scale"], 1.0, rtol=1e-5)
