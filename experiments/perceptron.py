"""Perceptron: mistakes beside their bound, XOR that never ends, and two layers that solve it.

    python launch.py --experiment=perceptron
    python launch.py --experiment=perceptron --points=FILE.csv

Paper: Rosenblatt, 1958, The perceptron; Novikoff, 1962, On convergence proofs on perceptrons
Data: truth tables, made points, two classes of MNIST or else of scikit-learn's digits; your points
  of two classes from a CSV file, the class in the last column
Cost: 20 seconds on one core
Expected: mistakes never above (R / gamma)^2; XOR returns to earlier weights; see
  results/perceptron.md
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError, Dataset, Split
from lecture_models.data.lookup import Library
from lecture_models.experiment import Animation, DataTable, Evaluation, Experiment, Images
from lecture_models.linear.perceptron import (
    Margin,
    PerceptronRun,
    largest_margin,
    neuron_epoch,
    neuron_output,
    step_function,
    train_perceptron,
)
from lecture_models.nn.chain_rule import (
    ACTIVATIONS,
    CRITERIA,
    HiddenActivation,
    TwoLayer,
    descend_by_hand,
    forward,
    hand_gradient,
    init_two_layer,
)
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.decision_regions import decision_regions, plane_points
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment

TRUTH_TABLES = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "NAND": (1, 1, 1, 0), "XOR": (0, 1, 1, 0)}
LOGISTIC_RATE, LOGISTIC_PASSES = 0.1, 100
XOR_RATE = 2.0  # Of gradient descent on two layers.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    points: str = ""  # CSV file of your points: numbers, then one of two classes.
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    pair: tuple[int, ...] = (4, 9)  # The two classes of images that are told apart.
    num_images: int = 500  # Training images of the pair, the first ones.
    num_points: int = 100  # Made points.
    margin: float = (
        0.05  # Least distance of a made point in [-1, 1]^2 from the line of the classes.
    )
    margins: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)  # Of the plot of mistakes.
    draws: int = 5  # Number of data sets for each of --margins.
    most_epochs: int = 2_000  # Passes over the points after which training stops in any case.
    hidden_units: int = 4  # Of the network of two layers.
    xor_steps: int = 3_000  # Of gradient descent on two layers.
    frames: int = 50  # Most frames of a film.
    side: int = 240  # Side of a film in pixels.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "num_images", "num_points", "frames")
        require_at_least(self, 1, "draws", "most_epochs", "hidden_units", "xor_steps")
        require_at_least(self, 40, "side")
        for margin in (self.margin, *self.margins):
            if not 0.0 < margin <= 0.5:
                raise ValueError(f"a margin is {margin}; it must be above 0 and at most 0.5")
        if len(set(self.pair)) != 2 or min(self.pair) < 0:
            raise ValueError(f"--pair is {self.pair}; it must be two different classes, from 0")
        require_between(self, 1, 10_000, "num_images")


SMOKE = {
    "dataset": "digits",
    "num_images": 40,
    "num_points": 30,
    "margin": 0.2,
    "margins": (0.2, 0.4),
    "draws": 2,
    "most_epochs": 100,
    "xor_steps": 200,
    "frames": 4,
    "side": 60,
}


class Problem(NamedTuple):
    """Holds points of two classes, and those that test what was learned; None for no test."""

    name: str
    points: Float32[np.ndarray, "point dim"]
    targets: Float32[np.ndarray, " point"]
    test: tuple[np.ndarray, np.ndarray] | None = None


def truth_table(name: str) -> Problem:
    """Returns the four corners of the unit square with the outputs of a Boolean function."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return Problem(name, corners, np.array(TRUTH_TABLES[name], np.float32))


def made_points(count: int, margin: float, seed: tuple[int, ...]) -> Problem:
    """Returns points of [-1, 1]^2 on both sides of a random line, none nearer than `margin`."""
    generator = np.random.default_rng(seed)
    angle, offset = generator.uniform(0.0, 2.0 * np.pi), generator.uniform(-0.2, 0.2)
    normal = np.array([np.cos(angle), np.sin(angle)])
    rows = np.empty((0, 2))
    while len(rows) < count:
        drawn = generator.uniform(-1.0, 1.0, (4 * count, 2))
        rows = np.concatenate([rows, drawn[np.abs(drawn @ normal + offset) >= margin]])
    points = rows[:count].astype(np.float32)
    name = f"{count} points, margin {margin:g}"
    return Problem(name, points, (points @ normal + offset > 0.0).astype(np.float32))


def image_pair(dataset: Dataset, config: Config) -> Problem:
    """Returns images of two classes as points, their pixels in [0, 1].

    Raises DataError if a class does not exist, or has no images.
    """
    if max(config.pair) >= len(dataset.classes):
        raise DataError(
            f"--pair has {max(config.pair)}; {dataset.provenance.dataset} has the classes 0 to "
            f"{len(dataset.classes) - 1}"
        )

    def select(split: Split):
        chosen = split.select(np.isin(split.labels, config.pair))
        targets = (chosen.labels == config.pair[1]).astype(np.float32)
        if len(set(targets.tolist())) < 2:
            raise DataError(f"{dataset.provenance.dataset} lacks images of a class of --pair")
        return flatten_to_unit_range(chosen.images), targets

    points, targets = select(dataset.train)
    names = " and ".join(dataset.classes[label] for label in config.pair)
    title = f"{dataset.provenance.dataset}: {names}"
    return Problem(
        title, points[: config.num_images], targets[: config.num_images], select(dataset.test)
    )


