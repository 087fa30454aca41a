"""Tests the stages of pre-training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.tasks.encoder_pretraining import EncoderArchitecture, stack_stage

ARCHITECTURE = EncoderArchitecture((32, 16), 4, (28, 28, 1), jax.nn.relu)


@pytest.mark.slow
def test_a_layer_without_noise_or_sparsity_has_the_squared_error():
    stage = stack_stage(ARCHITECTURE, None, 1, masking=0.0, sparsity=0.0)
    params = jax.tree.map(jnp.zeros_like, stage.init(jax.random.key(0)))
    inputs = jnp.arange(64.0).reshape(2, 32)
    losses = stage.loss(params, inputs, jax.random.key(1))
    np.testing.assert_allclose(losses, (inputs**2).sum(1), rtol=1e-6)


@pytest.mark.slow
def test_the_lowest_layer_of_zeros_loses_log_two_per_pixel():
    stage = stack_stage(ARCHITECTURE, None, 0, masking=0.5, sparsity=1.0)
    params = jax.tree.map(jnp.zeros_like, stage.init(jax.random.key(0)))
    pixels = stage.inputs((), jnp.full((2, 28, 28, 1), -1.0))
    losses = stage.loss(params, pixels, jax.random.key(1))
    np.testing.assert_allclose(losses, 784 * np.log(2.0), rtol=1e-5)


def test_sparsity_adds_the_sum_of_the_activations():
    dense, sparse = (
        stack_stage(ARCHITECTURE, None, 1, masking=0.0, sparsity=s) for s in (0.0, 0.5)
    )
    params = jax.tree.map(jnp.ones_like, dense.init(jax.random.key(0)))
    inputs, key = jnp.ones((3, 32)), jax.random.key(1)
    extra = sparse.loss(params, inputs, key) - dense.loss(params, inputs, jax.random.clone(key))
    np.testing.assert_allclose(extra, 0.5 * 16 * 33.0)  # 16 units of 32 ones and a bias.
