"""Deep autoencoder of 30 code units on MNIST, pre-trained layer by layer or not.

    python launch.py --experiment=deep_ae_mnist

Paper: Hinton and Salakhutdinov, 2006, Reducing the dimensionality of data with neural networks
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: 7 to 17 minutes on two cores of a busy machine
Expected: squared error 3.07 +- 0.02 per test image over 3 seeds (paper: 3.00; logistic PCA 8.01,
  PCA 13.87); see results/deep_ae_mnist.md

The three generations of the lecture: --hidden= --sigmoid_code is one layer with a sigmoid, the
defaults are deep and fully connected, --channels=32,64 is a CNN of rectifiers.
--sigmoid --pretrain_steps=N is the network of 2006, --sigmoid the same one without pre-training.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax
from jaxtyping import Array, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset, joined
from lecture_models.data.lookup import Library
from lecture_models.evaluators.autoencoder import filter_image, make_evaluate
from lecture_models.experiment import Cadence, Evaluation, Experiment, Phase
from lecture_models.losses.reconstruction import bernoulli_cross_entropy, squared_error
from lecture_models.models import rbm
from lecture_models.models.autoencoder import (
    ConvDecoder,
    ConvEncoder,
    DenseDecoder,
    DenseEncoder,
    Pair,
    pixels,
)
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.steps.autoencoder import Autoencoder, reconstruction_step
from lecture_models.steps.descent import TrainState, init_train_state, warmup_cosine
from lecture_models.steps.rbm import contrastive_divergence_step, rbm_optimizer


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 8_000  # Those of pre-training included.
    hidden: tuple[int, ...] = (1000, 500, 250)  # Of the encoder; the decoder has them in reverse.
    code_dim: int = 30
    channels: tuple[int, ...] = ()  # Where there are any: convolutions that halve, not `hidden`.
    sigmoid: bool = False  # Hidden units of 2006; else exponential linear, learned in fewer steps.
    sigmoid_code: bool = False  # Code units too, as in the first autoencoders; else linear.
    cross_entropy: bool = True  # Trained on, as in 2006; else the squared error that is reported.
    learning_rate: float = 3e-3
    adam_b2: float = 0.99  # Not 0.999: a fifth less error after 1,200 steps.
    train_on_validation: bool = False  # All 60,000 training images, once nothing is left to choose.
    pretrain_steps: int = 0  # Of each restricted Boltzmann machine, one for each layer.
    gibbs_steps: int = 1  # k of contrastive divergence.
    log_every: int = 100
    eval_every: int = 2_000
    checkpoint_every: int = 2_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden", "code_dim", "channels", "gibbs_steps")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate", "pretrain_steps")
        require_between(self, 0.0, 0.999999, "adam_b2")
        if self.pretrain_steps and (self.channels or not self.sigmoid):
            raise ValueError(
                f"--pretrain_steps is {self.pretrain_steps}; Boltzmann machines need --sigmoid and "
                "no --channels, else it must be 0"
            )
        if self.fine_tuning_start >= self.num_steps:
            raise ValueError(
                f"--num_steps is {self.num_steps}; with {self.pretrain_steps} for each of "
                f"{len(self.hidden) + 1} layers it must be more than {self.fine_tuning_start}"
            )

    @property
    def fine_tuning_start(self) -> int:
        return self.pretrain_steps * (len(self.hidden) + 1)


# Hinton and Salakhutdinov, 2006, and its supporting material: 50 epochs for each Boltzmann machine,
# then 200 of fine-tuning; there by conjugate gradients on batches of 1,000, here by Adam.
PAPER = {
    "batch_size": 100,
    "sigmoid": True,
    "train_on_validation": True,
    "pretrain_steps": 30_000,
    "num_steps": 240_000,
    "learning_rate": 1e-3,
    "eval_every": 30_000,
    "checkpoint_every": 10_000,
}

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "num_steps": 16,
    "hidden": (16, 8),
    "code_dim": 4,
    "sigmoid": True,
    "pretrain_steps": 3,
    "log_every": 2,
    "eval_every": 8,
    "checkpoint_every": 4,
}


class State(NamedTuple):
    """`rbms` are the layers, the lowest first; none without pre-training."""

    rbms: tuple[TrainState, ...]
    autoencoder: TrainState


class Layer(NamedTuple):
    """A restricted Boltzmann machine to be, and how it is trained."""

    num_visible: int
    num_hidden: int
    units: rbm.HiddenUnits
    optimizer: optax.GradientTransformation


def make_networks(config: Config, image_shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    """The encoder and the decoder."""
    code = nn.sigmoid if config.sigmoid_code else None
    if config.channels:
        return (
            ConvEncoder(config.channels, config.code_dim),
            ConvDecoder(config.channels[::-1], image_shape),
        )
    unit = nn.sigmoid if config.sigmoid else nn.elu
    return (
        DenseEncoder(config.hidden, config.code_dim, unit, code),
        DenseDecoder(config.hidden[::-1], image_shape, unit),
    )


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Adam, for the steps after pre-training: a short rise and a cosine to 0.

    2006 has conjugate gradients on batches of 1,000, three line searches each.
    """
    num_steps = config.num_steps - config.fine_tuning_start
    return optax.adam(warmup_cosine(config.learning_rate, num_steps), b2=config.adam_b2)


