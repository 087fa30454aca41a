"""Density estimation by histogram, kernels and Gaussian mixture, judged by held-out likelihood.

    python launch.py --experiment=density_estimation
    python launch.py --experiment=density_estimation --csv=FILE.csv --columns=NAME,NAME

Paper: Rosenblatt, 1956, and Parzen, 1962, on kernel estimates; Dempster, Laird and Rubin, 1977, on
  the EM algorithm
Data: made points of a known density, and principal components of MNIST (or else of scikit-learn's
  digits); or the columns of a CSV file
Cost: 6 minutes and more on a busy machine
Expected: the mixture, chosen on validation, comes within 0.05 nats of the true density; see
  results/density_estimation.md
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.evaluators.densities import (
    FittedDensity,
    gaussian_of_codes,
    kernels_of_codes,
    mixture_of_gaussians,
)
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear.histogram_density import fit_plane_histogram, histogram_log_density
from lecture_models.linear.pca import fit_pca, project
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.density_map import density_map
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment

Rows = Float[np.ndarray, "point dim"]
MAP_SIDE = 120  # Places along each side of a map.
SHOWN = 400  # Points on a map.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    csv: str = ""  # CSV file in place of the made points and of --dataset.
    columns: tuple[str, ...] = ()  # Two columns of --csv for the plane; () for the first two.
    num_points: int = 5_000  # Three fifths to fit, a fifth to choose, and a fifth to test.
    noise: float = 0.25  # Standard deviation of the made points around their curves.
    dims: tuple[int, ...] = (2, 5, 10, 20)  # Numbers of principal components.
    bins: tuple[int, ...] = (5, 10, 15, 20, 30, 50, 80)  # Cells along a side of the histogram.
    # Of the kernels, in the unit of the points, whose mean variance is 1.
    bandwidths: tuple[float, ...] = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 0.8)
    components: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)  # Of the mixture.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 20, "num_points")
        require_at_least(self, 1, "components", "dims", "bins")
        require_at_least(self, 1e-3, "bandwidths", "noise")
        for name in ("dims", "bins", "bandwidths", "components"):
            if not getattr(self, name):
                raise ValueError(f"--{name} has no values; it must have 1 or more")
        if self.columns and (len(self.columns) != 2 or not self.csv):
            raise ValueError(
                f"--columns has {len(self.columns)} values; it must name 2 columns of --csv"
            )


SMOKE = {
    "dataset": "digits",
    "num_points": 60,
    "dims": (3,),
    "bins": (3, 4),
    "bandwidths": (0.3, 0.6),
    "components": (1, 2),
}


class Parts(NamedTuple):
    """Holds points to fit, to choose and to test, each with one point per row."""

    train: Rows
    validation: Rows
    test: Rows


class Plane(NamedTuple):
    """Holds the points of the plane, and the log density that made them; None if it is unknown."""

    name: str
    parts: Parts
    truth: Callable[[Rows], np.ndarray] | None


def divide(rows: np.ndarray, seed: int) -> Parts:
    """Returns three fifths, a fifth and a fifth of rows in random order, in a common unit.

    The unit makes the mean variance of the training rows 1; no column is favored.
    """
    shuffled = rows[np.random.default_rng(seed).permutation(len(rows))]
    return in_unit(shuffled)


def in_unit(rows: np.ndarray) -> Parts:
    first, second = 3 * len(rows) // 5, 4 * len(rows) // 5
    scale = np.sqrt(rows[:first].var(axis=0).mean())
    parts = np.split(rows / scale, [first, second])
    return Parts(*(np.asarray(part, np.float32) for part in parts))


def divide_codes(vectors: Rows, dim: int, seed: int) -> Parts:
    """Returns the parts of principal components, which are those of the training rows alone."""
    shuffled = vectors[np.random.default_rng(seed).permutation(len(vectors))]
    pca = fit_pca(shuffled[: 3 * len(vectors) // 5], dim)
    return in_unit(np.asarray(project(pca, shuffled)))


def made_plane(config: Config) -> Plane:
    """Returns points along two parabolas, whose density is known: x = s + u, y = s (u^2 - 1) + n.

    Here s is 1 or -1 by chance, u is from N(0, 1), and n from N(0, noise^2).
    """
    random = np.random.default_rng(config.seed)
    signs = random.choice([-1.0, 1.0], config.num_points)
    along = random.normal(size=config.num_points)
    across = config.noise * random.normal(size=config.num_points)
    rows = np.stack([signs + along, signs * (along**2 - 1.0) + across], axis=1)
    first, second = 3 * len(rows) // 5, 4 * len(rows) // 5
    parts = Parts(*(part.astype(np.float32) for part in np.split(rows, [first, second])))

    def truth(points):
        x, y = np.asarray(points, np.float64).T
        densities = []
        for sign in (-1.0, 1.0):
            u = x - sign
            distance = (y - sign * (u**2 - 1.0)) / config.noise
            exponent = -(u**2 + distance**2) / 2.0
            densities.append(0.5 * np.exp(exponent) / (2.0 * np.pi * config.noise))
        return np.log(np.maximum(sum(densities), 1e-300))

    return Plane("made points", parts, truth)


def read_data(config: Config, library: Library) -> tuple[list[Plane], Rows]:
    """Returns the points of planes, and vectors whose principal components are estimated."""
    if not config.csv:
        split = library.load(config.dataset).train.select(slice(config.num_points))
        pixels = np.asarray(flatten_to_unit_range(split.images), np.float32)
        parts = divide_codes(pixels, 2, config.seed)
        return [made_plane(config), Plane("two PCA codes", parts, None)], pixels
    table = library.numbers("--csv", config.csv)
    lines = np.random.default_rng(config.seed).permutation(len(table.values))
    values = table.values[lines[: config.num_points]]
    if len(table.columns) < 2 or len(values) < 20:
        raise DataError(
            f"{config.csv} has {len(values)} lines of {len(table.columns)} numbers; it must have "
            "at least 20 lines of 2"
        )
    spread = values.std(axis=0)
    if (spread == 0.0).any():
        constant = table.columns[int(np.argmin(spread))]
        raise DataError(f"{config.csv}: the column {constant} is constant; leave it out")
    rows = ((values - values.mean(axis=0)) / spread).astype(np.float32)
    chosen = [table.column(name, "--columns") for name in config.columns or table.columns[:2]]
    if chosen[0] == chosen[1]:
        raise DataError(f"--columns names {config.columns[0]} twice; they must be two columns")
    name = " and ".join(table.columns[index] for index in chosen)
    return [Plane(name, divide(rows[:, chosen], config.seed), None)], rows


def histograms_of_plane(parts: Parts, bins: int) -> FittedDensity:
    histogram = fit_plane_histogram(parts.train, bins)
    return FittedDensity(
        "histogram",
        f"{bins} x {bins} cells",
        lambda rows: histogram_log_density(histogram, rows),
        bins**2 - 1,
        lambda generator, count: np.zeros((count, 2)),
    )


def fits_of(config: Config, parts: Parts) -> dict[str, tuple[Sequence, list[FittedDensity]]]:
    """Returns for each method the values that were tried, and the density of each."""
    key = jax.random.key(config.seed)
    counts = [count for count in config.components if 5 * count <= len(parts.train)]
    if not counts:
        raise DataError(
            f"there are {len(parts.train)} points to fit; there must be 5 for each component"
        )
    found = {
        "Gaussian": ([1], [gaussian_of_codes(parts.train)]),
        "kernels": (
            config.bandwidths,
            [
                kernels_of_codes(parts.train, parts.validation, [bandwidth])
                for bandwidth in config.bandwidths
            ],
        ),
        "mixture": (
            counts,
            [mixture_of_gaussians(key, parts.train, parts.validation, [count]) for count in counts],
        ),
    }
    if parts.train.shape[1] == 2:
        densities = [histograms_of_plane(parts, bins) for bins in config.bins]
        found["histogram"] = (config.bins, densities)
    return found


class Judged(NamedTuple):
    """Holds the densities that validation chose, rows about them, and the likelihoods of all."""

    chosen: dict[str, FittedDensity]
    rows: list[tuple]
    tried: dict[str, tuple[Sequence, np.ndarray, np.ndarray]]
    test: dict[str, float]


def judge(name: str, parts: Parts, fits: dict, truth: Callable | None) -> Judged:
    """Chooses by the likelihood of the validation points, and tests what was chosen."""
    judged = Judged({}, [], {}, {})
    for method, (values, densities) in fits.items():
        train, validation = (
            np.array([-density.nats(part) for density in densities])
            for part in (parts.train, parts.validation)
        )
        best = int(validation.argmax())
        density = densities[best]
        test = -density.nats(parts.test)
        dim = parts.train.shape[1]
        numbers = (float(train[best]), float(validation[best]), test, density.num_parameters)
        judged.rows.append((name, dim, method, density.chosen, *numbers))
        judged.chosen[method] = density
        judged.tried[method] = (values, train, validation)
        judged.test[method] = test
    if truth is not None:
        values = [float(truth(part).mean()) for part in parts]
        judged.rows.append((name, 2, "true density", "known", *values, 0))
        judged.test["true density"] = values[2]
    return judged


def maps(plane: Plane, judged: Judged) -> Images:
    """Returns a map of each density with test points on it; all have one scale of colors."""
    low, high = (np.percentile(plane.parts.train, q, axis=0) for q in (0.3, 99.7))
    low, high = low - 0.15 * (high - low), high + 0.15 * (high - low)
    across, up = np.meshgrid(*(np.linspace(a, b, MAP_SIDE) for a, b in zip(low, high, strict=True)))
    places = np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32)
    estimates = {name: density.log_density for name, density in judged.chosen.items()}
    if plane.truth is not None:
        estimates = {"true density": plane.truth} | estimates
    densities = {
        name: np.exp(np.asarray(log_density(places), np.float64)).reshape(MAP_SIDE, MAP_SIDE)
        for name, log_density in estimates.items()
    }
    largest = float(np.percentile(densities["kernels"], 99.8))
    pictures = []
    for name, density in densities.items():
        title = f"{name}: {judged.test[name]:.3f} nats"
        corners = (tuple(map(float, low)), tuple(map(float, high)))
        points = plane.parts.test[:SHOWN]
        pictures.append(density_map(density, points, *corners, largest, title))
    caption = (
        f"{plane.name}: densities that were fitted to training points, with test points; above "
        "each the mean log-likelihood of the test points"
    )
    return Images(np.stack(pictures), len(pictures), caption)


def choices(plane: Plane, judged: Judged) -> Images:
    """Returns the likelihood of training and validation points over what was tried."""
    names = {"histogram": "cells along a side", "kernels": "bandwidth", "mixture": "components"}
    plots = []
    for color, (method, axis) in enumerate(names.items()):
        values, train, validation = judged.tried[method]
        curves = [
            Curve("training", np.array(values), train, color, ":", "o"),
            Curve("validation", np.array(values), validation, color, "-", "o"),
        ]
        if "true density" in judged.test:
            truth = np.full(len(values), judged.test["true density"])
            curves.append(Curve("true density, test", np.array(values), truth, 7, "--"))
        low = min(float(validation.max()) - 1.0, float(np.median(validation)) - 0.2)
        high = float(max(validation.max(), np.median(train))) + 0.5
        axes = (axis, "log-likelihood, nats")
        plots.append(line_plot(curves, axes, method, "x", (low, high)))
    caption = f"{plane.name}: too few cells, too wide kernels, too few components; and too many"
    return Images(np.stack(plots), 3, caption)


def over_dimensions(config: Config, vectors: Rows) -> tuple[list[tuple], Images, dict[str, float]]:
    """Returns the likelihoods of more and more principal components."""
    rows, tests, scalars = [], {}, {}
    most = min(vectors.shape[1], 3 * len(vectors) // 5)
    dims = [dim for dim in config.dims if dim <= most] or [min(2, most)]
    for dim in dims:
        parts = divide_codes(vectors, dim, config.seed)
        fits = fits_of(config, parts)
        judged = judge("PCA codes", parts, fits, None)
        rows += [row for row in judged.rows if row[2] != "histogram"]
        for method in ("Gaussian", "kernels", "mixture"):
            tests.setdefault(method, []).append(judged.test[method])
            scalars[f"codes_{dim}_{method.lower()}"] = judged.test[method]
    gaussian = np.array(tests["Gaussian"])
    curves = [
        Curve(method, np.array(dims), np.array(values) - gaussian, color, marker="o")
        for color, (method, values) in enumerate(tests.items())
    ]
    axes = ("principal components", "test log-likelihood above one Gaussian, nats")
    picture = line_plot(curves, axes, "PCA codes")
    caption = "kernels of one width lose to a mixture in more dimensions"
    return rows, Images(picture[None], 1, caption), scalars


def make_evaluate(config: Config, planes: list[Plane], vectors: Rows):
    def evaluate(state, key) -> Evaluation:
        results: Evaluation = {}
        rows = []
        for place, plane in enumerate(planes, 1):
            judged = judge(plane.name, plane.parts, fits_of(config, plane.parts), plane.truth)
            rows += judged.rows
            for method, value in judged.test.items():
                results[f"plane_{place}_{method.replace(' ', '_').lower()}"] = value
            results[f"maps_{place}"] = maps(plane, judged)
            results[f"choices_{place}"] = choices(plane, judged)
        more_rows, picture, scalars = over_dimensions(config, vectors)
        columns = (
            *("data", "dimensions", "method", "chosen", "training nats", "validation nats"),
            *("test nats", "parameters"),
        )
        caption = "mean log-likelihood, higher is better; chosen on validation, tested once"
        return {
            **results,
            **scalars,
            "likelihoods": DataTable(columns, tuple(rows + more_rows), caption),
            "dimensions": picture,
        }

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    planes, vectors = read_data(config, library)
    return analysis_experiment(make_evaluate(config, planes, vectors))
