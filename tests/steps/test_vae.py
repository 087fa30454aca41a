import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.losses.vae import importance_weighted_elbo
from lecture_models.models.autoencoder import DenseDecoder
from lecture_models.models.vae import GaussianEncoder
from lecture_models.nn.binarize import binarize
from lecture_models.steps.descent import init_train_state
from lecture_models.steps.vae import VAE, elbo_terms, log_weights, vae_step

ENCODER = GaussianEncoder((8,), 2)
DECODER = DenseDecoder((8,), (3, 3, 1))
MODEL = VAE(
    encode=lambda params, images: ENCODER.apply({"params": params["encoder"]}, images),
    decode=lambda params, latents: DECODER.apply({"params": params["decoder"]}, latents),
)
IMAGES = binarize(jax.random.key(9), jnp.zeros((6, 3, 3, 1)))


@pytest.fixture(scope="module")
def params():
    encoder_key, decoder_key = jax.random.split(jax.random.key(0))
    return {
        "encoder": ENCODER.init(encoder_key, IMAGES)["params"],
        "decoder": DECODER.init(decoder_key, jnp.zeros((1, 2)))["params"],
    }


def mean_negative_elbo(params, key):
    reconstruction, kl_divergence = elbo_terms(MODEL, params, IMAGES, key)
    return (reconstruction + kl_divergence.sum(-1)).mean()


def test_the_closed_form_elbo_is_the_mean_log_weight(params):
    keys = jax.random.split(jax.random.key(1), 2_000)
    closed = -jax.vmap(lambda key: mean_negative_elbo(params, key))(keys)
    sampled = log_weights(MODEL, params, IMAGES, jax.random.key(2), 5_000).mean(1)
    error = np.hypot(closed.std() / len(closed) ** 0.5, sampled.std() / len(sampled) ** 0.5)
    assert abs(float(closed.mean() - sampled.mean())) < 4.0 * error


def test_the_elbo_is_below_the_importance_weighted_ones_and_these_below_the_exact_likelihood(
    params,
):
    weights = log_weights(MODEL, params, IMAGES, jax.random.key(3), 50_000)
    elbos = [
        float(importance_weighted_elbo(weights.reshape(-1, k, 6).swapaxes(0, 1)).mean())
        for k in (1, 5, 50)
    ]
    assert elbos[0] < elbos[1] < elbos[2] < float(exact_log_likelihood(params).mean())


@pytest.mark.slow
def test_many_samples_reach_the_exact_likelihood(params):
    weights = log_weights(MODEL, params, IMAGES, jax.random.key(4), 50_000)
    found = importance_weighted_elbo(weights)
    np.testing.assert_allclose(found, exact_log_likelihood(params), atol=0.02)


def exact_log_likelihood(params):
    """Integrates over the two latents by quadrature."""
    axis = jnp.linspace(-6.0, 6.0, 241)
    latents = jnp.stack(jnp.meshgrid(axis, axis), -1).reshape(-1, 2)
    logits = MODEL.decode(params, latents).reshape(len(latents), -1)
    bits = IMAGES.reshape(6, -1)
    joint = jax.nn.log_sigmoid(logits[:, None, :] * bits[None, :, :]).sum(-1)
    prior = -0.5 * (latents**2).sum(-1) - jnp.log(2.0 * jnp.pi)
    return jax.nn.logsumexp(joint + prior[:, None], axis=0) + 2.0 * jnp.log(axis[1] - axis[0])


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_the_gradient_of_the_elbo_is_its_finite_difference(params, part):
    def loss(params):
        return mean_negative_elbo(params, jax.random.key(5))

    gradient = jax.grad(loss)(params)[part]["Dense_0"]["kernel"]

    def moved(distance):
        kernel = params[part]["Dense_0"]["kernel"].at[1, 2].add(distance)
        layers = params[part] | {"Dense_0": params[part]["Dense_0"] | {"kernel": kernel}}
        return float(loss(params | {part: layers}))

    assert (moved(1e-2) - moved(-1e-2)) / 2e-2 == pytest.approx(
        float(gradient[1, 2]), rel=0.02, abs=1e-4
    )


def objective(params, key, num_samples):
    """Writes out the loss of a step: Eq. 10 of Kingma and Welling, or Eq. 8 of Burda et al."""
    if num_samples > 1:
        weights = log_weights(MODEL, params, IMAGES, key, num_samples)
        return -jnp.log(jnp.exp(weights).mean(0)).mean()
    mean, log_variance = MODEL.encode(params, IMAGES)
    noise = jax.random.normal(key, mean.shape)
    logits = MODEL.decode(params, mean + jnp.exp(log_variance / 2.0) * noise)
    log_likelihood = jax.nn.log_sigmoid(logits * IMAGES).sum((1, 2, 3))
    divergence = 0.5 * (mean**2 + jnp.exp(log_variance) - log_variance - 1.0).sum(1)
    return (divergence - log_likelihood).mean()


@pytest.mark.parametrize("num_samples", [1, 5])
def test_a_step_goes_down_the_gradient_of_the_bound_of_its_samples(params, num_samples):
    optimizer = optax.sgd(1.0)
    state = init_train_state(optimizer, params)
    after, metrics = jax.jit(
        lambda state: vae_step(MODEL, optimizer, state, IMAGES, jax.random.key(8), num_samples)
    )(state)
    loss, gradient = jax.jit(
        jax.value_and_grad(lambda params: objective(params, jax.random.key(8), num_samples))
    )(params)
    assert float(metrics["loss"]) == pytest.approx(float(loss), rel=1e-5)
    moved = jax.tree.map(jnp.subtract, params, after.params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), moved, gradient)


@pytest.mark.parametrize("num_samples", [1, 5])
def test_the_elbo_rises_as_it_is_trained(params, num_samples):
    optimizer = optax.adam(1e-2)
    state = init_train_state(optimizer, params)
    step = jax.jit(lambda state, key: vae_step(MODEL, optimizer, state, IMAGES, key, num_samples))
    losses = []
    for index in range(300):
        state, metrics = step(state, jax.random.fold_in(jax.random.key(6), index))
        losses.append(float(metrics["loss"]))
    assert np.mean(losses[-50:]) < np.mean(losses[:50]) - 0.3


@pytest.mark.slow
def test_an_undecided_decoder_and_the_prior_as_posterior_lose_log_two_a_pixel(params):
    nothing = jax.tree.map(jnp.zeros_like, params)
    assert float(mean_negative_elbo(nothing, jax.random.key(7))) == pytest.approx(9 * np.log(2.0))
