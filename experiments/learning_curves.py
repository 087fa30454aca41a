"""Small and big data: training and validation error over the number of images and model size.

    python launch.py --experiment=learning_curves
    python launch.py --experiment=learning_curves --label_noise=0.3

Paper: none; the lecture's two lines: small data overfit, big data underfit
Data: Fashion-MNIST, or else the 1,797 digits that scikit-learn ships (announced and recorded)
Cost: 3 minutes on two cores
Expected: see results/learning_curves.md; the lecture prints no number
"""

import dataclasses
import itertools
import math
from typing import NamedTuple

import jax
import numpy as np
import optax
from jaxtyping import Float, Int32

from lecture_models.config import require_at_least, require_between
from lecture_models.data.batches import ArrayBatches
from lecture_models.data.dataset import Dataset
from lecture_models.data.labeled_batches import LabeledBatches, balanced_order, require_labels
from lecture_models.data.lookup import Library
from lecture_models.experiment import Cadence, DataTable, Evaluation, Experiment, Images
from lecture_models.nn.chain_rule import (
    ACTIVATIONS,
    CRITERIA,
    TwoLayer,
    forward,
    init_two_layer,
    mean_loss,
)
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.steps.descent import TrainState, descend, init_train_state

RELU, CRITERION = ACTIVATIONS["relu"], CRITERIA["cross_entropy"]
EVALUATED = 10_000  # Training images on which the training error is measured, the first ones.

Errors = Float[np.ndarray, "width count"]


@dataclasses.dataclass(frozen=True)
class Config:
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "fashion_mnist,digits"
    seed: int = 0
    # Numbers of training images, nested and balanced subsets; 0 for all.
    label_counts: tuple[int, ...] = (100, 500, 2_500, 12_500, 0)
    hidden_units: tuple[int, ...] = (2, 8, 64, 512)  # Model sizes: one hidden layer of each width.
    label_noise: float = 0.0  # Share of training labels that are replaced by a random other class.
    batch_size: int = 128
    num_steps: int = 3_000  # The same for all sizes: 7.7 passes over 50,000 images.
    learning_rate: float = 2e-3  # Adam's, which decays to 0 along a cosine.
    log_every: int = 100
    eval_every: int = 1_500
    checkpoint_every: int = 1_500

    def __post_init__(self):
        require_at_least(self, 1, "hidden_units", "batch_size", *Cadence._fields)
        require_at_least(self, 0, "seed", "learning_rate", "label_counts")
        require_between(self, 0.0, 0.9, "label_noise")
        for name in ("label_counts", "hidden_units"):
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values), key=lambda n: n or math.inf):
                raise ValueError(
                    f"--{name} is {','.join(map(str, values))}; it must be different numbers in "
                    "ascending order, 0 last"
                )


SMOKE = {
    "dataset": "digits",
    "label_counts": (20, 100),
    "hidden_units": (2, 8),
    "batch_size": 10,
    "num_steps": 12,
    "log_every": 2,
    "eval_every": 6,
    "checkpoint_every": 4,
}


class Turn(NamedTuple):
    """Says where a model turns from overfitting to underfitting.

    Attributes:
        count: number of training images at which the training error is half of the validation
            error, interpolated; 0 if it is more than half at all counts, infinity if less.
        words: the same in words.
    """

    count: float
    words: str


def turn(counts: list[int], train: np.ndarray, validation: np.ndarray) -> Turn:
    """Returns where the training error passes half of the validation error.

    Below, most of the error is the gap between the two, which more data close: overfitting. Above,
    most of it is there on the training images too, which a larger model lowers: underfitting.
    """
    shares = np.asarray(train) / np.maximum(validation, 1e-9)
    above = np.flatnonzero(shares > 0.5)
    if not len(above):
        return Turn(math.inf, f"overfits up to {counts[-1]:,} images")
    first = int(above[0])
    if first == 0:
        return Turn(0.0, f"underfits from {counts[0]:,} images on")
    low, high = np.log(counts[first - 1 : first + 1])
    part = (0.5 - shares[first - 1]) / (shares[first] - shares[first - 1])
    count = float(np.exp(low + part * (high - low)))
    return Turn(count, f"overfits below about {count:,.0f} images, underfits above")


