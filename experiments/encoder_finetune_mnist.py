"""Encoders pre-trained without labels, fine-tuned as classifiers on few labels and many.

    python launch.py --experiment=encoder_finetune_mnist

Paper: Vincent et al., 2010, Stacked Denoising Autoencoders, section 6; Erhan et al., 2010
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: TODO
Expected: TODO
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int32, Key

from experiments._encoder_pretraining import (
    Nets,
    Pretraining,
    Shape,
    autoencoder,
    encoders,
    pretrain,
    stacked_codes,
    stacked_layer,
    variational_autoencoder,
)
from experiments._finetuning_evaluation import make_evaluate
from experiments._labelled_batches import (
    count_name,
    labelled_batches,
    require_labels,
    split_batch,
)
from lecture_models.data.lookup import Library
from lecture_models.models.autoencoder import DenseEncoder
from lecture_models.runtime.config import require_at_least, require_between
from lecture_models.runtime.experiment import Experiment, Phase, Step
from lecture_models.runtime.loop import Cadence
from lecture_models.steps.classifier import classifier_step
from lecture_models.steps.descent import TrainState, init_train_state

KINDS = ("scratch", "ae", "dae", "sae", "vae")  # How a classifier's layers begin.
LOSSES = ("ae_loss", "dae_loss", "finetuning_loss", "sae_loss", "vae_loss")


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    label_counts: tuple[int, ...] = (100, 1_000, 10_000, 0)  # Each a column; 0 is all labels.
    hidden: tuple[int, ...] = (500, 250)  # The layers that are handed over.
    code_dim: int = 30  # On top of them while pre-training, then thrown away.
    masking: float = 0.5  # Of the denoising autoencoder: the fraction of pixels that turn black.
    # Of the stack: noise as above, and a cost on active units. With neither its layers, wider than
    # what they need to copy their input, are a worse start than chance.
    stack_masking: float = 0.3
    stack_sparsity: float = 0.1
    sigmoid: bool = False  # The hidden units of 2010; else rectifiers.
    pretraining_steps: int = 2_400  # The stack divides them among its layers.
    num_steps: int = 3_900  # In all; those after pre-training fine-tune.
    pretraining_batch_size: int = 128
    batch_size: int = 100  # Of labelled images, for each classifier.
    pretraining_rate: float = 3e-3
    learning_rate: float = 1e-3
    sgd: bool = False  # At constant rates; else Adam, whose rates rise briefly and fall to 0.
    log_every: int = 100
    eval_every: int = 3_900
    checkpoint_every: int = 1_300

    def __post_init__(self):
        require_at_least(self, 1, "hidden", "code_dim", "batch_size", "pretraining_batch_size")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 0, "seed", "label_counts", "stack_sparsity")
        require_at_least(self, 0, "learning_rate", "pretraining_rate")
        require_between(self, 0.0, 1.0, "masking", "stack_masking")
        counts, layers = self.label_counts, len(self.hidden)
        if not counts or len(set(counts)) < len(counts):
            given = ",".join(map(str, counts))
            raise ValueError(f"--label_counts is {given!r}; it must be one count or more, each once")
        if not layers <= self.pretraining_steps < self.num_steps:
            raise ValueError(
                f"--pretraining_steps is {self.pretraining_steps}; it must be from {layers}, one "
                f"for each hidden layer, to below --num_steps, {self.num_steps}"
            )


# The stack of the authors' tutorial, github.com/lisa-lab/DeepLearningTutorials, code/SdA.py, with
# the other kinds beside it. Departures: weights are not tied; over codes the error is squared, not a
# cross-entropy; a fixed number of epochs, not stopping by the validation error.
PAPER = {
    "hidden": (1000, 1000, 1000),
    "masking": 0.2,
    "stack_masking": 0.2,  # 0.1, 0.2 and 0.3 from the pixels up in theirs.
    "stack_sparsity": 0.0,
    "sigmoid": True,
    "pretraining_steps": 2_250_000,  # 15 epochs for each layer.
    "num_steps": 4_250_000,  # And 40 of all labels.
    "pretraining_batch_size": 1,
    "batch_size": 1,
    "pretraining_rate": 0.001,
    "learning_rate": 0.1,
    "sgd": True,
    "log_every": 5_000,
    "eval_every": 250_000,
    "checkpoint_every": 50_000,
}

SMOKE = {
    "dataset": "digits",
    "label_counts": (20, 0),
    "hidden": (32, 16),
    "code_dim": 4,
    "pretraining_steps": 6,
    "num_steps": 12,
    "pretraining_batch_size": 16,
    "batch_size": 16,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class State(NamedTuple):
    """The four nets without labels, the classifiers by label count and kind, the steps of those."""

    nets: Nets
    classifiers: dict[str, dict[str, TrainState]]
    finetuning_steps: Int32[Array, ""]


def make_optimizer(config: Config, rate: float, num_steps: int) -> optax.GradientTransformation:
    if config.sgd:
        return optax.sgd(rate)
    rise = max(1, num_steps // 20)
    return optax.adam(optax.warmup_cosine_decay_schedule(0.0, rate, rise, max(2, num_steps)))


def layer_starts(config: Config) -> list[int]:
    """The first step of each layer of the stack, and then of the fine-tuning."""
    layers = len(config.hidden)
    return [index * config.pretraining_steps // layers for index in range(layers + 1)]


def make_init(
    config: Config, pretrainings: Pretrainings, classifier: DenseEncoder
) -> Callable[[Key[Array, ""]], State]:
    """All classifiers of one label count begin alike: they differ by what they are given later."""
    ...


def make_enter(shape: Shape) -> Callable[[State], State]:
    ...
