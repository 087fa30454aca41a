"""Least squares with whatever division among devices could change.

Paper: none
Data: drawn
Cost: none
Expected: none
"""

import dataclasses
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lecture_models.data.batches import ArrayBatches
from lecture_models.experiment import Experiment, Phase

FEATURES = 5


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 0
    batch_size: int = 8
    num_steps: int = 30
    log_every: int = 4
    eval_every: int = 10
    checkpoint_every: int = 7
    pause_ms: int = 0  # Of each step, so that a signal comes in time.


class PausingBatches(NamedTuple):
    """What `ArrayBatches` gives, late."""

    source: ArrayBatches
    pause_s: float

    @property
    def arrays(self):
        return self.source.arrays

    def indices(self, step):
        time.sleep(self.pause_s)
        return self.source.indices(step)

    def __call__(self, first_step):
        return self.source(first_step)


class State(NamedTuple):
    weights: Float[Array, " feature"]
    velocity: Float[Array, " feature"]


def build(config, library=None):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(64, FEATURES)).astype(np.float32)
    targets = inputs @ np.arange(1.0, FEATURES + 1.0, dtype=np.float32)

    def init(key):
        return State(jax.random.normal(key, (FEATURES,)), -jnp.zeros(FEATURES))

    def step(state, batch, key):
        """Noise for each example, and inputs normalized over the batch."""
        noisy = batch["inputs"] + 0.1 * jax.random.normal(key, batch["inputs"].shape)
        normal = (noisy - noisy.mean(0, keepdims=True)) / noisy.std(0, keepdims=True)

        def mean_squared_error(weights):
            return jnp.mean((normal @ weights - batch["targets"]) ** 2)

        loss, gradient = jax.value_and_grad(mean_squared_error)(state.weights)
        velocity = 0.9 * state.velocity - 0.01 * gradient
        return State(state.weights + velocity, velocity), {"loss": loss}

    def evaluate(state, key):
        return {f"weight_{i}": float(weight) for i, weight in enumerate(state.weights)}

    def enter(state):
        return state._replace(velocity=0.5 * state.velocity)

    phases = (Phase(0, step), Phase(15, step, enter))
    arrays = {"inputs": inputs, "targets": targets, "indices": np.arange(64)}
    batches = ArrayBatches(arrays, config.batch_size, config.seed)
    if config.pause_ms:
        batches = PausingBatches(batches, config.pause_ms / 1000.0)
    return Experiment(init, phases, evaluate, batches)
