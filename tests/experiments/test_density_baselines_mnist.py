"""Tests what density_baselines_mnist adds to the densities that it compares."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import density_baselines_mnist as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.models.made import MADE

SMOKE = experiment.Config(**experiment.SMOKE)
SHAPE = (3, 3, 1)


def test_made_as_a_density_of_rows_is_a_distribution():
    made = MADE((8,))
    params = made.init(jax.random.key(0), jnp.zeros((1, *SHAPE)))["params"]
    density = experiment.made_density(made, params, SHAPE)
    rows = ((np.arange(512)[:, None] >> np.arange(9)) & 1).astype(np.float32)
    assert np.exp(density.log_density(rows)).sum() == pytest.approx(1.0, abs=1e-4)
    drawn = density.draw(np.random.default_rng(0), 30)
    assert drawn.shape == (30, 9)
    assert set(np.unique(drawn)) <= {0.0, 1.0}


def test_metrics_say_whether_nats_are_of_bits_or_of_codes():
    assert experiment.metric_names("made") == (
        "validation_negative_log_likelihood",
        "negative_log_likelihood",
        "",
    )
    assert experiment.metric_names("mixture")[1] == "mixture_negative_log_likelihood"
    assert experiment.metric_names("code_kernel")[1] == "code_kernel_negative_log_density"


def test_more_components_than_pixels_are_refused(tmp_path):
    dataset = Library(tmp_path, print).load("digits")
    config = dataclasses.replace(SMOKE, code_dim=784)
    with pytest.raises(DataError, match="--code_dim is 784; .* it must be at most 783"):
        experiment.fit_components(config, dataset)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("mixture_components", (), "--mixture_components is empty; it must have one value or more"),
        ("flip_probabilities", (0.5,), "--flip_probabilities has 0.5; it must be between 0 and"),
        ("em_iterations", 0, "--em_iterations is 0; it must be at least 1"),
        ("code_components", (1,), "--code_components is 1; it must be at least 2"),
        ("bandwidths", (0.0,), "--bandwidths is 0.0; it must be at least 0.001"),
    ],
)
def test_impossible_values_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **{field: value})
