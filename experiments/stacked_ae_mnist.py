"""Stacked autoencoder on MNIST: layer 1, then layer 2, then both together.

    python launch.py --experiment=stacked_ae_mnist

Paper: Bengio et al., 2007, Greedy layer-wise training of deep networks, section 4
Data: MNIST (else the 1,797 digits that scikit-learn ships, announced and recorded)
Cost: 1 minute on two cores
Expected: squared error of the whole net 188 at the start, 79 after layer 1, 17 after layer 2, 7.2
  in the end (PCA with 30 components: 13.87); see results/stacked_ae_mnist.md
"""

import dataclasses
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.lookup import Library
from lecture_models.evaluators.autoencoder import filter_image, make_evaluate
from lecture_models.experiment import Cadence, Experiment, Phase
from lecture_models.models import stacked_autoencoder as stack
from lecture_models.models.autoencoder import pixels
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.steps.autoencoder import Autoencoder
from lecture_models.steps.descent import TrainState, descend, warmup_cosine


@dataclasses.dataclass(frozen=True)
class Config:
    dataset: str = "mnist,digits"  # The first that can be had; a single name is never replaced.
    seed: int = 0
    batch_size: int = 128
    hidden: tuple[int, ...] = (500, 30)  # One phase for each, and one for all.
    pretrain_steps: int = 2_000  # Of each layer.
    num_steps: int = 8_000  # Those of pre-training included.
    learning_rate: float = 2e-3  # Of Adam, in every phase; it falls to 0 along a cosine.
    log_every: int = 100
    eval_every: int = 2_000  # So that each phase ends in an evaluation.
    checkpoint_every: int = 2_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden", "pretrain_steps", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate")
        if not self.hidden:
            raise ValueError("--hidden is empty; it must have at least one number")
        if self.fine_tuning_start >= self.num_steps:
            raise ValueError(
                f"--num_steps is {self.num_steps}; with {self.pretrain_steps} for each of "
                f"{len(self.hidden)} layers it must be more than {self.fine_tuning_start}"
            )

    @property
    def fine_tuning_start(self) -> int:
        return self.pretrain_steps * len(self.hidden)


# Bengio et al., 2007, choose widths of 500 to 1,000 and train for tens of epochs by plain gradient
# descent; here Adam. Their nets end in a classifier.
PAPER = {
    "hidden": (1000, 1000),
    "pretrain_steps": 20_000,
    "num_steps": 60_000,
    "eval_every": 20_000,
    "checkpoint_every": 5_000,
}

SMOKE = {
    "dataset": "digits",
    "batch_size": 16,
    "hidden": (16, 4),
    "pretrain_steps": 4,
    "num_steps": 12,
    "log_every": 2,
    "eval_every": 4,
    "checkpoint_every": 4,
}


class State(NamedTuple):
    """`optimizer_states` has one for each layer and one for all.

    `errors` are the whole net's test errors where each phase began; 0 for those to come.
    """

    layers: tuple[stack.Layer, ...]
    optimizer_states: tuple[optax.OptState, ...]
    errors: Float[Array, " phase"]


def make_optimizer(config: Config, num_steps: int) -> optax.GradientTransformation:
    return optax.adam(warmup_cosine(config.learning_rate, num_steps))


def make_step(first: int, last: int, phase: int, optimizer: optax.GradientTransformation):
    """Trains the layers from `first` to before `last` to reconstruct what enters the first."""

    def step(state, batch, key):
        vectors = flatten_to_unit_range(batch["images"])
        inputs = stack.encode(state.layers[:first], vectors)

        def loss(layers):
            errors = jnp.sum((stack.reconstruct(layers, inputs) - inputs) ** 2, axis=-1)
            return errors.mean(), {"squared_error": errors.mean()}

        trained = TrainState(state.layers[first:last], state.optimizer_states[phase])
        trained, metrics = descend(optimizer, trained, loss)
        optimizer_states = replaced(state.optimizer_states, phase, (trained.optimizer_state,))
        layers = replaced(state.layers, first, trained.params)
        return state._replace(layers=layers, optimizer_states=optimizer_states), metrics

    return step


def replaced(items: tuple, first: int, new: tuple) -> tuple:
    """The items with new ones in place of as many from `first` on."""
    return (*items[:first], *new, *items[first + len(new) :])


def describe_phases(config: Config, state: State, error: float) -> dict[str, str]:
    """The errors so far in one line, and an alarm where one is above the one before it."""
    names = ["start", *(f"layer {index + 1}" for index in range(len(config.hidden)))]
    begun = [value for value in np.asarray(state.errors).tolist() if value > 0.0]
    fine_tuned = len(begun) > len(config.hidden)
    lines = [f"{name} {value:.2f}" for name, value in zip(names, begun, strict=False)]
    reached = [*begun, error] if fine_tuned else begun
    rises = [
        f"from {before:.2f} to {after:.2f}"
        for before, after in itertools.pairwise(reached)
        if after > before
    ]
    return {
        "phases": ", ".join([*lines, f"now {error:.2f}"]),
        "alarm_rise": f"squared error rises {', '.join(rises)}" if rises else "",
    }


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    image_shape = dataset.train.images.shape[1:]
    widths = int(np.prod(image_shape)), *config.hidden
    num_layers = len(config.hidden)
    lengths = [config.pretrain_steps] * num_layers + [config.num_steps - config.fine_tuning_start]
    optimizers = [make_optimizer(config, length) for length in lengths]
    spans = [*((index, index + 1) for index in range(num_layers)), (0, num_layers)]
    test = jnp.asarray(flatten_to_unit_range(dataset.test.images))

    def init(key):
        keys = jax.random.split(key, num_layers)
        layers = tuple(
            stack.init_layer(each, *sizes)
            for each, sizes in zip(keys, itertools.pairwise(widths), strict=True)
        )
        optimizer_states = tuple(
            optimizer.init(layers[first:last])
            for optimizer, (first, last) in zip(optimizers, spans, strict=True)
        )
        return State(layers, optimizer_states, jnp.zeros(num_layers + 1))

    def make_phase(index: int) -> Phase:
        def enter(state):
            error = jnp.sum((stack.reconstruct(state.layers, test) - test) ** 2, axis=-1).mean()
            return state._replace(errors=state.errors.at[index].set(error))

        step = make_step(*spans[index], index, optimizers[index])
        return Phase(index * config.pretrain_steps, step, enter)

    autoencoder = Autoencoder(
        encode=lambda layers, images: stack.encode(layers, flatten_to_unit_range(images)),
        decode=lambda layers, codes: stack.decode(layers, codes).reshape(-1, *image_shape),
        pixels=pixels,
    )
    judge = make_evaluate(autoencoder, dataset, config.hidden[-1])

    def evaluate(state, key):
        judgment = judge(state.layers)
        filters = filter_image(
            state.layers[0].encoder_kernel, image_shape, "weights of the first layer's units"
        )
        texts = describe_phases(config, state, judgment["squared_error"])
        return judgment | {"filters": filters} | texts

    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    return Experiment(init, tuple(map(make_phase, range(len(spans)))), evaluate, batches)