def own_points(config: Config, library: Library) -> Problem:
    """Returns the points of the user's CSV file.

    Raises DataError unless they are of two classes.
    """
    table = library.table("--points", config.points)
    if len(table.classes) != 2:
        raise DataError(
            f"{config.points} has {len(table.classes)} classes; a perceptron tells 2 apart"
        )
    return Problem(
        table.provenance.source.partition(":")[0],
        table.points.astype(np.float32),
        table.labels.astype(np.float32),
    )


def error_of(run: PerceptronRun, test: tuple[np.ndarray, np.ndarray]) -> float:
    """Returns the share of test points that the last weights put on the wrong side."""
    points, targets = test
    outputs = neuron_output(run.weights[-1], points, step_function)
    return float((np.asarray(outputs) != targets).mean())


def logistic_outputs(problem: Problem, points: np.ndarray) -> Float32[np.ndarray, " point"]:
    """Returns what a neuron with a logistic function, trained on a problem, says about points."""
    weights = jnp.zeros(problem.points.shape[1] + 1)
    show = jax.jit(
        lambda weights: neuron_epoch(
            weights, problem.points, problem.targets, jax.nn.sigmoid, LOGISTIC_RATE
        ).weights[-1]
    )
    for _ in range(LOGISTIC_PASSES):
        weights = show(weights)
    return np.asarray(neuron_output(weights, points, jax.nn.sigmoid))


def compare_activations(problem: Problem, run: PerceptronRun) -> Evaluation:
    """Returns the test errors of the step and of the logistic function; {} without test points."""
    if problem.test is None:
        return {}
    points, targets = problem.test
    logistic = float(((logistic_outputs(problem, points) > 0.5) != (targets > 0.5)).mean())
    return {"step_test_error": error_of(run, problem.test), "logistic_test_error": logistic}


def row_of(problem: Problem, run: PerceptronRun, best: Margin) -> tuple[int | str, ...]:
    """Returns a problem's row of the table of mistakes."""
    if run.converged:
        end = "no mistake left"
    else:
        end = f"never: repeats with a period of {run.cycle}" if run.cycle else "not yet"
    return (
        problem.name,
        *problem.points.shape,
        run.mistakes,
        f"{best.bound:,.0f}" if best.margin else "none: not separable",
        run.epochs,
        end,
        f"{error_of(run, problem.test):.2%}" if problem.test else "-",
    )


def film(problem: Problem, run: PerceptronRun, config: Config) -> Animation:
    """Returns the line at each mistake, or at some of them; the point of the mistake is marked."""
    low, high = limits_of(problem.points)
    places = plane_points(low, high, config.side)
    last = len(run.weights) - 1
    chosen = np.unique(np.linspace(0, last, min(config.frames, last + 1)).round().astype(int))
    frames = []
    for index in chosen:
        marked = np.zeros(len(problem.points), bool)
        if index < last:
            marked[run.examples[index]] = True
        sides = neuron_output(run.weights[index], places, step_function)
        frames.append(
            decision_regions(np.asarray(sides), problem.points, problem.targets, low, high, marked)
        )
    words = f"{problem.name}: {run.mistakes} mistakes in {run.epochs} passes; the next is outlined"
    return Animation(np.stack(frames), 0.25, words)


def limits_of(points: Float[np.ndarray, "point 2"]):
    """Returns the corners of a square around points of the plane, with a border."""
    low, high = points.min(0), points.max(0)
    half = 0.65 * float(max(*(high - low), 1e-6))
    middle = (low + high) / 2.0
    return tuple(map(float, middle - half)), tuple(map(float, middle + half))


