"""Encoders pre-trained without labels, fine-tuned as classifiers on few labels and many.

    python launch.py --experiment=encoder_finetune_mnist

Paper: Vincent et al., 2010, Stacked Denoising Autoencoders, section 6; Erhan et al., 2010
Data: MNIST, never replaced: the digits that scikit-learn ships are fewer than 10,000 labels
Cost: 11 minutes on one busy core
Expected: every encoder beats scratch at 100, 1,000 and 10,000 labels, by 1 to 3 points at 100; see
  results/encoder_finetune_mnist.md
"""

import dataclasses
import functools
import itertools
import math
import operator
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from lecture_models.config import require_at_least, require_between
from lecture_models.data.labeled_batches import (
    count_names,
    labeled_batches,
    require_labels,
    split_batch,
)
from lecture_models.data.lookup import Library
from lecture_models.evaluators.finetuning import SCRATCH, filter_images, make_evaluate
from lecture_models.experiment import Cadence, Experiment, Phase
from lecture_models.models.autoencoder import DenseEncoder
from lecture_models.steps.descent import Metrics, Params, TrainState
from lecture_models.steps.finetune import finetune_step, init_from_layers
from lecture_models.tasks.encoder_pretraining import (
    Pretraining,
    Shape,
    Stages,
    autoencoder,
    init_nets,
    layer_name,
    pretrained_layers,
    pretraining_step,
    stacked_layer,
    variational_autoencoder,
)


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist"  # A list is tried in turn; a single name is never replaced.
    seed: int = 0
    label_counts: tuple[int, ...] = (100, 1_000, 10_000, 0)  # Each a column; 0 is all labels.
    hidden: tuple[int, ...] = (500, 250)  # The layers that are handed over.
    code_dim: int = 30  # On top of them while pre-training, then thrown away.
    masking: float = 0.5  # Of the denoising autoencoder: the fraction of pixels that turn black.
    # The same of the stack. At 0, and no cost on activity, its layers begin worse than random ones.
    stack_masking: float = 0.3
    stack_sparsity: float = 0.1  # What the sum of a layer's activity costs, beside the error.
    sigmoid: bool = False  # The hidden units of 2010; else rectifiers.
    pretrain_steps: int = 2_400  # The stack divides them among its layers.
    num_steps: int = 3_900  # In all; those after pre-training fine-tune.
    pretrain_batch_size: int = 128
    batch_size: int = 100  # Of labeled images, for each classifier.
    pretrain_rate: float = 3e-3
    learning_rate: float = 1e-3
    constant_rate_sgd: bool = (
        False  # At constant rates; else Adam, whose rates rise briefly and fall to 0.
    )
    log_every: int = 100
    eval_every: int = 3_900
    checkpoint_every: int = 1_300

    def __post_init__(self):
        require_at_least(self, 1, "hidden", "code_dim", "batch_size", "pretrain_batch_size")
        require_at_least(self, 1, *Cadence._fields)
        require_at_least(self, 0, "seed", "label_counts", "stack_sparsity")
        require_at_least(self, 0, "learning_rate", "pretrain_rate")
        require_between(self, 0.0, 1.0, "masking", "stack_masking")
        counts, layers = self.label_counts, len(self.hidden)
        if not layers:
            raise ValueError("--hidden is empty; it must have at least one number")
        if not counts or len(set(counts)) < len(counts):
            given = ",".join(map(str, counts))
            raise ValueError(
                f"--label_counts is {given!r}; it must be one count or more, each once"
            )
        if not layers <= self.pretrain_steps < self.num_steps:
            raise ValueError(
                f"--pretrain_steps is {self.pretrain_steps}; it must be from {layers}, one "
                f"for each hidden layer, to below --num_steps, {self.num_steps}"
            )


# The stack of the authors' tutorial, github.com/lisa-lab/DeepLearningTutorials, code/SdA.py, with
# the other kinds beside it. Departures: weights are not tied; over codes the error is squared, not
# a cross-entropy; a fixed number of epochs, not stopping by the validation error.
PAPER = {
    "hidden": (1000, 1000, 1000),
    "masking": 0.2,
    "stack_masking": 0.2,  # 0.1, 0.2 and 0.3 from the pixels up in theirs.
    "stack_sparsity": 0.0,
    "sigmoid": True,
    "pretrain_steps": 2_250_000,  # 15 epochs for each layer.
    "num_steps": 4_250_000,  # And 40 of all labels.
    "pretrain_batch_size": 1,
    "batch_size": 1,
    "pretrain_rate": 0.001,
    "learning_rate": 0.1,
    "constant_rate_sgd": True,
    "log_every": 5_000,
    "eval_every": 250_000,
    "checkpoint_every": 50_000,
}

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
    """The nets that learn without labels, by kind, and the classifiers, by label count."""

    nets: dict[str, Stages]
    classifiers: dict[str, TrainState]