def make_layers(config: Config, num_pixels: int) -> tuple[Layer, ...]:
    """The stack to pre-train: logistic units, but for a linear code, whose rate must be lower."""
    if not config.pretrain_steps:
        return ()
    decayed = rbm.RBM(weights=True, visible_bias=False, hidden_bias=False)
    momentum_step = config.pretrain_steps // 10  # 5 of 50 epochs in 2006.
    logistic = rbm.LOGISTIC, rbm_optimizer(0.1, momentum_step, decayed)
    linear = rbm.LINEAR, rbm_optimizer(0.001, momentum_step, decayed)
    kinds = [logistic] * len(config.hidden) + [logistic if config.sigmoid_code else linear]
    widths = num_pixels, *config.hidden, config.code_dim
    return tuple(
        Layer(*sizes, *kind) for sizes, kind in zip(itertools.pairwise(widths), kinds, strict=True)
    )


def unrolled(state: State) -> Any:
    """The autoencoder's parameters that the machines stand for, as they are."""
    return rbm.unroll([each.params for each in state.rbms])


def pretraining_phases(config: Config, layers: tuple[Layer, ...]) -> list[Phase]:
    """One for each layer, greedily: below it, the machines stay as they are."""

    def make_step(index: int, layer: Layer):
        below = [each.units for each in layers[:index]]

        def step(state, batch, key):
            vectors = flatten_to_unit_range(batch["images"])
            machines = [each.params for each in state.rbms[:index]]
            trained, metrics = contrastive_divergence_step(
                functools.partial(rbm.free_energy, layer.units),
                functools.partial(rbm.reconstruct, layer.units, config.gibbs_steps),
                layer.optimizer,
                state.rbms[index],
                rbm.climb(below, machines, vectors),
                key,
            )
            rbms = (*state.rbms[:index], trained, *state.rbms[index + 1 :])
            return state._replace(rbms=rbms), metrics

        return step

    return [
        Phase(index * config.pretrain_steps, make_step(index, layer))
        for index, layer in enumerate(layers)
    ]


def make_staged_evaluate(
    config: Config, autoencoder: Autoencoder, dataset: Dataset
) -> Callable[[State, Key[Array, ""]], Evaluation]:
    """Judges the autoencoder; before fine-tuning, the one that the machines stand for."""
    image_shape = dataset.train.images.shape[1:]
    judge = make_evaluate(autoencoder, dataset, config.code_dim)

    def evaluate(state, key):
        # Until fine-tuning begins, what it would begin with: Adam has counted no step.
        num_fine_tuned = int(state.autoencoder.optimizer_state[0].count)
        waiting = state.rbms and num_fine_tuned == 0
        params = unrolled(state) if waiting else state.autoencoder.params
        judgment = judge(params)
        error, least = judgment["squared_error"], judgment["pca_squared_error"]
        ended = config.fine_tuning_start + num_fine_tuned >= config.num_steps
        first = next(iter(params["encoder"].values()))
        return judgment | {
            "filters": filter_image(first["kernel"], image_shape, "weights of the first layer"),
            "alarm_above_pca": (
                f"squared error {error:.2f} in the end, {least:.2f} by PCA"
                if ended and error > least
                else ""
            ),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    networks = Pair(*make_networks(config, image_shape), config.code_dim, image_shape)
    autoencoder = Autoencoder(networks.encode, networks.decode, pixels)
    layers = make_layers(config, int(np.prod(image_shape)))
    optimizer = make_optimizer(config)

    def init(key):
        layer_keys = jax.random.split(jax.random.fold_in(key, 1), len(layers))
        rbms = tuple(
            init_train_state(
                layer.optimizer, rbm.init_rbm(each, layer.num_visible, layer.num_hidden)
            )
            for layer, each in zip(layers, layer_keys, strict=True)
        )
        return State(rbms, init_train_state(optimizer, networks.init(key)))

    def loss(logits, images):
        if config.cross_entropy:
            return bernoulli_cross_entropy(logits, images)
        return squared_error(pixels(logits), images)

    def fine_tune(state, batch, key):
        trained, metrics = reconstruction_step(
            autoencoder, loss, optimizer, state.autoencoder, batch["images"]
        )
        return state._replace(autoencoder=trained), metrics

    def unroll(state):
        return state._replace(autoencoder=init_train_state(optimizer, unrolled(state)))

    evaluate = make_staged_evaluate(config, autoencoder, dataset)
    phases = pretraining_phases(config, layers)
    enter = {"enter": unroll} if layers else {}
    images = dataset.train.images
    if config.train_on_validation:
        images = joined(dataset.train, dataset.validation).images
    batches = ArrayBatches({"images": images}, config.batch_size, config.seed)
    return Experiment(
        init, (*phases, Phase(config.fine_tuning_start, fine_tune, **enter)), evaluate, batches
    )