def mistakes_by_margin(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mistakes and the bounds of many made data sets, (margin, draw)."""
    mistakes, bounds = [], []
    for place, margin in enumerate(config.margins):
        for draw in range(config.draws):
            problem = made_points(config.num_points, margin, (config.seed, place, draw))
            run = train_perceptron(problem.points, problem.targets, config.most_epochs)
            mistakes.append(run.mistakes)
            bounds.append(largest_margin(problem.points, problem.targets).bound)
    shape = (len(config.margins), config.draws)
    return np.reshape(mistakes, shape), np.reshape(bounds, shape)


def plot_mistakes(config: Config, mistakes: np.ndarray, bounds: np.ndarray) -> Images:
    """Returns the plot of mistakes over the bound, with the bound itself as a line."""
    order = np.argsort(bounds, axis=None)
    line = bounds.reshape(-1)[order]
    curves = [
        Curve("bound (R / gamma)^2", line, line, color=3),
        Curve("mistakes", line, mistakes.reshape(-1)[order], style="", marker="o"),
    ]
    picture = line_plot(
        curves, ("(R / gamma)^2", "mistakes"), "mistakes of a perceptron", logarithmic="xy"
    )
    words = f"each dot: {config.num_points} made points; no dot lies above the line"
    return Images(picture[None], 1, words)


def train_two_layers(
    problem: Problem, activation: HiddenActivation, config: Config
) -> tuple[TwoLayer, Float[np.ndarray, " step"]]:
    """Returns the weights of two layers after every step, and the squared errors, by hand."""
    inputs, targets = jnp.asarray(problem.points), jnp.asarray(problem.targets)[:, None]
    first = init_two_layer(jax.random.key(config.seed), 2, config.hidden_units, 1, scale=1.5)

    def step(params, _):
        loss, gradient = hand_gradient(params, inputs, targets, activation, CRITERIA["squared"])
        return descend_by_hand(params, gradient, XOR_RATE), (params, 2.0 * loss)

    _, (history, losses) = jax.jit(
        lambda params: jax.lax.scan(step, params, None, config.xor_steps)
    )(first)
    return history, np.asarray(losses)


def two_layer_film(problem: Problem, history: TwoLayer, losses: np.ndarray, config: Config):
    """Returns the regions of two layers while they learn, at logarithmically spaced steps."""
    low, high = limits_of(problem.points)
    places = jnp.asarray(plane_points(low, high, config.side))
    spaced = np.geomspace(1, len(losses), config.frames).round().astype(int) - 1

    @jax.jit
    def regions(index):
        params = jax.tree.map(lambda array: array[index], history)
        values = forward(params, places, ACTIVATIONS["tanh"], CRITERIA["squared"])
        return values.outputs[:, 0] > 0.5

    frames = [
        decision_regions(np.asarray(regions(step)), problem.points, problem.targets, low, high)
        for step in np.unique(spaced)
    ]
    words = f"XOR by {config.hidden_units} hidden units: squared error {losses[-1]:.4f} at the end"
    return Animation(np.stack(frames), 0.25, words)


def xor_results(config: Config) -> Evaluation:
    """Trains a logistic neuron and two layers on XOR, with and without a hidden nonlinearity."""
    problem = truth_table("XOR")
    history, losses = train_two_layers(problem, ACTIVATIONS["tanh"], config)
    _, linear = train_two_layers(problem, ACTIVATIONS["identity"], config)
    outputs = logistic_outputs(problem, problem.points)
    logistic = float(((outputs - problem.targets) ** 2).mean())
    lines = [
        "mean squared error on XOR; 0.25 is that of answering 1/2",
        f"one logistic neuron                      {logistic:.4f}",
        f"two layers as printed, z without g       {linear[-1]:.4f}",
        f"two layers, tanh of z                    {losses[-1]:.4f}",
    ]
    return {
        "xor_logistic_squared_error": logistic,
        "xor_linear_hidden_squared_error": float(linear[-1]),
        "xor_two_layer_squared_error": float(losses[-1]),
        "xor_two_layer": two_layer_film(problem, history, losses, config),
        "xor": "\n".join(lines),
    }


def make_evaluate(config: Config, problems: list[Problem]):
    def evaluate(state, key) -> Evaluation:
        results: Evaluation = {}
        rows, broken = [], []
        for index, problem in enumerate(problems):
            run = train_perceptron(problem.points, problem.targets, config.most_epochs)
            best = largest_margin(problem.points, problem.targets)
            rows.append(row_of(problem, run, best))
            results |= compare_activations(problem, run)
            if run.mistakes > best.bound:
                broken.append(problem.name)
            if problem.points.shape[1] == 2 and problem.name not in ("AND", "OR", "NAND"):
                results[f"film_{index}"] = film(problem, run, config)
        mistakes, bounds = mistakes_by_margin(config)
        shares = mistakes / bounds
        names = ("data", "points", "inputs", "mistakes", "bound", "passes", "end", "test error")
        table = DataTable(names, tuple(rows), "the bound on the mistakes is (R / gamma)^2")
        lines = [f"{row[0]}: {row[3]} mistakes, bound {row[4]}; ends: {row[6]}" for row in rows]
        return {
            **results,
            **xor_results(config),
            "mistakes_over_bound_largest": float(shares.max()),
            "mistakes_over_bound_median": float(np.median(shares)),
            "mistakes_by_margin": plot_mistakes(config, mistakes, bounds),
            "mistakes_table": table,
            "mistakes": "\n".join(lines),
            "alarm_bound": f"more mistakes than the bound: {', '.join(broken)}" if broken else "",
            "alarm_margin": "" if shares.max() <= 1.0 else "a made data set exceeds the bound",
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    if config.points:
        problems = [own_points(config, library)]
    else:
        problems = [image_pair(library.load(config.dataset), config)]
    problems += [truth_table(name) for name in TRUTH_TABLES]
    problems.append(made_points(config.num_points, config.margin, (config.seed,)))
    return analysis_experiment(make_evaluate(config, problems))