def noisy_labels(
    labels: Int32[np.ndarray, " example"], classes: int, share: float, seed: int
) -> Int32[np.ndarray, " example"]:
    """Returns labels of which a share, rounded, is replaced by another class at random."""
    generator = np.random.default_rng((seed, 1))
    count = round(share * len(labels))
    chosen = generator.choice(len(labels), count, replace=False)
    changed = np.array(labels)
    changed[chosen] = (changed[chosen] + generator.integers(1, classes, count)) % classes
    return changed.astype(np.int32)


def subset_batches(
    arrays: dict[str, np.ndarray], counts: list[int], config: Config
) -> LabeledBatches:
    """Returns batches that have one part for each number of training images."""
    order = balanced_order(arrays["labels"], config.seed)
    parts = [
        ArrayBatches({"example": order[:count]}, min(config.batch_size, count), config.seed)
        for count in counts
    ]
    return LabeledBatches(arrays, tuple(parts))


class Cell(NamedTuple):
    """Holds what tells a network: the index of its width and of its number of training images."""

    width: int
    count: int


def cells_of(config: Config) -> list[Cell]:
    """Lists all networks, in the order of the parameters in the state."""
    pairs = itertools.product(range(len(config.hidden_units)), range(len(config.label_counts)))
    return [Cell(*pair) for pair in pairs]


def make_step(config: Config, optimizer, sizes: tuple[int, ...], classes: int):
    """Returns the step in which every network sees a batch of its own training images."""
    ends = np.cumsum(sizes).tolist()
    parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    cells = cells_of(config)

    def step(state: TrainState, batch, key):
        targets = jax.nn.one_hot(batch["labels"], classes)

        def loss(params):
            losses = []
            for cell, network in zip(cells, params, strict=True):
                part = parts[cell.count]
                losses.append(
                    mean_loss(network, batch["vectors"][part], targets[part], RELU, CRITERION)
                )
            # Adam scales each weight separately, so the sum trains each network as if alone.
            names = [cell_name(config, cell) for cell in cells]
            metrics = {f"loss_{name}": value for name, value in zip(names, losses, strict=True)}
            return sum(losses), metrics

        return descend(optimizer, state, loss)

    return step


def cell_name(config: Config, cell: Cell) -> str:
    """Returns the name of a network in metrics, such as h8_n500; all images are n0."""
    return f"h{config.hidden_units[cell.width]}_n{config.label_counts[cell.count]}"


class Curves(NamedTuple):
    """Holds the errors of all networks in percent, (width, count)."""

    train: Errors
    validation: Errors
    test: Errors | None


def learning_curves(config: Config, counts: list[int], errors: Curves) -> Images:
    """Plots training and validation error over the number of images, for each model size."""
    curves = []
    for row, width in enumerate(config.hidden_units):
        curves.append(Curve(f"{width} hidden units", counts, errors.validation[row], row, "-", "o"))
        curves.append(Curve("", counts, errors.train[row], row, "--", "o"))
    by_count = line_plot(
        curves, ("training images", "error in percent"), "over the data", "x", (0.0, None)
    )
    curves = []
    for column, count in enumerate(counts):
        validation, train = errors.validation[:, column], errors.train[:, column]
        curves.append(Curve(f"{count:,} images", config.hidden_units, validation, column, "-", "o"))
        curves.append(Curve("", config.hidden_units, train, column, "--", "o"))
    by_width = line_plot(
        curves, ("hidden units", "error in percent"), "over the model size", "x", (0.0, None)
    )
    words = "validation error (lines) and training error (dashed), over images and over model size"
    return Images(np.stack([by_count, by_width]), 2, words)


