"""Provides a least-squares experiment of a few numbers and a silent recorder for tests."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lecture_models.data.batches import ArrayBatches
from lecture_models.experiment import Best, Experiment, Images


class Silent:
    """Implements `Recorder`; keeps only the losses of training."""

    def __init__(self):
        self.losses = []

    def train(self, step, metrics):
        self.losses.append(metrics)

    def evaluation(self, step, evaluation):
        pass

    def sync(self):
        pass


class ToyState(NamedTuple):
    weights: Float[Array, " feature"]
    velocity: Float[Array, " feature"]


def toy_experiment(
    learning_rate: float = 0.01, poison_step: int | None = None, best: Best | None = None
) -> Experiment:
    """Returns noisy momentum descent; the loss is NaN at `poison_step`, counted from 1."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(64, 5)).astype(np.float32)
    targets = inputs @ np.arange(1.0, 6.0, dtype=np.float32)

    def init(key):
        return ToyState(jax.random.normal(key, (5,)), jnp.zeros(5))

    def step(state, batch, key):
        noise = 0.01 * jax.random.normal(key, (5,))

        def mean_squared_error(weights):
            return jnp.mean((batch["inputs"] @ weights - batch["targets"]) ** 2)

        loss, gradient = jax.value_and_grad(mean_squared_error)(state.weights + noise)
        velocity = 0.9 * state.velocity - learning_rate * gradient
        if poison_step is not None:
            index = batch["indices"][0]
            poisoned = jnp.any(index == experiment.batches.indices(poison_step - 1)[0])
            loss = jnp.where(poisoned, jnp.nan, loss)
        return ToyState(state.weights + velocity, velocity), {"loss": loss}

    def evaluate(state, key):
        latents = jax.random.normal(key, (1, 2, 2, 1))
        return {"weight_norm": jnp.linalg.norm(state.weights), "latents": Images(latents)}

    arrays = {"inputs": inputs, "targets": targets, "indices": np.arange(64)}
    experiment = Experiment(init, step, evaluate, ArrayBatches(arrays, batch_size=8, seed=0), best)
    return experiment
