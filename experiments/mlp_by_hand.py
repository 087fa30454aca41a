"""Network of two layers trained with a chain rule that is written out, beside autodiff.

    python launch.py --experiment=mlp_by_hand

Paper: Rumelhart, Hinton and Williams, 1986, Learning representations by back-propagating errors
Data: MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 1 minute on one core
Expected: every hand gradient equals jax.grad to 1e-6; test accuracy 97.54 +- 0.02 %, with the loss
  curve of autodiff; see results/mlp_by_hand.md
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32

from lecture_models.config import require_at_least
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import Best, Cadence, DataTable, Evaluation, Experiment, Images
from lecture_models.metrics.classification import error_percent
from lecture_models.models.filters import filter_pictures
from lecture_models.nn.chain_rule import (
    ACTIVATIONS,
    CRITERIA,
    TwoLayer,
    descend_by_hand,
    forward,
    hand_gradient,
    init_two_layer,
    mean_loss,
    slide_factors,
)
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.tasks.classification import require_classes

CRITERION = CRITERIA["cross_entropy"]
TOLERANCE = 1e-6  # Largest difference of a hand gradient from jax.grad before an alarm.
CLOSE_STEPS = 100  # In which the two loss curves may differ by at most CLOSE.
CLOSE = 1e-5
NUDGE = 1e-5  # Of central differences, in float64.
SHOWN = 20  # Hidden units in the picture.


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    seed: int = 0
    batch_size: int = 50
    hidden_units: int = 100
    activation: str = "tanh"  # Of the hidden units: identity, relu, sigmoid or tanh.
    num_steps: int = 15_000  # 15 epochs of 50,000 images.
    learning_rate: float = 0.2  # Of plain gradient descent; it falls linearly to 0.
    log_every: int = 100
    eval_every: int = 3_000
    checkpoint_every: int = 3_000

    def __post_init__(self):
        require_at_least(self, 1, "batch_size", "hidden_units", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate")
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"--activation is {self.activation!r}; allowed: {', '.join(ACTIVATIONS)}"
            )


SMOKE = {
    "dataset": "digits",
    "batch_size": 10,
    "hidden_units": 6,
    "num_steps": 12,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class State(NamedTuple):
    """Holds two copies of a network, one trained by hand and one by autodiff.

    Attributes:
        by_hand: the weights that the written-out chain rule trains.
        automatic: the weights that jax.grad trains, on the same batches.
        step: the number of steps taken.
        early_difference: the largest difference of the two losses in the first CLOSE_STEPS steps.
        difference: the largest difference in all steps.
    """

    by_hand: TwoLayer
    automatic: TwoLayer
    step: Int32[Array, ""]
    early_difference: Float[Array, ""]
    difference: Float[Array, ""]


def make_step(config: Config):
    activation = ACTIVATIONS[config.activation]

    def step(state: State, batch, key):
        rate = config.learning_rate * (1.0 - state.step / config.num_steps)
        targets = jax.nn.one_hot(batch["labels"], state.by_hand.weights_2.shape[1])
        rest = (batch["vectors"], targets, activation, CRITERION)
        loss, gradient = hand_gradient(state.by_hand, *rest)
        automatic_loss, automatic_gradient = jax.value_and_grad(mean_loss)(state.automatic, *rest)
        difference = jnp.abs(loss - automatic_loss)
        early = jnp.where(state.step < CLOSE_STEPS, difference, 0.0)
        metrics = {"loss": loss, "autodiff_loss": automatic_loss, "loss_difference": difference}
        return State(
            descend_by_hand(state.by_hand, gradient, rate),
            descend_by_hand(state.automatic, automatic_gradient, rate),
            state.step + 1,
            jnp.maximum(state.early_difference, early),
            jnp.maximum(state.difference, difference),
        ), metrics

    return step


def differences_of_gradients(seed: int) -> list[tuple[str, str, str, float, float]]:
    """Returns, for each kind of network and weight, how far hand gradients are from references.

    A row has the activation, the criterion, the weights, and the largest absolute differences from
    jax.grad and from central differences, all in float64.
    """
    rows = []
    with jax.enable_x64(True):
        generator = np.random.default_rng(seed)
        shapes = ((7,), (5, 7), (3,), (7, 3))
        params = TwoLayer(*(jnp.asarray(generator.normal(size=shape)) for shape in shapes))
        inputs = jnp.asarray(generator.normal(size=(11, 5)))
        targets = jax.nn.one_hot(generator.integers(0, 3, 11), 3, dtype=jnp.float64)
        for name, activation in ACTIVATIONS.items():
            for criterion_name, criterion in CRITERIA.items():
                rest = (inputs, targets, activation, criterion)
                _, hand = hand_gradient(params, *rest)
                automatic = jax.grad(mean_loss)(params, *rest)
                nudged = central_differences(params, rest)
                for field in TwoLayer._fields:
                    by_hand = getattr(hand, field)
                    far = [
                        float(jnp.abs(by_hand - getattr(reference, field)).max())
                        for reference in (automatic, nudged)
                    ]
                    rows.append((name, criterion_name, field, *far))
    return rows


def central_differences(params: TwoLayer, rest: tuple) -> TwoLayer:
    """Returns the gradient by (J(w + h) - J(w - h)) / 2h of every weight."""
    sizes = [part.size for part in params]
    flat = jnp.concatenate([part.reshape(-1) for part in params])

    def unflatten(vector):
        parts = jnp.split(vector, np.cumsum(sizes)[:-1])
        return TwoLayer(*(part.reshape(old.shape) for part, old in zip(parts, params, strict=True)))

    steps = NUDGE * jnp.eye(len(flat))
    loss_at = jax.jit(jax.vmap(lambda step: mean_loss(unflatten(flat + step), *rest)))
    return unflatten((loss_at(steps) - loss_at(-steps)) / (2.0 * NUDGE))


def slide_table(seed: int) -> DataTable:
    """Returns the factors of the lecture for two inputs, two hidden units and one output."""
    with jax.enable_x64(True):
        generator = np.random.default_rng(seed)
        shapes = ((2,), (2, 2), (1,), (2, 1))
        params = TwoLayer(*(jnp.asarray(generator.normal(size=shape)) for shape in shapes))
        inputs, target = jnp.array([1.0, -0.5]), jnp.array(1.0)
        tanh = ACTIVATIONS["tanh"]
        factors = slide_factors(params, inputs, target, tanh)
        gradient = jax.grad(mean_loss)(
            params, inputs[None], target.reshape(1, 1), tanh, CRITERIA["squared"]
        )
        rows = []
        for unit in range(2):
            by_output = float(factors.loss_by_output)
            chain = (by_output, float(factors.output_by_weights_2[unit]))
            reference = float(gradient.weights_2[unit, 0])
            rows.append((f"w2_{unit + 1}", *chain, "-", float(np.prod(chain)), reference))
        for source in range(2):
            for unit in range(2):
                chain = (
                    by_output,
                    float(factors.output_by_z[unit]),
                    float(factors.z_by_weights_1[source]),
                )
                reference = float(gradient.weights_1[source, unit])
                name = f"w1_{source + 1}{unit + 1}"
                rows.append((name, *chain, float(np.prod(chain)), reference))
    columns = ("weight", "dJ/dy", "dy/dw2 or dy/dz", "dz/dw1", "product", "jax.grad")
    return DataTable(columns, tuple(rows), "the lecture's factors for one example")


def gradient_results(config: Config) -> Evaluation:
    """Compares hand gradients with jax.grad and with central differences, in float64."""
    rows = differences_of_gradients(config.seed)
    autodiff = max(row[3] for row in rows)
    central = max(row[4] for row in rows)
    columns = ("activation", "criterion", "weights", "from jax.grad", "from central differences")
    table = DataTable(columns, tuple(rows), "largest differences of hand gradients, in float64")
    return {
        "gradient_difference_autodiff": autodiff,
        "gradient_difference_central": central,
        "gradients": table,
        "chain_rule": slide_table(config.seed),
        "alarm_gradient": (
            f"a hand gradient differs from jax.grad by {autodiff:.2g}; at most {TOLERANCE:g}"
            if autodiff > TOLERANCE
            else ""
        ),
    }


def make_evaluate(config: Config, dataset: Dataset):
    activation = ACTIVATIONS[config.activation]
    shape = dataset.train.images.shape[1:]
    vectors = {
        name: jnp.asarray(flatten_to_unit_range(getattr(dataset, name).images))
        for name in ("validation", "test")
    }

    @jax.jit
    def scores(params, inputs):
        return forward(params, inputs, activation, CRITERION).scores

    def accuracy(params, name):
        labels = getattr(dataset, name).labels
        return 100.0 - error_percent(np.asarray(scores(params, vectors[name])), labels)

    def evaluate(state: State, key) -> Evaluation:
        early = float(state.early_difference)
        results: Evaluation = {
            "validation_accuracy_percent": accuracy(state.by_hand, "validation"),
            "early_loss_difference": early,
            "loss_difference": float(state.difference),
            "hidden_units": Images(
                filter_pictures(state.by_hand.weights_1[:, :SHOWN], shape),
                10,
                "weights of hidden units that the hand-written gradient learned; gray is 0",
            ),
            "alarm_curve": (
                f"the losses by hand and by autodiff differ by {early:.2g} within {CLOSE_STEPS} "
                f"steps; at most {CLOSE:g}"
                if early > CLOSE
                else ""
            ),
        }
        if int(state.step) < config.num_steps:
            return results
        return {
            **results,
            **gradient_results(config),
            "test_accuracy_percent": accuracy(state.by_hand, "test"),
            "autodiff_test_accuracy_percent": accuracy(state.automatic, "test"),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    require_classes(dataset)
    vectors = flatten_to_unit_range(dataset.train.images)

    def init(key):
        params = init_two_layer(key, vectors.shape[1], config.hidden_units, len(dataset.classes))
        copy = jax.tree.map(jnp.copy, params)  # The state is donated: no two arrays may be one.
        return State(params, copy, jnp.zeros((), jnp.int32), jnp.zeros(()), jnp.zeros(()))

    return Experiment(
        init,
        make_step(config),
        make_evaluate(config, dataset),
        ArrayBatches(
            {"vectors": vectors, "labels": dataset.train.labels}, config.batch_size, config.seed
        ),
        best=Best("validation_accuracy_percent"),
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
