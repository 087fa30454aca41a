"""The lecture's smallest ConvNet on Fashion-MNIST: INPUT - CONV - RELU - POOL - FC.

    python launch.py --experiment=convnet_fashion_mnist

Paper: none: the lecture's layers, with 32 filters of 5x5; data of Xiao et al., 2017
Data: Fashion-MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: not timed yet; 4,000 steps of 128
Expected: see results/convnet_fashion_mnist.md; the lecture prints no number
"""

import dataclasses

import jax.numpy as jnp
import optax

from experiments._classification import (
    crop_and_flip,
    first_examples,
    learning_rate_schedule,
    make_experiment,
    require_recipe,
)
from lecture_models.data.lookup import Library
from lecture_models.models.cifar_convnet import CifarConvNet
from lecture_models.runtime.config import require_at_least
from lecture_models.runtime.experiment import Experiment
from lecture_models.runtime.loop import Cadence
from lecture_models.steps.weight_decay import l2_penalty

CROP_PADDING = 2


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "fashion_mnist,digits"  # The first to be had; one name is never replaced.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 4_000  # 10 epochs of 50,000.
    train_images: int = 0  # The first so many; 0 for all.
    train_on_validation: bool = False  # All training images, once nothing is left to choose.
    features: int = 32  # Filters; 12 in the lecture.
    window: int = 5  # Their side, odd.
    augment: bool = False  # Crops of the image padded by 2, and mirror images.
    learning_rate: float = 2e-3
    falls_at: tuple[float, ...] = ()  # Fractions of the steps where the rate is divided by 10.
    warmup_steps: int = 200
    weight_decay: float = 1e-4  # Of kernels, as a penalty.
    dtype: str = "float32"  # Or bfloat16, for an accelerator; parameters stay float32.
    log_every: int = 100
    eval_every: int = 1_000
    checkpoint_every: int = 1_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "features", "window", *Cadence._fields)
        require_at_least(self, 0, "seed", "train_images", "warmup_steps")
        require_at_least(self, 0.0, "learning_rate", "weight_decay")
        if self.window % 2 == 0:
            raise ValueError(f"--window is {self.window}; it must be odd")
        require_recipe(self)


# The lecture's 12 maps.
PAPER = {"features": 12, "window": 3}

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "features": 4,
    "warmup_steps": 2,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def build(config: Config, library: Library) -> Experiment:
    dataset = first_examples(library.load(config.dataset), config.train_images)
    net = CifarConvNet(
        len(dataset.classes), config.features, config.window, dtype=jnp.dtype(config.dtype)
    )
    schedule = learning_rate_schedule(
        config.learning_rate, config.num_steps, config.falls_at, config.warmup_steps
    )
    return make_experiment(
        dataset,
        net,
        optax.chain(l2_penalty(config.weight_decay, kernels_only=True), optax.adam(schedule)),
        config.batch_size,
        config.seed,
        config.num_steps,
        augment=crop_and_flip(CROP_PADDING) if config.augment else None,
        train_on_validation=config.train_on_validation,
    )