def make_optimizer(config: Config, rate: float, num_steps: int) -> optax.GradientTransformation:
    """Constant, or a rise over the first twentieth and a cosine to 0."""
    if config.constant_rate_sgd:
        return optax.sgd(rate)
    rise = math.ceil(num_steps / 20)
    return optax.adam(optax.warmup_cosine_decay_schedule(0.0, rate, rise, max(num_steps, 2)))


def layer_starts(config: Config) -> list[int]:
    """The first step of each layer of the stack, and last that of the fine-tuning."""
    layers = len(config.hidden)
    return [index * config.pretrain_steps // layers for index in range(layers + 1)]


def make_pretrainings(config: Config, shape: Shape) -> dict[str, tuple[Pretraining, ...]]:
    """Of each kind: one for all layers together, or for the stack one for each."""
    optimizer = make_optimizer(config, config.pretrain_rate, config.pretrain_steps)
    starts = layer_starts(config)
    return {
        "ae": (autoencoder(shape, optimizer, masking=0.0),),
        "dae": (autoencoder(shape, optimizer, config.masking),),
        "sae": tuple(
            stacked_layer(
                shape,
                make_optimizer(config, config.pretrain_rate, end - start),
                index,
                config.stack_masking,
                config.stack_sparsity,
            )
            for index, (start, end) in enumerate(itertools.pairwise(starts))
        ),
        "vae": (variational_autoencoder(shape, optimizer),),
    }


def make_phases(
    config: Config,
    pretrainings: dict[str, tuple[Pretraining, ...]],
    begin: Callable[[State], State],
    finetune: Callable[..., tuple[dict[str, TrainState], Metrics]],
    sizes: tuple[int, ...],
) -> tuple[Phase, ...]:
    """One for each layer of the stack, then the fine-tuning; `sizes` are those of a batch's parts.

    The metrics are mean losses by kind; all phases report all, and 0 where they have none.
    """
    nothing = {f"loss_{kind}": jnp.zeros(()) for kind in (*pretrainings, "finetuning")}

    def pretrain(layer, state, batch, key):
        images, _ = split_batch(batch, sizes, config.label_counts)
        nets, losses = pretraining_step(pretrainings, layer, state.nets, images, key)
        found = {f"loss_{kind}": loss for kind, loss in losses.items()}
        return state._replace(nets=nets), nothing | found

    def last(state, batch, key):
        _, labeled = split_batch(batch, sizes, config.label_counts)
        classifiers, losses = finetune(state.classifiers, labeled)
        return state._replace(classifiers=classifiers), nothing | {
            "loss_finetuning": losses["loss"]
        }

    *starts, last_start = layer_starts(config)
    first = (Phase(start, functools.partial(pretrain, layer)) for layer, start in enumerate(starts))
    return (*first, Phase(last_start, last, begin))


def member(stacked: Params, index: int) -> Params:
    """One of the trees whose arrays are stacked along the first axis."""
    return jax.tree.map(operator.itemgetter(index), stacked)


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    require_labels(dataset, config.label_counts)
    image_shape = dataset.train.images.shape[1:]
    nonlinearity = nn.sigmoid if config.sigmoid else nn.relu
    shape = Shape(config.hidden, config.code_dim, image_shape, nonlinearity)
    classifier = DenseEncoder(config.hidden, len(dataset.classes), nonlinearity)
    pretrainings = make_pretrainings(config, shape)
    finetuning_steps = config.num_steps - config.pretrain_steps
    optimizer = make_optimizer(config, config.learning_rate, finetuning_steps)
    counts = count_names(config.label_counts)
    kinds = (SCRATCH, *pretrainings)
    batches = labeled_batches(
        dataset.train,
        config.label_counts,
        config.pretrain_batch_size,
        config.batch_size,
        config.seed,
    )

    def classify(params, images):
        return classifier.apply({"params": params}, images)

    def encoders(nets):
        return {kind: pretrained_layers(shape, nets[kind]) for kind in pretrainings}

    def init(key):
        nets_key, *keys = jax.random.split(key, 1 + len(counts))
        images = jnp.zeros((1, *image_shape))
        # All counts in one draw: a small program is compiled sooner.
        drawn = jax.vmap(lambda each: classifier.init(each, images)["params"])(jnp.stack(keys))
        classifiers = {
            count: init_from_layers(optimizer, member(drawn, index), [{}] * len(kinds))
            for index, count in enumerate(counts)
        }
        return State(init_nets(pretrainings, nets_key), classifiers)

    def begin(state):
        layers = [{}, *encoders(state.nets).values()]
        classifiers = {
            count: init_from_layers(optimizer, member(each.params, 0), layers)
            for count, each in state.classifiers.items()
        }
        return state._replace(classifiers=classifiers)

    judge = make_evaluate(classify, dataset, kinds, counts)

    def evaluate(state, key):
        first = {kind: each[layer_name(0)]["kernel"] for kind, each in encoders(state.nets).items()}
        return judge(state.classifiers) | filter_images(first, image_shape)

    finetune = functools.partial(finetune_step, classify, optimizer)
    phases = make_phases(config, pretrainings, begin, finetune, batches.sizes)
    return Experiment(init, phases, evaluate, batches)
