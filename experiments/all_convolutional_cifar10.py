"""All-convolutional net on CIFAR-10: strides in place of pooling.

    python launch.py --experiment=all_convolutional_cifar10

Paper: Springenberg et al., 2015, Striving for simplicity: the all convolutional net, section 3
Data: CIFAR-10, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 3 to 4 minutes on one core, with a sixth of the paper's channels
Expected: see results/all_convolutional_cifar10.md (paper: test error 9.08 %, and 7.25 % with crops
  and mirror images; --preset=paper)
"""

import dataclasses

import jax.numpy as jnp

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment
from lecture_models.models.all_convolutional import (
    BASE_C,
    AllConvolutional,
    all_convolutional,
    pooled,
)
from lecture_models.tasks.classification import crop_and_flip, make_experiment, scale_features
from lecture_models.tasks.classifier_config import (
    SMOKE_CLASSIFIER,
    ClassifierConfig,
    load,
    momentum_sgd,
)

CROP_PADDING = 5  # In pixels, as the paper's translations.


@dataclasses.dataclass(frozen=True)
class Config(ClassifierConfig):
    # Channels of the first layers; the later ones have twice as many; 96 in the paper.
    width: int = 16
    pooling: bool = False  # Trains model C, with max-pooling where All-CNN-C has strides.
    input_dropout: float = 0.0  # Dropout rate of the pixels; 0.2 in the paper.
    dropout: float = 0.0  # Dropout rate after each layer of stride 2; 0.5 in the paper.
    # Rectifies the class scores, as in the paper; some seeds then stay at chance accuracy.
    rectified_scores: bool = False
    augment: bool = False  # Trains on crops of images padded by 5 pixels, and mirror images.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "width")
        require_between(self, 0.0, 0.99, "input_dropout", "dropout")


# Section 3.1: 350 epochs of 50,000 images; the paper chose the learning rate among 0.25, 0.1, 0.05
# and 0.01.
PAPER = {
    "batch_size": 128,
    "num_steps": 136_500,
    "train_on_validation": True,
    "width": 96,
    "input_dropout": 0.2,
    "dropout": 0.5,
    "rectified_scores": True,
    "decay_at": (0.571, 0.714, 0.857),  # Epochs 200, 250 and 300.
    "warmup_steps": 0,
    "weight_decay": 1e-3,
    "log_every": 500,
    "eval_every": 15_600,
    "checkpoint_every": 2_000,
}

PAPER_SOURCES = {
    "width": "Table 1: 96 and 192 channels",
    "input_dropout": "section 3.1: 20 %",
    "dropout": "section 3.1: 50 %",
    "rectified_scores": "Table 1",
    "weight_decay": "section 3.1: 0.001",
    "decay_at": "section 3.1: epochs 200, 250 and 300 of 350",
    "num_steps": "section 3.1: 350 epochs",
    "augment": "Table 2, without augmentation",
}
PAPER_DEPARTURES = (
    ("whitened, contrast-normalized images", "each channel is standardized"),
    ("the learning rate is the best of 0.25, 0.1, 0.05 and 0.01", "0.05"),
)

SMOKE = SMOKE_CLASSIFIER | {"width": 4, "dropout": 0.1}


def build(config: Config, library: Library) -> Experiment:
    dataset = load(config, library)
    layers = pooled(BASE_C) if config.pooling else all_convolutional(BASE_C)
    net = AllConvolutional(
        scale_features(layers, config.width / PAPER["width"]),
        num_classes=len(dataset.classes),
        input_dropout=config.input_dropout,
        dropout=config.dropout,
        rectified_scores=config.rectified_scores,
        dtype=jnp.dtype(config.dtype),
    )
    return make_experiment(
        dataset,
        net,
        momentum_sgd(config, kernels_only=True),
        config,
        augment=crop_and_flip(CROP_PADDING) if config.augment else None,
    )
