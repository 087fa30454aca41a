"""Checks the scores of a variational autoencoder by one whose bounds are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.dataset import Dataset, Provenance, Split
from lecture_models.evaluators.vae import BITS, EvaluationSettings, make_evaluate
from lecture_models.steps.vae import VAE

LATENT_DIM, PIXELS, LOGIT = 2, 9, 0.5
# The posterior of every image is N(1, 1) in each unit: its divergence from the prior is 1/2.
CONSTANT = VAE(
    encode=lambda params, images: (
        jnp.ones((len(images), LATENT_DIM)),
        jnp.zeros((len(images), LATENT_DIM)),
    ),
    decode=lambda params, latents: jnp.full((len(latents), 3, 3, 1), params),
)


def split(value, count):
    images = np.full((count, 3, 3, 1), value, np.float32)
    return Split.labeled_images(images, np.arange(count, dtype=np.int32) % 2)


@pytest.fixture(scope="module")
def results():
    """Evaluates on test images that are white and validation images that are black."""
    splits = split(0.0, 40), split(-1.0, 50), split(1.0, 400)
    dataset = Dataset(*splits, ("even", "odd"), Provenance("squares", "made up", ()))
    settings = EvaluationSettings(BITS, 20, 500, (1, 5), num_samples=30, extractor_steps=1)
    evaluate = make_evaluate(CONSTANT, dataset, splits[2].images, splits[1].images, settings)
    return evaluate(jnp.float32(LOGIT), jax.random.key(0))


def softplus(value):
    return float(np.log1p(np.exp(value)))


def test_the_bound_is_the_sum_over_pixels_and_units_of_each_splits_own_images(results):
    white, black = PIXELS * softplus(-LOGIT), PIXELS * softplus(LOGIT)
    assert float(results["negative_elbo"]) == pytest.approx(white + 1.0, rel=1e-5)
    assert float(results["validation_negative_elbo"]) == pytest.approx(black + 1.0, rel=1e-5)
    assert results["kl_divergence"] == pytest.approx(1.0, rel=1e-5)


def test_the_likelihood_is_of_test_images_and_above_the_bounds(results):
    """A decoder that ignores its latents has the likelihood of its logits alone."""
    white = PIXELS * softplus(-LOGIT)
    assert results["negative_log_likelihood"] == pytest.approx(white, abs=0.1)
    bounds = [results[f"negative_importance_weighted_elbo_{size}"] for size in (1, 5)]
    assert bounds[0] == pytest.approx(white + 1.0, abs=0.1)
    assert bounds[0] > bounds[1] > results["negative_log_likelihood"]


def test_the_divergence_of_all_codes_is_that_of_draws_and_not_of_means(results):
    """All means are equal, so theirs is infinite; the draws are from N(1, I)."""
    assert results["aggregate_kl_divergence"] == pytest.approx(1.0, abs=0.25)
