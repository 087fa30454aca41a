"""Deep autoencoder with 30 code units on MNIST, with or without layer-wise pre-training.

    python launch.py --experiment=deep_ae_mnist

Paper: Hinton and Salakhutdinov, 2006, Reducing the dimensionality of data with neural networks
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 7 to 17 minutes on two cores of a busy machine
Expected: squared error 3.07 +- 0.02 per test image over 3 seeds (paper: 3.00; logistic PCA 8.01,
  PCA 13.87); see results/deep_ae_mnist.md

The lecture shows three generations of autoencoders. --hidden= --sigmoid_code has one layer with a
sigmoid, the defaults are deep and fully connected, and --channels=32,64 is a CNN with rectifiers.
--sigmoid --pretrain_steps=N is the network of 2006; --sigmoid is the same without pre-training.
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
    EncoderDecoder,
    pixels,
)
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.steps.autoencoder import Autoencoder, reconstruction_step
from lecture_models.steps.descent import TrainState, init_train_state, warmup_cosine
from lecture_models.steps.rbm import contrastive_divergence_step, rbm_optimizer


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    seed: int = 0
    batch_size: int = 128
    num_steps: int = 8_000  # All steps, including those of pre-training.
    # Widths of the encoder's layers; the decoder has them in reverse.
    hidden: tuple[int, ...] = (1000, 500, 250)
    code_dim: int = 30
    # Channels of convolutions of stride 2, which replace the layers of `hidden`; empty for none.
    channels: tuple[int, ...] = ()
    sigmoid: bool = False  # Uses sigmoid hidden units, as in 2006; ELUs learn in fewer steps.
    # Uses sigmoid code units, as in the first autoencoders, not linear ones.
    sigmoid_code: bool = False
    cross_entropy: bool = True  # Minimizes the cross-entropy, as in 2006, not the squared error.
    learning_rate: float = 3e-3
    adam_b2: float = 0.99  # Not 0.999: the error after 1,200 steps is a fifth lower.
    train_on_validation: bool = False  # Trains on all 60,000 images, for a final run.
    pretrain_steps: int = 0  # Steps for each layer's restricted Boltzmann machine; 0 for none.
    gibbs_steps: int = 1  # The k of contrastive divergence.
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
                f"--pretrain_steps is {self.pretrain_steps}; it must be 0 with --channels or "
                "without --sigmoid, because Boltzmann machines are dense and have sigmoid units"
            )
        if self.fine_tuning_start >= self.num_steps:
            raise ValueError(
                f"--num_steps is {self.num_steps}; with {self.pretrain_steps} steps of "
                f"pre-training for each of {len(self.hidden) + 1} layers it must be more than "
                f"{self.fine_tuning_start}"
            )

    @property
    def fine_tuning_start(self) -> int:
        """Returns the first step after pre-training."""
        return self.pretrain_steps * (len(self.hidden) + 1)


# Hinton and Salakhutdinov, 2006, and its supporting material: 50 epochs for each Boltzmann machine,
# then 200 of fine-tuning. They fine-tune by conjugate gradients on batches of 1,000, not by Adam.
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

_CODE, _TEXT = "the authors' MATLAB code", "Hinton and Salakhutdinov, 2006, supporting text"
PAPER_SOURCES = {
    "batch_size": f"{_CODE}, for pre-training",
    "num_steps": f"{_CODE}: 200 epochs after the pre-training of four layers",
    "hidden": "figure 1 and the text: 784-1000-500-250-30",
    "code_dim": "the text: 30 linear units",
    "sigmoid": "the text: logistic units",
    "cross_entropy": _TEXT,
    "train_on_validation": "the text: 60,000 training images",
    "pretrain_steps": f"{_CODE}: 50 epochs for each layer",
    "gibbs_steps": "the text: one step of contrastive divergence",
}
PAPER_DEPARTURES = (
    ("conjugate gradients, three line searches on batches of 1,000", "Adam on batches of 100"),
)

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
    """Holds everything that is trained.

    Attributes:
        rbms: the restricted Boltzmann machines, the lowest first; () without pre-training.
        autoencoder: the autoencoder, which is trained after them.
    """

    rbms: tuple[TrainState, ...]
    autoencoder: TrainState


class RBMTraining(NamedTuple):
    """Describes a restricted Boltzmann machine and its optimizer.

    Attributes:
        num_visible: number of visible units.
        num_hidden: number of hidden units.
        units: the kind of the hidden units.
        optimizer: updates the parameters.
    """

    num_visible: int
    num_hidden: int
    units: rbm.HiddenUnits
    optimizer: optax.GradientTransformation


def make_networks(config: Config, image_shape: tuple[int, int, int]) -> tuple[nn.Module, nn.Module]:
    """Returns the encoder and the decoder."""
    code_nonlinearity = nn.sigmoid if config.sigmoid_code else None
    if config.channels:
        return (
            ConvEncoder(config.channels, config.code_dim),
            ConvDecoder(config.channels[::-1], image_shape),
        )
    nonlinearity = nn.sigmoid if config.sigmoid else nn.elu
    return (
        DenseEncoder(config.hidden, config.code_dim, nonlinearity, code_nonlinearity),
        DenseDecoder(config.hidden[::-1], image_shape, nonlinearity),
    )


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns Adam with a warmup and a cosine to 0, for the steps after pre-training.

    Hinton and Salakhutdinov use conjugate gradients on batches of 1,000, with three line searches
    each.
    """
    num_steps = config.num_steps - config.fine_tuning_start
    return optax.adam(warmup_cosine(config.learning_rate, num_steps), b2=config.adam_b2)


