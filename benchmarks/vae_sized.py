"""An MLP of a VAE's size (784-400-20-400-784), as an experiment of the loop."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.data.batches import ArrayBatches
from lecture_models.runtime.experiment import Experiment

HIDDEN, LATENT_DIM, LEARNING_RATE = 400, 20, 1e-3


class VAEState(NamedTuple):
    params: Any
    optimizer: optax.OptState


class AutoEncoder(nn.Module):
    """Returns the decoder's logits and the posterior's mean and log-variance."""

    @nn.compact
    def __call__(self, x, noise):
        hidden = nn.relu(nn.Dense(HIDDEN)(x))
        mean, log_variance = jnp.split(nn.Dense(2 * LATENT_DIM)(hidden), 2, axis=-1)
        z = mean + jnp.exp(0.5 * log_variance) * noise
        return nn.Dense(784)(nn.relu(nn.Dense(HIDDEN)(z))), mean, log_variance


def build(images: np.ndarray, batch_size: int) -> Experiment:
    model, optimizer = AutoEncoder(), optax.adam(LEARNING_RATE)

    def init(key):
        params = model.init(key, jnp.zeros((1, 784)), jnp.zeros((1, LATENT_DIM)))
        return VAEState(params, optimizer.init(params))

    def step(state, batch, key):
        x = (batch["images"].reshape(batch_size, 784) + 1.0) / 2.0
        noise = jax.random.normal(key, (batch_size, LATENT_DIM))

        def negative_bound(params):
            logits, mean, log_variance = model.apply(params, x, noise)
            misfit = optax.sigmoid_binary_cross_entropy(logits, x).sum(axis=1)
            divergence = 0.5 * (mean**2 + jnp.exp(log_variance) - 1.0 - log_variance).sum(axis=1)
            return (misfit + divergence).mean()

        loss, gradient = jax.value_and_grad(negative_bound)(state.params)
        updates, optimizer_state = optimizer.update(gradient, state.optimizer)
        return VAEState(optax.apply_updates(state.params, updates), optimizer_state), {"loss": loss}

    batches = ArrayBatches({"images": images}, batch_size, seed=0)
    return Experiment(init, step, lambda state, key: {}, batches)
