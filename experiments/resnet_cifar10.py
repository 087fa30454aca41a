"""Residual networks on CIFAR-10, plain nets without shortcuts, and stochastic depth.

    python launch.py --experiment=resnet_cifar10
    python launch.py --experiment=resnet_cifar10 --noresidual          # a plain net
    python launch.py --experiment=resnet_cifar10 --final_survival=0.5  # stochastic depth

Paper: He et al., 2015, section 4.2; He et al., 2016 (pre-activation); Huang et al., 2016
Data: CIFAR-10, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 9 minutes on one core (4.5 steps/s), with half of the paper's channels
Expected: see results/resnet_cifar10.md (paper: test error 8.75 % with 20 layers; --preset=paper)
"""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.experiment import Experiment, Metrics
from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.models.resnet import ResNet
from lecture_models.nn.stochastic_depth import sample_depth
from lecture_models.tasks.classification import crop_and_flip, make_experiment
from lecture_models.tasks.classifier_config import (
    SMOKE_CLASSIFIER,
    ClassifierConfig,
    load,
    momentum_sgd,
)

CROP_PADDING = 4  # In pixels.


@dataclasses.dataclass(frozen=True)
class Config(ClassifierConfig):
    depth: int = 20  # Number of layers, 6n + 2.
    # Channels of the first stage; the next ones have two and four times as many; 16 in the paper.
    width: int = 8
    residual: bool = True  # False trains a plain net with the same parameters.
    projection: bool = False  # Projects shortcuts where shapes change (B), not padding zeros (A).
    preactivation: bool = False  # Normalizes before each convolution, as He et al., 2016.
    # Probability p_L that stochastic depth keeps the last block; it decreases linearly from 1 at
    # the input. 1 is constant depth; 0.5 in the paper.
    final_survival: float = 1.0
    augment: bool = True  # Trains on crops of images padded by 4 pixels, and mirror images.
    learning_rate: float = 0.1
    weight_decay: float = 1e-4  # Penalizes all parameters, as the papers' code does.
    nesterov: bool = False  # Uses Nesterov's momentum.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "width")
        require_between(self, 0.01, 1.0, "final_survival")
        make_net(self, num_classes=10)


# He et al., 2015, section 4.2. The paper on stochastic depth has --final_survival=0.5 --depth=110
# --nesterov --num_steps=175500 --decay_at=0.5,0.75, which is 500 epochs of 45,000 images.
PAPER = {
    "batch_size": 128,
    "num_steps": 64_000,
    "width": 16,
    "decay_at": (0.5, 0.75),
    "warmup_steps": 0,  # The paper starts 110 layers at a rate of 0.01.
    "log_every": 500,
    "eval_every": 8_000,
    "checkpoint_every": 2_000,
}

PAPER_SOURCES = {
    "batch_size": "section 4.2",
    "num_steps": "section 4.2: 64k iterations",
    "train_on_validation": "section 4.2: 45,000 images for training, 5,000 for validation",
    "learning_rate": "section 4.2",
    "decay_at": "section 4.2: divided by 10 at 32k and 48k iterations",
    "warmup_steps": "section 4.2: none, but a rate of 0.01 at first for 110 layers",
    "weight_decay": "section 4.2",
    "depth": "section 4.2 and Table 6: 6n + 2 layers",
    "width": "section 4.2: 16, 32 and 64 filters",
    "residual": "section 4.2",
    "projection": "section 4.2: identity shortcuts in all cases (option A)",
    "augment": "section 4.2: crops of images padded by 4 pixels, and mirror images",
    "nesterov": "section 4.2: a momentum of 0.9",
}
PAPER_DEPARTURES = (
    ("the mean of each pixel is subtracted", "each channel is standardized"),
    (
        "batch normalization stores the unbiased variance (Ioffe and Szegedy, algorithm 2)",
        "it stores that of the batch, smaller by 1 part in the number of its values",
    ),
)

SMOKE = SMOKE_CLASSIFIER | {"depth": 8, "width": 4, "final_survival": 0.5}


def make_net(config: Config, num_classes: int) -> ResNet:
    return cifar_resnet(
        config.depth,
        num_classes,
        widths=(config.width, 2 * config.width, 4 * config.width),
        residual=config.residual,
        projection=config.projection,
        preactivation=config.preactivation,
        final_survival=config.final_survival,
        # Dropped blocks are not computed; on a CPU, a branch would cost more than a mask.
        skip=config.final_survival < 1.0 and jax.default_backend() != "cpu",
        dtype=jnp.dtype(config.dtype),
    )


def active_blocks(net: ResNet, structure_key: Key[Array, ""]) -> Metrics:
    """Returns the number of blocks that are kept in a step; nothing without stochastic depth."""
    if net.final_survival == 1.0:
        return {}
    # The same key as the net's first of this name, so the same draw.
    key = net.apply(
        {}, rngs={"structure": structure_key}, method=lambda module: module.make_rng("structure")
    )
    count = sample_depth(key, net.survival).sum()
    return {"mean_active_blocks": count.astype(jnp.float32)}


def build(config: Config, library: Library) -> Experiment:
    dataset = load(config, library)
    net = make_net(config, len(dataset.classes))
    return make_experiment(
        dataset,
        net,
        momentum_sgd(config, nesterov=config.nesterov),
        config,
        augment=crop_and_flip(CROP_PADDING) if config.augment else None,
        measure=lambda structure_key: active_blocks(net, structure_key),
    )