def make_rbm_trainings(config: Config, num_pixels: int) -> tuple[RBMTraining, ...]:
    """Returns the training of each layer, the lowest first; () without pre-training.

    All units are logistic, except that the code is linear by default. Linear units need a lower
    learning rate.
    """
    if not config.pretrain_steps:
        return ()
    decayed = rbm.RBM(weights=True, visible_bias=False, hidden_bias=False)
    momentum_step = config.pretrain_steps // 10  # 5 of 50 epochs in the paper.
    logistic = rbm.LOGISTIC, rbm_optimizer(0.1, momentum_step, decayed)
    linear = rbm.LINEAR, rbm_optimizer(0.001, momentum_step, decayed)
    kinds = [logistic] * len(config.hidden) + [logistic if config.sigmoid_code else linear]
    widths = num_pixels, *config.hidden, config.code_dim
    return tuple(
        RBMTraining(*sizes, *kind)
        for sizes, kind in zip(itertools.pairwise(widths), kinds, strict=True)
    )


def unroll_rbms(state: State) -> Any:
    """Returns the parameters of the autoencoder that the machines define."""
    return rbm.unroll([machine.params for machine in state.rbms])


def pretraining_phases(config: Config, trainings: tuple[RBMTraining, ...]) -> list[Phase]:
    """Returns a phase for each layer, which trains its machine and keeps those below fixed."""

    def make_step(index: int, training: RBMTraining):
        lower_units = [lower.units for lower in trainings[:index]]

        def step(state, batch, key):
            vectors = flatten_to_unit_range(batch["images"])
            lower_params = [machine.params for machine in state.rbms[:index]]
            trained, metrics = contrastive_divergence_step(
                functools.partial(rbm.free_energy, training.units),
                functools.partial(rbm.reconstruct, training.units, config.gibbs_steps),
                training.optimizer,
                state.rbms[index],
                rbm.propagate_up(lower_units, lower_params, vectors),
                key,
            )
            rbms = (*state.rbms[:index], trained, *state.rbms[index + 1 :])
            return state._replace(rbms=rbms), metrics

        return step

    return [
        Phase(index * config.pretrain_steps, make_step(index, training))
        for index, training in enumerate(trainings)
    ]


def make_staged_evaluate(
    config: Config, autoencoder: Autoencoder, dataset: Dataset
) -> Callable[[State, Key[Array, ""]], Evaluation]:
    """Returns a function that evaluates the autoencoder.

    Before fine-tuning, it evaluates the autoencoder that the machines define.
    """
    image_shape = dataset.train.images.shape[1:]
    evaluate_autoencoder = make_evaluate(autoencoder, dataset, config.code_dim)

    def evaluate(state, key):
        num_fine_tuned = int(state.autoencoder.optimizer_state[0].count)  # Adam counts its steps.
        pretraining = state.rbms and num_fine_tuned == 0
        params = unroll_rbms(state) if pretraining else state.autoencoder.params
        evaluation = evaluate_autoencoder(params)
        error, pca_error = evaluation["squared_error"], evaluation["pca_squared_error"]
        ended = config.fine_tuning_start + num_fine_tuned >= config.num_steps
        lowest_layer = next(iter(params["encoder"].values()))
        caption = "weights of the first layer"
        return evaluation | {
            "filters": filter_image(lowest_layer["kernel"], image_shape, caption),
            "alarm_above_pca": (
                f"squared error {error:.2f} after the last step; PCA reaches {pca_error:.2f}"
                if ended and error > pca_error
                else ""
            ),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    networks = EncoderDecoder(*make_networks(config, image_shape), config.code_dim, image_shape)
    autoencoder = Autoencoder(networks.encode, networks.decode, pixels)
    trainings = make_rbm_trainings(config, int(np.prod(image_shape)))
    optimizer = make_optimizer(config)

    def init(key):
        rbm_keys = jax.random.split(jax.random.fold_in(key, 1), len(trainings))
        rbms = tuple(
            init_train_state(
                training.optimizer,
                rbm.init_rbm(rbm_key, training.num_visible, training.num_hidden),
            )
            for training, rbm_key in zip(trainings, rbm_keys, strict=True)
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

    def start_fine_tuning(state):
        return state._replace(autoencoder=init_train_state(optimizer, unroll_rbms(state)))

    evaluate = make_staged_evaluate(config, autoencoder, dataset)
    phases = pretraining_phases(config, trainings)
    enter = {"enter": start_fine_tuning} if trainings else {}
    images = dataset.train.images
    if config.train_on_validation:
        images = joined(dataset.train, dataset.validation).images
    batches = ArrayBatches({"images": images}, config.batch_size, config.seed)
    return Experiment(
        init,
        (*phases, Phase(config.fine_tuning_start, fine_tune, **enter)),
        evaluate,
        batches,
        cadence_decides={"num_steps": "the schedule of learning_rate in fine-tuning"},
    )