def describe(config: Config, counts: list[int], errors: Curves) -> Evaluation:
    """Returns the table of errors, where each model turns, and the best size for each count."""
    rows, lines, scalars = [], [], {}
    for row, width in enumerate(config.hidden_units):
        where = turn(counts, errors.train[row], errors.validation[row])
        lines.append(f"{width:5} hidden units: {where.words}")
        for column, count in enumerate(counts):
            cell = errors.train[row, column], errors.validation[row, column]
            test = "-" if errors.test is None else float(errors.test[row, column])
            rows.append((width, count, *map(float, cell), float(cell[1] - cell[0]), test))
    for column, count in enumerate(counts):
        best = config.hidden_units[int(errors.validation[:, column].argmin())]
        scalars[f"best_hidden_units_n{config.label_counts[column]}"] = float(best)
        lines.append(f"{count:6,} images: {best} hidden units have the lowest validation error")
    columns = ("hidden units", "images", "training", "validation", "gap", "test")
    return {
        **scalars,
        "errors": DataTable(columns, tuple(rows), "errors in percent"),
        "turns": "\n".join(lines),
    }


def make_evaluate(config: Config, dataset: Dataset, train, counts: list[int]):
    """Returns the function that measures all errors; test images only after the last step."""
    cells = cells_of(config)
    shape = (len(config.hidden_units), len(counts))
    held_out = {
        name: (flatten_to_unit_range(split.images), split.labels)
        for name, split in (("validation", dataset.validation), ("test", dataset.test))
    }
    predict = jax.jit(
        lambda params, vectors: forward(params, vectors, RELU, CRITERION).scores.argmax(-1)
    )

    def error(params: TwoLayer, vectors, labels) -> float:
        return 100.0 * float((np.asarray(predict(params, vectors)) != labels).mean())

    def split_errors(params, name: str) -> Errors:
        values = [error(network, *held_out[name]) for network in params]
        return np.reshape(values, shape)

    def evaluate(state: TrainState, key) -> Evaluation:
        is_last = int(state.optimizer_state[0].count) >= config.num_steps  # Adam counts its steps.
        order = balanced_order(train["labels"], config.seed)
        seen = [order[: min(count, EVALUATED)] for count in counts]
        train_errors = np.reshape(
            [
                error(
                    network, train["vectors"][seen[cell.count]], train["labels"][seen[cell.count]]
                )
                for cell, network in zip(cells, state.params, strict=True)
            ],
            shape,
        )
        errors = Curves(
            train_errors,
            split_errors(state.params, "validation"),
            split_errors(state.params, "test") if is_last else None,
        )
        scalars = {}
        for name, table in errors._asdict().items():
            if table is not None:
                for cell, value in zip(cells, table.reshape(-1), strict=True):
                    scalars[f"{name}_error_{cell_name(config, cell)}"] = float(value)
        return {
            **scalars,
            **describe(config, counts, errors),
            "curves": learning_curves(config, counts, errors),
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    dataset = library.load(config.dataset)
    require_labels(dataset, config.label_counts)
    classes = len(dataset.classes)
    vectors = flatten_to_unit_range(dataset.train.images)
    labels = noisy_labels(dataset.train.labels, classes, config.label_noise, config.seed)
    train = {"vectors": vectors, "labels": labels}
    counts = [count or len(labels) for count in config.label_counts]
    batches = subset_batches(train, counts, config)
    optimizer = optax.adam(optax.cosine_decay_schedule(config.learning_rate, config.num_steps))

    def init(key):
        keys = jax.random.split(key, len(cells_of(config)))
        networks = tuple(
            init_two_layer(
                network_key, vectors.shape[1], config.hidden_units[cell.width], classes, 2.0**0.5
            )
            for cell, network_key in zip(cells_of(config), keys, strict=True)
        )
        return init_train_state(optimizer, networks)

    return Experiment(
        init,
        make_step(config, optimizer, batches.sizes, classes),
        make_evaluate(config, dataset, train, counts),
        batches,
        cadence_decides={"num_steps": "the schedule of learning_rate"},
    )
