"""The all-convolutional net on CIFAR-10: strides in place of pooling.

    python launch.py --experiment=all_convolutional_cifar10

Paper: Springenberg et al., 2015, Striving for simplicity: the all convolutional net, section 3
Data: CIFAR-10 (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: not timed yet; a sixth of the paper's channels, 2,500 steps of 64
Expected: see results/all_convolutional_cifar10.md (paper: test error 9.08 %, with crops and mirror
  images 7.25 %, --preset=paper)
"""

import dataclasses

import jax.numpy as jnp

from experiments._classification import (
    crop_and_flip,
    first_examples,
    learning_rate_schedule,
    make_experiment,
    momentum_sgd,
    narrowed,
    require_recipe,
)
from lecture_models.data.lookup import Library
from lecture_models.models.all_convolutional import (
    BASE_C,
    AllConvolutional,
    all_convolutional,
    pooled,
)
from lecture_models.runtime.config import require_at_least, require_between
from lecture_models.runtime.experiment import Experiment
from lecture_models.runtime.loop import Cadence

CROP_PADDING = 5  # As the paper's translations.


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "cifar10,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 64
    num_steps: int = 2_500
    train_images: int = 0  # The first so many; 0 for all.
    train_on_validation: bool = False  # All training images, once nothing is left to choose.
    width: int = 16  # Channels of the first layers, then twice; 96 in the paper.
    pooling: bool = False  # Model C itself, with maxima where All-CNN-C has strides.
    input_dropout: float = 0.0  # Of pixels; 0.2 in the paper.
    dropout: float = 0.0  # After each layer of stride 2; 0.5 in the paper.
    augment: bool = False  # Crops of the image padded by 5, and mirror images.
    learning_rate: float = 0.05
    falls_at: tuple[float, ...] = ()  # Fractions of the steps where the rate is divided by 10.
    warmup_steps: int = 100
    weight_decay: float = 1e-4
    dtype: str = "float32"  # Or bfloat16, for an accelerator; parameters stay float32.
    log_every: int = 50
    eval_every: int = 1_250
    checkpoint_every: int = 500

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "width", *Cadence._fields)
        require_at_least(self, 0, "seed", "train_images", "warmup_steps")
        require_at_least(self, 0.0, "learning_rate", "weight_decay")
        require_between(self, 0.0, 0.99, "input_dropout", "dropout")
        require_recipe(self)


# Section 3.1: 350 epochs of 50,000; the rate was chosen among 0.25, 0.1, 0.05 and 0.01.
PAPER = {
    "batch_size": 128,
    "num_steps": 136_500,
    "train_on_validation": True,
    "width": 96,
    "input_dropout": 0.2,
    "dropout": 0.5,
    "falls_at": (0.571, 0.714, 0.857),  # Epochs 200, 250 and 300.
    "warmup_steps": 0,
    "weight_decay": 1e-3,
    "log_every": 500,
    "eval_every": 15_600,
    "checkpoint_every": 2_000,
}

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 12,
    "width": 4,
    "dropout": 0.1,
    "warmup_steps": 2,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


def build(config: Config, library: Library) -> Experiment:
    dataset = first_examples(library.load(config.dataset), config.train_images)
    layers = pooled(BASE_C) if config.pooling else all_convolutional(BASE_C)
    net = AllConvolutional(
        narrowed(layers, config.width / PAPER["width"]),
        num_classes=len(dataset.classes),
        input_dropout=config.input_dropout,
        dropout=config.dropout,
        dtype=jnp.dtype(config.dtype),
    )
    schedule = learning_rate_schedule(
        config.learning_rate, config.num_steps, config.falls_at, config.warmup_steps
    )
    return make_experiment(
        dataset,
        net,
        momentum_sgd(schedule, config.weight_decay, kernels_only=True),
        config.batch_size,
        config.seed,
        config.num_steps,
        augment=crop_and_flip(CROP_PADDING) if config.augment else None,
        train_on_validation=config.train_on_validation,
    )
