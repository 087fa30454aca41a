"""Stacked autoencoder on MNIST: training of layer 1, then of layer 2, then of both.

    python launch.py --experiment=stacked_ae_mnist

Paper: Bengio et al., 2007, Greedy layer-wise training of deep networks, section 4
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 2.5 to 3.5 minutes on one core
Expected: squared error of the whole net 189 at the start, 80 after layer 1, 17 after layer 2, 7.2
  after both (PCA with 30 components: 13.87); see results/stacked_ae_mnist.md
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
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    seed: int = 0
    batch_size: int = 128
    hidden: tuple[int, ...] = (500, 30)  # Widths; one phase for each layer, then one for all.
    pretrain_steps: int = 2_000  # Steps for each layer.
    num_steps: int = 8_000  # All steps, including those of pre-training.
    learning_rate: float = 2e-3  # Adam's peak rate in every phase; decays to 0 along a cosine.
    log_every: int = 100
    eval_every: int = 2_000  # With these lengths, each phase ends with an evaluation.
    checkpoint_every: int = 2_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden", "pretrain_steps", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate")
        if not self.hidden:
            raise ValueError("--hidden is empty; it must have at least one number")
        if self.fine_tuning_start >= self.num_steps:
            raise ValueError(
                f"--num_steps is {self.num_steps}; with {self.pretrain_steps} steps for each of "
                f"{len(self.hidden)} layers it must be more than {self.fine_tuning_start}"
            )

    @property
    def fine_tuning_start(self) -> int:
        """Returns the first step after pre-training."""
        return self.pretrain_steps * len(self.hidden)


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
    """Holds everything that is trained.

    Attributes:
        layers: the autoencoders, the lowest first.
        optimizer_states: a state for each phase: one for each layer, and one for all layers.
        errors: the whole net's squared test error at the start of each phase; 0 for the phases that
            have not started.
    """

    layers: tuple[stack.AutoencoderLayer, ...]
    optimizer_states: tuple[optax.OptState, ...]
    errors: Float[Array, " phase"]


def make_optimizer(config: Config, num_steps: int) -> optax.GradientTransformation:
    return optax.adam(warmup_cosine(config.learning_rate, num_steps))


def make_step(first: int, last: int, phase: int, optimizer: optax.GradientTransformation):
    """Returns a step that trains the layers from `first` to before `last` as one autoencoder.

    The inputs, which it reconstructs, are the codes of the layers below.
    """

    def step(state, batch, key):
        vectors = flatten_to_unit_range(batch["images"])
        inputs = stack.encode(state.layers[:first], vectors)

        def loss(layers):
            errors = jnp.sum((stack.reconstruct(layers, inputs) - inputs) ** 2, axis=-1)
            return errors.mean(), {"squared_error": errors.mean()}

        trained = TrainState(state.layers[first:last], state.optimizer_states[phase])
        trained, metrics = descend(optimizer, trained, loss)
        optimizer_states = replace_items(state.optimizer_states, phase, (trained.optimizer_state,))
        layers = replace_items(state.layers, first, trained.params)
        return state._replace(layers=layers, optimizer_states=optimizer_states), metrics

    return step


def replace_items(items: tuple, first: int, new: tuple) -> tuple:
    """Returns the items with `new` in place of as many from `first` on."""
    return (*items[:first], *new, *items[first + len(new) :])


def describe_phases(config: Config, state: State, error: float) -> dict[str, str]:
    """Returns the errors so far in one line, and an alarm if a phase increased the error.

    `error` is the whole net's squared test error now.
    """
    names = ["start", *(f"layer {index + 1}" for index in range(len(config.hidden)))]
    errors = [value for value in np.asarray(state.errors).tolist() if value > 0.0]
    texts = [f"{name} {value:.2f}" for name, value in zip(names, errors, strict=False)]
    fine_tuned = len(errors) > len(config.hidden)
    compared = [*errors, error] if fine_tuned else errors
    increases = [
        f"from {before:.2f} to {after:.2f}"
        for before, after in itertools.pairwise(compared)
        if after > before
    ]
    return {
        "phases": ", ".join([*texts, f"now {error:.2f}"]),
        "alarm_rise": f"squared error rises {', '.join(increases)}" if increases else "",
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
            stack.init_layer(layer_key, *sizes)
            for layer_key, sizes in zip(keys, itertools.pairwise(widths), strict=True)
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
    evaluate_autoencoder = make_evaluate(autoencoder, dataset, config.hidden[-1])

    def evaluate(state, key):
        evaluation = evaluate_autoencoder(state.layers)
        filters = filter_image(
            state.layers[0].encoder_kernel, image_shape, "weights of the first layer's units"
        )
        texts = describe_phases(config, state, evaluation["squared_error"])
        return evaluation | {"filters": filters} | texts

    batches = ArrayBatches({"images": dataset.train.images}, config.batch_size, config.seed)
    return Experiment(
        init,
        tuple(map(make_phase, range(len(spans)))),
        evaluate,
        batches,
        cadence_decides={"num_steps": "the schedule of learning_rate in fine-tuning"},
    )
