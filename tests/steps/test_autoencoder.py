import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.losses.reconstruction import bernoulli_cross_entropy, squared_error
from lecture_models.steps.autoencoder import Autoencoder, reconstruction_step
from lecture_models.steps.descent import init_train_state

IMAGES = jax.random.uniform(jax.random.key(0), (8, 2, 2, 1), minval=-1.0)
# One code unit, no bias, and a squashing that is its own.
AUTOENCODER = Autoencoder(
    encode=lambda params, images: images.reshape(-1, 4) @ params["up"],
    decode=lambda params, codes: (codes @ params["down"]).reshape(-1, 2, 2, 1),
    pixels=jnp.sin,
)
PARAMS = {"up": jnp.full((4, 1), 0.3), "down": jnp.full((1, 4), -0.2)}


def squared(logits, images):
    return squared_error(jnp.sin(logits), images)


def run(loss, num_steps, optimizer):
    state = init_train_state(optimizer, PARAMS)
    for _ in range(num_steps):
        state, metrics = reconstruction_step(AUTOENCODER, loss, optimizer, state, IMAGES)
    return state, metrics


@pytest.mark.slow
@pytest.mark.parametrize("loss", [squared, bernoulli_cross_entropy])
def test_a_step_follows_the_gradient_of_the_mean_loss(loss):
    state, _ = run(loss, 1, optax.sgd(0.1))

    def mean_loss(params):
        codes = IMAGES.reshape(8, 4) @ params["up"]
        return loss((codes @ params["down"]).reshape(8, 2, 2, 1), IMAGES).mean()

    gradient = jax.grad(mean_loss)(PARAMS)
    for name, before in PARAMS.items():
        np.testing.assert_allclose(
            state.params[name], before - 0.1 * gradient[name], rtol=1e-5, atol=1e-7
        )


@pytest.mark.parametrize("loss", [squared, bernoulli_cross_entropy])
def test_the_metric_is_the_error_before_the_step_whatever_is_descended(loss):
    _, metrics = run(loss, 1, optax.sgd(0.1))
    logits = AUTOENCODER.decode(PARAMS, AUTOENCODER.encode(PARAMS, IMAGES))
    differences = (np.sin(np.asarray(logits)) - np.asarray(IMAGES)) / 2.0
    expected = (differences**2).sum(axis=(1, 2, 3)).mean()
    assert set(metrics) == {"squared_error"}
    assert float(metrics["squared_error"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_many_steps_lower_the_error():
    optimizer = optax.adam(0.05)
    first, last = (float(run(squared, count, optimizer)[1]["squared_error"]) for count in (1, 60))
    assert last < 0.8 * first
