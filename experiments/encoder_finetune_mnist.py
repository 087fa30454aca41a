"""Encoders pre-trained without labels, then fine-tuned as classifiers on few or many labels.

    python launch.py --experiment=encoder_finetune_mnist

Paper: Vincent et al., 2010, Stacked Denoising Autoencoders, section 6; Erhan et al., 2010
Data: MNIST, without a fallback: scikit-learn's digits have fewer than 10,000 labels
Cost: 8 to 11 minutes on one core
Expected: every encoder beats scratch at 100, 1,000 and 10,000 labels, by 1 to 3 points at 100; see
  results/encoder_finetune_mnist.md

One run compares five kinds of initial layers: random ones (scratch), and those of an autoencoder
(ae), a denoising (dae), a stacked (sae) and a variational one (vae). It trains in phases: one for
each layer of the stack, during which the other encoders are trained too, then the fine-tuning.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from lecture_models.config import as_typed, require_at_least, require_between
from lecture_models.data.dataset import Dataset
from lecture_models.data.labeled_batches import (
    LabeledBatches,
    count_names,
    labeled_batches,
    require_labels,
    split_batch,
)
from lecture_models.data.lookup import Library
from lecture_models.evaluators.finetuning import SCRATCH, filter_images, make_evaluate
from lecture_models.experiment import Cadence, Experiment, Phase
from lecture_models.models.autoencoder import DenseEncoder
from lecture_models.steps.descent import Metrics
from lecture_models.steps.finetune import finetune_step
from lecture_models.tasks.encoder_finetuning import Classifiers, init_classifiers, replace_layers
from lecture_models.tasks.encoder_pretraining import (
    EncoderArchitecture,
    Stages,
    StageStates,
    autoencoder_stage,
    init_nets,
    layer_name,
    pretrained_layers,
    pretraining_step,
    stack_stage,
    variational_stage,
)


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist"
    seed: int = 0
    # Numbers of labeled images, each with classifiers of its own; 0 is all of them.
    label_counts: tuple[int, ...] = (100, 1_000, 10_000, 0)
    hidden: tuple[int, ...] = (500, 250)  # Widths of the layers that the classifiers take over.
    code_dim: int = 30  # Width of the layer above them in pre-training, which is then discarded.
    masking: float = 0.5  # Fraction of pixels set to black for the denoising autoencoder.
    # Fraction of inputs set to 0 for each layer of the stack. If this and stack_sparsity are 0, the
    # stack's layers are a worse start than random ones.
    stack_masking: float = 0.3
    stack_sparsity: float = 0.1  # Weight of the penalty on the sum of a layer's activations.
    sigmoid: bool = False  # Uses sigmoid hidden units, as in 2010, not rectifiers.
    pretrain_steps: int = 2_400  # The stack divides them among its layers.
    num_steps: int = 3_900  # All steps; those after pre-training fine-tune.
    pretrain_batch_size: int = 128
    batch_size: int = 100  # Number of labeled images in each classifier's batch.
    pretrain_rate: float = 3e-3  # The learning rate of pre-training.
    learning_rate: float = 1e-3  # The learning rate of fine-tuning.
    # Uses gradient descent at constant rates, not Adam with a warmup and a decay to 0.
    constant_rate_sgd: bool = False
    log_every: int = 100
    eval_every: int = 3_900
    checkpoint_every: int = 1_300

    def __post_init__(self):
        require_at_least(self, 1, "hidden", "code_dim", "batch_size", "pretrain_batch_size")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 0, "seed", "label_counts", "stack_sparsity")
        require_at_least(self, 0, "learning_rate", "pretrain_rate")
        require_between(self, 0.0, 1.0, "masking", "stack_masking")
        num_layers, counts = len(self.hidden), self.label_counts
        if not num_layers:
            raise ValueError("--hidden is empty; it must have at least one number")
        if not counts or len(set(counts)) < len(counts):
            raise ValueError(
                f"--label_counts is {as_typed(counts)!r}; it must be one or more different numbers"
            )
        if not num_layers <= self.pretrain_steps < self.num_steps:
            raise ValueError(
                f"--pretrain_steps is {self.pretrain_steps}; it must be at least {num_layers}, the "
                f"number of hidden layers, and less than --num_steps, which is {self.num_steps}"
            )


# The stack of the authors' tutorial, github.com/lisa-lab/DeepLearningTutorials, code/SdA.py, with
# the other kinds beside it. Departures: weights are not tied; the error of activations is squared,
# not a cross-entropy; the number of epochs is fixed, not chosen by the validation error.
PAPER = {
    "hidden": (1000, 1000, 1000),
    "masking": 0.2,
    "stack_masking": 0.2,  # 0.1, 0.2 and 0.3 in theirs, from the lowest layer to the highest.
    "stack_sparsity": 0.0,
    "sigmoid": True,
    "pretrain_steps": 2_250_000,  # 15 epochs for each layer.
    "num_steps": 4_250_000,  # 40 more epochs, of all labeled images.
    "pretrain_batch_size": 1,
    "batch_size": 1,
    "pretrain_rate": 0.001,
    "learning_rate": 0.1,
    "constant_rate_sgd": True,
    "log_every": 5_000,
    "eval_every": 250_000,
    "checkpoint_every": 50_000,
}

_TUTORIAL = "the deeplearning.net tutorial on stacked denoising autoencoders"
PAPER_SOURCES = {
    "hidden": _TUTORIAL,
    "sigmoid": _TUTORIAL,
    "pretrain_steps": f"{_TUTORIAL}: 15 epochs for each of three layers",
    "num_steps": f"{_TUTORIAL}, which trains for up to 1,000 epochs and stops early",
    "pretrain_batch_size": _TUTORIAL,
    "batch_size": _TUTORIAL,
    "pretrain_rate": _TUTORIAL,
    "learning_rate": _TUTORIAL,
    "constant_rate_sgd": _TUTORIAL,
}
PAPER_DEPARTURES = (
    (
        "Vincent et al., 2010, choose every hyperparameter by validation",
        "the values of a public tutorial",
    ),
    ("masking of 0.1, 0.2 and 0.3 from the lowest layer to the highest", "0.2"),
    ("up to 1,000 epochs, until the validation error stops falling", "40 epochs"),
    ("the best step on the validation set is tested", "the last step is tested"),
)

SMOKE = {
    "dataset": "digits",
    "label_counts": (20, 0),
    "hidden": (32, 16),
    "code_dim": 4,
    "pretrain_steps": 6,
    "num_steps": 12,
    "pretrain_batch_size": 16,
    "batch_size": 16,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class State(NamedTuple):
    """Holds everything that is trained.

    Attributes:
        nets: the nets that learn without labels, by kind: the states of their stages.
        classifiers: the classifiers, by number of labels; each holds one of every kind.
    """

    nets: dict[str, StageStates]
    classifiers: Classifiers


def make_batches(config: Config, dataset: Dataset) -> LabeledBatches:
    """Returns batches of unlabeled images, followed by labeled ones for each number of labels."""
    return labeled_batches(
        dataset.train,
        config.label_counts,
        config.pretrain_batch_size,
        config.batch_size,
        config.seed,
    )


def make_architecture(config: Config, dataset: Dataset) -> EncoderArchitecture:
    image_shape = dataset.train.images.shape[1:]
    nonlinearity = nn.sigmoid if config.sigmoid else nn.relu
    return EncoderArchitecture(config.hidden, config.code_dim, image_shape, nonlinearity)


def phase_starts(config: Config) -> list[int]:
    """Returns the first steps of the phases: one for each layer of the stack, then fine-tuning."""
    num_layers = len(config.hidden)
    return [index * config.pretrain_steps // num_layers for index in range(num_layers + 1)]


def make_optimizer(config: Config, rate: float, num_steps: int) -> optax.GradientTransformation:
    """Returns Adam with a warmup and a cosine to 0, or gradient descent at a constant rate.

    The warmup takes the first twentieth of the steps.
    """
    if config.constant_rate_sgd:
        return optax.sgd(rate)
    warmup_steps = math.ceil(num_steps / 20)
    return optax.adam(
        optax.warmup_cosine_decay_schedule(0.0, rate, warmup_steps, max(num_steps, 2))
    )


def make_stages(config: Config, architecture: EncoderArchitecture) -> dict[str, Stages]:
    """Returns the stages of pre-training by kind: one for each layer of the stack, else one."""
    rate = config.pretrain_rate
    optimizer = make_optimizer(config, rate, config.pretrain_steps)
    layer_steps = [end - start for start, end in itertools.pairwise(phase_starts(config))]
    stack = tuple(
        stack_stage(
            architecture,
            make_optimizer(config, rate, num_steps),
            layer,
            config.stack_masking,
            config.stack_sparsity,
        )
        for layer, num_steps in enumerate(layer_steps)
    )
    return {
        "ae": (autoencoder_stage(architecture, optimizer, masking=0.0),),
        "dae": (autoencoder_stage(architecture, optimizer, config.masking),),
        "sae": stack,
        "vae": (variational_stage(architecture, optimizer),),
    }


def make_phases(
    config: Config,
    stages: dict[str, Stages],
    batch_sizes: tuple[int, ...],
    start_finetuning: Callable[[State], State],
    finetune_classifiers: Callable[..., tuple[Classifiers, Metrics]],
) -> tuple[Phase, ...]:
    """Returns a phase for each layer of the stack, then the fine-tuning.

    All phases have the same metrics, the losses before a step; a loss that a phase does not compute
    is 0.
    """
    no_losses = {f"loss_{kind}": jnp.zeros(()) for kind in (*stages, "finetuning")}

    def pretrain(layer, state, batch, key):
        images, _ = split_batch(batch, batch_sizes, config.label_counts)
        nets, losses = pretraining_step(stages, layer, state.nets, images, key)
        return state._replace(nets=nets), no_losses | losses

    def finetune(state, batch, key):
        _, labeled = split_batch(batch, batch_sizes, config.label_counts)
        classifiers, metrics = finetune_classifiers(state.classifiers, labeled)
        losses = no_losses | {"loss_finetuning": metrics["loss"]}
        return state._replace(classifiers=classifiers), losses

    *layer_starts, finetuning_start = phase_starts(config)
    pretraining = (
        Phase(first_step, functools.partial(pretrain, layer))
        for layer, first_step in enumerate(layer_starts)
    )
    return (*pretraining, Phase(finetuning_start, finetune, start_finetuning))


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    require_labels(dataset, config.label_counts)
    batches = make_batches(config, dataset)
    architecture = make_architecture(config, dataset)
    stages = make_stages(config, architecture)
    classifier = DenseEncoder(config.hidden, len(dataset.classes), architecture.nonlinearity)
    finetuning_steps = config.num_steps - config.pretrain_steps
    optimizer = make_optimizer(config, config.learning_rate, finetuning_steps)
    kinds, counts = (SCRATCH, *stages), count_names(config.label_counts)

    def classify(params, images):
        return classifier.apply({"params": params}, images)

    def layers_by_kind(nets):
        return {kind: pretrained_layers(architecture, nets[kind]) for kind in stages}

    def init(key):
        nets_key, *keys = jax.random.split(key, 1 + len(counts))
        keys = dict(zip(counts, keys, strict=True))
        image_shape, num_kinds = architecture.image_shape, len(kinds)
        classifiers = init_classifiers(classifier, optimizer, image_shape, keys, num_kinds)
        return State(init_nets(stages, nets_key), classifiers)

    def start_finetuning(state):
        layers = [{}, *layers_by_kind(state.nets).values()]  # {} for scratch.
        return state._replace(classifiers=replace_layers(optimizer, state.classifiers, layers))

    finetune_classifiers = functools.partial(finetune_step, classify, optimizer)
    evaluate_classifiers = make_evaluate(classify, dataset, kinds, counts)

    def evaluate(state, key):
        layers, lowest = layers_by_kind(state.nets), layer_name(0)
        kernels = {kind: layers[kind][lowest]["kernel"] for kind in stages}
        pictures = filter_images(kernels, architecture.image_shape)
        return evaluate_classifiers(state.classifiers) | pictures

    phases = make_phases(config, stages, batches.sizes, start_finetuning, finetune_classifiers)
    reason = "the schedule of the learning rate in fine-tuning"
    scheduled = {} if config.constant_rate_sgd else {"num_steps": reason}
    return Experiment(init, phases, evaluate, batches, cadence_decides=scheduled)
