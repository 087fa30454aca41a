"""Tests what vae_mnist and conv_vae_mnist add to the parts that they compose."""

import dataclasses
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import conv_vae_mnist, vae_mnist
from lecture_models.data.lookup import Library
from lecture_models.evaluators.vae import (
    Posteriors,
    binarized,
    describe_posteriors,
    evenly_spaced,
)
from lecture_models.steps.descent import TrainState

SMOKE = vae_mnist.Config(**vae_mnist.SMOKE)
CONV_SMOKE = conv_vae_mnist.Config(**conv_vae_mnist.SMOKE)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("data"), print)


def first_batches(config, library):
    experiment = vae_mnist.build(config, library)
    return next(experiment.batches(0))["images"]


def test_the_published_schedule_is_eight_rates_over_3280_epochs():
    paper = vae_mnist.Config(**vae_mnist.PAPER)
    assert paper.num_steps == sum(3**i for i in range(8)) * 60_000 // paper.batch_size
    schedule = vae_mnist.make_schedule(paper)
    epoch = 60_000 // paper.batch_size
    starts = np.concatenate([[0], np.cumsum(3 ** np.arange(7))])
    for index, start in enumerate(starts.tolist()):
        rate = 1e-3 * 10.0 ** (-index / 7.0)
        assert float(schedule(start * epoch + 1)) == pytest.approx(rate, rel=1e-4)
    assert float(schedule(paper.num_steps)) == pytest.approx(1e-4, rel=1e-4)


def test_the_default_schedule_ends_at_zero():
    schedule = vae_mnist.make_schedule(vae_mnist.Config())
    assert float(schedule(vae_mnist.Config().num_steps)) == pytest.approx(0.0, abs=1e-9)
    assert float(schedule(600)) == pytest.approx(2e-3, rel=1e-4)


def test_static_binarization_trains_on_bits_and_dynamic_on_gray_values(library):
    assert set(
        np.unique(first_batches(dataclasses.replace(SMOKE, static_binarization=True), library))
    ) == {
        -1.0,
        1.0,
    }
    assert len(np.unique(first_batches(SMOKE, library))) > 10


def test_all_training_images_are_used_on_request(library):
    plain = vae_mnist.build(SMOKE, library).batches.num_examples
    joined = vae_mnist.build(dataclasses.replace(SMOKE, train_on_validation=True), library)
    held_out = len(library.load("digits").validation.labels)
    assert joined.batches.num_examples == plain + held_out


def test_the_bits_of_the_test_set_are_the_same_every_time():
    gray = np.zeros((3, 8, 8, 1), np.float32)
    np.testing.assert_array_equal(binarized(gray), binarized(gray))


def test_evenly_spaced_images_reach_from_the_first_to_the_last():
    images = np.arange(100, dtype=np.float32).reshape(100, 1, 1, 1)
    assert evenly_spaced(images, 3).ravel().tolist() == [0.0, 49.0, 99.0]
    assert len(evenly_spaced(images, 1_000)) == 100


def posteriors(mean, kl_divergence):
    return Posteriors(mean, np.zeros_like(mean), np.asarray(kl_divergence, np.float32))


def test_a_collapsed_posterior_raises_an_alarm():
    found = describe_posteriors(posteriors(np.zeros((10, 3), np.float32), [0.0, 0.01, 0.0]))
    assert found["active_units"] == 0.0
    assert found["alarm_posterior_collapse"].startswith("0 of 3 latent units active")


def test_units_are_listed_by_their_use():
    mean = np.stack([np.zeros(10), np.linspace(-2, 2, 10)], axis=1).astype(np.float32)
    found = describe_posteriors(posteriors(mean, [0.01, 2.5]))
    assert found["active_units"] == 1.0
    assert found["kl_divergence"] == pytest.approx(2.51)
    assert found["kl_divergence_by_unit"].startswith("2.50 0.01 nats")
    assert found["alarm_posterior_collapse"] == ""


def test_one_latent_is_refused():
    with pytest.raises(ValueError, match="--latent_dim is 1; it must be at least 2"):
        vae_mnist.Config(latent_dim=1)


def test_an_empty_list_of_channels_is_refused():
    with pytest.raises(ValueError, match="--channels is empty"):
        conv_vae_mnist.Config(channels=())


def test_the_two_networks_differ_only_by_the_log_variances():
    networks = conv_vae_mnist.make_networks(CONV_SMOKE, (28, 28, 1))
    images = jnp.zeros((1, 28, 28, 1))
    shapes = [
        jax.eval_shape(lambda key, p=pair: p.encode(p.init(key), images), jax.random.key(0)).shape
        for pair in networks
    ]
    assert shapes == [(1, 4), (1, 2)]


def test_the_divergence_of_the_vaes_codes_is_that_of_draws(library):
    """The means of this network are all equal, so theirs is infinite; it draws from the prior."""
    network = types.SimpleNamespace(
        encode=lambda params, images: jnp.zeros((len(images), 4)),
        decode=lambda params, latents: jnp.zeros((len(latents), 28, 28, 1)),
    )
    plain = types.SimpleNamespace(
        encode=lambda params, images: jnp.zeros((len(images), 2)), decode=network.decode
    )
    dataset = library.load("digits")
    compare = conv_vae_mnist.compare_codes(
        conv_vae_mnist.Networks(network, plain), dataset, dataset.test.images
    )
    state = conv_vae_mnist.State(TrainState({}, ()), TrainState({}, ()))
    found = compare(state, jax.random.key(0))
    assert found["code_kl_divergence"] == pytest.approx(0.0, abs=0.2)
    assert found["autoencoder_code_kl_divergence"] == np.inf


@pytest.mark.slow
def test_both_networks_learn_from_the_same_batches(library):
    experiment = conv_vae_mnist.build(dataclasses.replace(CONV_SMOKE, num_steps=40), library)
    state, step = experiment.init(jax.random.key(0)), jax.jit(experiment.step)
    batches, losses = experiment.batches(0), []
    for index in range(40):
        state, metrics = step(state, next(batches), jax.random.key(index))
        losses.append((float(metrics["loss"]), float(metrics["autoencoder_loss"])))
    assert np.mean(losses[-5:], axis=0)[0] < np.mean(losses[:5], axis=0)[0]
    assert np.mean(losses[-5:], axis=0)[1] < np.mean(losses[:5], axis=0)[1]
