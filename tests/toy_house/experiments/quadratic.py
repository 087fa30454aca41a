"""A parabola's height, so that what a sweep finds is known, and ways to fail.

    python tests/toy_house/launch.py --experiment=quadratic

Paper: none
Data: none
Cost: nothing
Expected: (x - 0.3)^2 + y
"""

import dataclasses
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment


@dataclasses.dataclass(frozen=True)
class Config:
    seed: int = 0
    x: float = 0.0
    y: float = 0.0
    width: int = 1
    nan_above: float = 1e9  # The loss is not a number where x is larger.
    fail_above: float = 1e9  # An exception where x is larger.
    fail_once: str = ""  # A file: the evaluation that finds none makes it and fails.
    seconds: float = 0.0  # Of every evaluation.
    num_steps: int = 4
    log_every: int = 1
    eval_every: int = 1
    checkpoint_every: int = 1

    def __post_init__(self):
        require_at_least(self, 0, "y")


PAPER = {}
SMOKE = {"num_steps": 1}


def build(config: Config, library: Library) -> Experiment:
    def init(key):
        return {"x": jnp.float32(config.x)}

    def step(state, batch, key):
        height = jnp.where(state["x"] > config.nan_above, jnp.nan, state["x"])
        return {"x": state["x"]}, {"height": height}

    def evaluate(state, key):
        time.sleep(config.seconds)
        if float(state["x"]) > config.fail_above:
            raise RuntimeError(f"x is above {config.fail_above}")
        if config.fail_once and not Path(config.fail_once).exists():
            Path(config.fail_once).touch()
            raise RuntimeError("once")
        return {"loss": (float(state["x"]) - 0.3) ** 2 + config.y}

    arrays = ArrayBatches({"nothing": np.zeros((4, 1), np.float32)}, batch_size=4, seed=config.seed)
    return Experiment(init=init, step=step, evaluate=evaluate, batches=arrays)
