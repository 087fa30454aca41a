"""FractalNet on CIFAR-10, with or without drop-path, and its deepest column alone.

    python launch.py --experiment=fractalnet_cifar10
    python launch.py --experiment=fractalnet_cifar10 --local_drop=0 --global_ratio=0  # no drop-path

Paper: Larsson et al., 2017, FractalNet: ultra-deep neural networks without residuals, Table 1
Data: CIFAR-10, without a fallback; the first 4,000 training images
Cost: 9 minutes on one core (4.8 steps/s), with an eighth of the paper's channels
Expected: see results/fractalnet_cifar10.md (paper, with all images: test error 10.18 % without
  drop-path, 7.33 % with it, 7.27 % for the deepest column; --preset=paper)
"""

import dataclasses

import jax.numpy as jnp

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment
from lecture_models.models.fractalnet import FractalNet, column_of, column_variables
from lecture_models.tasks.classification import crop_and_flip, make_experiment, standardized_apply
from lecture_models.tasks.classifier_config import (
    SMOKE_CLASSIFIER,
    ClassifierConfig,
    load,
    momentum_sgd,
)

CROP_PADDING = 4  # In pixels.


@dataclasses.dataclass(frozen=True)
class Config(ClassifierConfig):
    # A single name, without a fallback: height and width must be divisible by 2 once per block.
    dataset: str = "cifar10"
    # Number of training images, the first ones; few, so that a small net overfits; 0 for all.
    train_images: int = 4_000
    channels: tuple[int, ...] = (8, 16, 32)  # Per block; 64, 128, 256, 512, 512 in the paper.
    columns: int = 3  # Number of columns of each block; 3 in the paper.
    local_drop: float = 0.15  # Probability that an input of a join is dropped.
    global_ratio: float = 0.5  # Fraction of batches that train a single column.
    # Dropout rate of each block; the rates rise from 0 to 0.4 in the paper.
    dropout: tuple[float, ...] = (0.0, 0.0, 0.0)
    augment: bool = False  # Trains on crops of images padded by 4 pixels, and mirror images.
    weight_decay: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "channels", "columns")
        require_at_least(self, 0, "dropout")
        require_between(self, 0.0, 1.0, "local_drop", "global_ratio")
        make_net(self, num_classes=10)


# Section 4: 400 epochs; the rate is divided by 10 whenever half of the remaining epochs are over.
PAPER = {
    "batch_size": 100,
    "num_steps": 200_000,
    "train_images": 0,
    "train_on_validation": True,
    "channels": (64, 128, 256, 512, 512),
    "dropout": (0.0, 0.1, 0.2, 0.3, 0.4),
    "learning_rate": 0.02,
    "decay_at": (0.5, 0.75, 0.875, 0.9375),
    "warmup_steps": 0,
    "log_every": 500,
    "eval_every": 25_000,
    "checkpoint_every": 2_500,
}

PAPER_SOURCES = {
    "batch_size": "section 4",
    "num_steps": "section 4: 400 epochs",
    "train_images": "section 4: all",
    "channels": "section 4: five blocks of 64, 128, 256, 512 and 512",
    "columns": "section 4: three",
    "local_drop": "section 4: 15 %",
    "global_ratio": "section 4: half of the batches",
    "dropout": "section 4: 0, 10, 20, 30 and 40 %",
    "learning_rate": "section 4",
    "decay_at": "section 4: divided by 10 whenever half of the remaining epochs are over",
    "warmup_steps": "section 4: none",
    "augment": "Table 1, column C10",
}
PAPER_DEPARTURES = (
    (
        "batch normalization stores the unbiased variance (Ioffe and Szegedy, algorithm 2)",
        "it stores that of the batch, smaller by 1 part in the number of its values",
    ),
)

SMOKE = SMOKE_CLASSIFIER | {
    "channels": (4, 4),
    "columns": 2,
    "dropout": (0.0, 0.1),
}


def make_net(config: Config, num_classes: int) -> FractalNet:
    return FractalNet(
        channels=config.channels,
        num_columns=config.columns,
        num_classes=num_classes,
        dropout=config.dropout,
        local_drop=config.local_drop,
        global_ratio=config.global_ratio,
        dtype=jnp.dtype(config.dtype),
    )


def build(config: Config, library: Library) -> Experiment:
    dataset = load(config, library)
    net = make_net(config, len(dataset.classes))

    def deepest_column(moments):
        column = standardized_apply(column_of(net, config.columns), moments)

        def classify(state, images):
            return column(column_variables(state.variables, config.columns), images)[0]

        return {"deepest": classify}

    return make_experiment(
        dataset,
        net,
        momentum_sgd(config),
        config,
        augment=crop_and_flip(CROP_PADDING) if config.augment else None,
        heads=deepest_column,
    )
