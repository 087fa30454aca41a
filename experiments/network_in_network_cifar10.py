"""Network in network on CIFAR-10: 1x1 convolutions after each convolution, and a global mean.

    python launch.py --experiment=network_in_network_cifar10

Paper: Lin et al., 2014, Network in network, section 4.1
Data: CIFAR-10 (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: not timed yet; a sixth of the paper's channels, 2,500 steps of 64
Expected: see results/network_in_network_cifar10.md (paper: test error 10.41 %, with crops and
  mirror images 8.81 %, --preset=paper)
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
from lecture_models.models.network_in_network import CIFAR_LAYERS, NetworkInNetwork
from lecture_models.runtime.config import require_at_least, require_between
from lecture_models.runtime.experiment import Experiment
from lecture_models.runtime.loop import Cadence

CROP_PADDING = 4


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "cifar10,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 64
    num_steps: int = 2_500
    train_images: int = 0  # The first so many; 0 for all.
    train_on_validation: bool = False  # All training images, once nothing is left to choose.
    width: int = 32  # Channels of the first layer, the others in proportion; 192 in the paper.
    dropout: float = 0.0  # After the two poolings; 0.5 in the paper.
    augment: bool = False  # Crops of the image padded by 4, and mirror images.
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
        require_between(self, 0.0, 0.99, "dropout")
        require_recipe(self)


# Section 4.1, which prints neither rate nor epochs: the rate falls twice, to a hundredth.
PAPER = {
    "batch_size": 128,
    "num_steps": 117_000,  # 300 epochs.
    "train_on_validation": True,
    "width": 192,
    "dropout": 0.5,
    "falls_at": (0.5, 0.75),
    "warmup_steps": 400,
    "log_every": 500,
    "eval_every": 13_000,
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
    net = NetworkInNetwork(
        narrowed(CIFAR_LAYERS, config.width / PAPER["width"]),
        num_classes=len(dataset.classes),
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
