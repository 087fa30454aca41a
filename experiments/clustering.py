"""Clusters of digits by k-means and by a Gaussian mixture, and palettes of photos.

    python launch.py --experiment=clustering
    python launch.py --experiment=clustering --csv=FILE.csv --num_clusters=3 --images=FOLDER
    python launch.py --experiment=clustering --dataset=folder --data_dir=FOLDER

Paper: Lloyd, 1982, Least squares quantization in PCM; Arthur and Vassilvitskii, 2007, k-means++;
  Dempster, Laird and Rubin, 1977, Maximum likelihood from incomplete data via the EM algorithm
Data: MNIST, or else the digits of scikit-learn; or a CSV file or a folder of pictures; photos for
  the palettes
Cost: 3 to 5 minutes on a busy machine
Expected: purity 0.55 by k-means on pixels, 0.98 on the codes of a network that saw the labels; see
  results/clustering.md
"""

import dataclasses
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.evaluators.samples import feature_extractor
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear import kmeans
from lecture_models.linear.gaussian_mixture import (
    expectation,
    fit_gaussian_mixture,
    mixture_log_likelihoods,
)
from lecture_models.linear.pca import fit_pca, project
from lecture_models.metrics.clustering import purity
from lecture_models.metrics.reconstruction import psnr
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.plots.scatter import scatter_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment

Rows = Float32[np.ndarray, "example dim"]
SEEDINGS = (("k-means++", kmeans.plus_plus_centers), ("random", kmeans.random_centers))
ROUNDING = 1e-5  # By such a share, sums in float32 may differ.
MOST_JUDGED = 2_000  # Examples of a silhouette, which compares all pairs.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    csv: str = ""  # CSV file to cluster in place of --dataset; a column of words is its classes.
    images: tuple[str, ...] = ("sample:chelsea", "sample:coffee")  # Photos, or folders of them.
    size: int = 192  # Side of the photos in pixels.
    num_examples: int = 5_000  # At most so many.
    num_clusters: int = 0  # 0 for the number of classes.
    starts: int = 20  # Of k-means, with each way to draw the first centers.
    components: int = 16  # Principal components of the PCA codes, and of all that a mixture fits.
    ridge: float = 1e-2  # Added to the mixture's variances, as a share of the mean variance.
    tried: tuple[int, ...] = (2, 5, 10, 15, 20, 30, 50, 80)  # Compared numbers of clusters.
    palette: tuple[int, ...] = (2, 4, 8, 16, 32, 64)  # Numbers of colors.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 8, "size")
        require_at_least(self, 10, "num_examples")
        require_at_least(self, 0, "num_clusters")
        require_at_least(self, 1, "starts", "palette")
        require_at_least(self, 2, "tried", "components")
        require_between(self, 1e-6, 1.0, "ridge")
        for name in ("tried", "palette"):
            if not getattr(self, name):
                raise ValueError(f"--{name} has no values; it must have 1 or more")


SMOKE = {
    "dataset": "digits",
    "size": 16,
    "num_examples": 60,
    "num_clusters": 3,
    "starts": 2,
    "components": 4,
    "tried": (3,),
    "palette": (3,),
}


class Points(NamedTuple):
    """Holds the examples to cluster.

    Attributes:
        spaces: by name, the examples as vectors.
        images: the examples as images in [-1, 1]; None for a table.
        labels: the class of each; None for none.
        classes: the names of the classes.
        described: one phrase about them.
    """

    spaces: dict[str, Rows]
    images: np.ndarray | None
    labels: Int[np.ndarray, " example"] | None
    classes: tuple[str, ...]
    described: str


def points_of_table(config: Config, library: Library) -> Points:
    """Returns the user's points, each column with zero mean and unit variance."""
    table = library.numbers("--csv", config.csv)
    values = table.values[: config.num_examples]
    spread = values.std(axis=0)
    if (spread == 0).any():
        constant = table.columns[int(np.argmin(spread))]
        raise DataError(f"{config.csv}: the column {constant} is constant; leave it out")
    rows = ((values - values.mean(axis=0)) / spread).astype(np.float32)
    labels = None if table.labels is None else table.labels[: config.num_examples]
    return Points({"columns": rows}, None, labels, table.classes, table.provenance.source)


def points_of_dataset(config: Config, library: Library) -> Points:
    """Returns training images as pixels, as PCA codes, and as codes of a trained network."""
    dataset = library.load(config.dataset)
    split = dataset.train.select(slice(config.num_examples))
    pixels = np.asarray(flatten_to_unit_range(split.images), np.float32)
    spaces = {"pixels": pixels, "PCA codes": reduced(pixels, config.components)}
    described = f"{len(split):,} training images of {dataset.provenance.dataset}"
    if split.images.shape[1:] == (28, 28, 1):
        extractor = feature_extractor(dataset, 1_000)
        codes = [extractor.apply(split.images[i : i + 500])[0] for i in range(0, len(split), 500)]
        spaces["CNN codes"] = np.concatenate([np.asarray(part) for part in codes])
        described += f"; CNN codes: {extractor.description}, which was trained with the labels"
    return Points(spaces, split.images, split.labels, dataset.classes, described)


def reduced(rows: Rows, components: int) -> Rows:
    count = min(components, *rows.shape)
    return np.asarray(project(fit_pca(rows, count), rows), np.float32)


def require_enough_points(points: Points, clusters: int, tried: tuple[int, ...]) -> None:
    """Raises DataError if a number of clusters is too large or unknown."""
    if clusters < 1:
        raise DataError("--num_clusters is 0 and there are no classes; it must be at least 1")
    for name, rows in points.spaces.items():
        for flag, count in (("--num_clusters", clusters), ("--tried", max(tried))):
            try:
                kmeans.require_clusters(rows, count)
            except ValueError as error:
                raise DataError(f"{flag}={count}: {name}: {error}") from error


def scores_of(rows: Rows, labels: np.ndarray | None, clusters: np.ndarray) -> dict[str, float]:
    """Returns purity, NMI and adjusted Rand index where there are classes, and the silhouette."""
    from sklearn import metrics

    found = {}
    if labels is not None:
        found = {
            "purity": purity(labels, clusters),
            "NMI": float(metrics.normalized_mutual_info_score(labels, clusters)),
            "ARI": float(metrics.adjusted_rand_score(labels, clusters)),
        }
    judged, its_rows = clusters[:MOST_JUDGED], rows[:MOST_JUDGED]
    is_divided = 1 < len(np.unique(judged)) < len(judged)
    found["silhouette"] = (
        float(metrics.silhouette_score(its_rows, judged)) if is_divided else float("nan")
    )
    return found


def compare_seedings(
    config: Config, key: Key[Array, ""], name: str, rows: Rows, clusters: int
) -> tuple[list[tuple], kmeans.Clustering]:
    """Returns a row about many starts of each way of seeding, and the best clustering of all."""
    lines, best = [], []
    for place, (seeding, seed) in enumerate(SEEDINGS):
        keys = jax.random.split(jax.random.fold_in(key, place), config.starts)
        runs = [kmeans.lloyd(rows, seed(start, rows, clusters)) for start in keys]
        first, costs = ([run.costs[index] for run in runs] for index in (0, -1))
        rises = sum(
            after > before * (1.0 + ROUNDING)
            for run in runs
            for before, after in itertools.pairwise(run.costs)
        )
        iterations = float(np.mean([len(run.costs) - 1 for run in runs]))
        reseeded = sum(run.reseeded for run in runs)
        deviation = float(np.std(costs, ddof=1)) if len(costs) > 1 else 0.0
        lines.append(
            (
                *(name, seeding, float(np.mean(first)), float(np.mean(costs)), deviation),
                *(min(costs), iterations, reseeded, rises),
            )
        )
        best.append(min(runs, key=lambda run: run.cost))
    return lines, min(best, key=lambda run: run.cost)


def ridge_of(rows: Rows, share: float) -> float:
    return share * float(rows.var(axis=0).mean())


def cluster_space(
    config: Config, key: Key[Array, ""], name: str, points: Points, clusters: int
) -> tuple[list[tuple], list[tuple], dict[str, float], np.ndarray]:
    """Returns rows about the seedings and about the scores, metrics, and the labels of k-means."""
    rows = points.spaces[name]
    mean_key, mixture_key = jax.random.split(key)
    seedings, best = compare_seedings(config, mean_key, name, rows, clusters)
    fewer = rows if rows.shape[1] <= config.components else reduced(rows, config.components)
    fit = fit_gaussian_mixture(mixture_key, fewer, clusters, ridge_of(fewer, config.ridge))
    mixed = np.asarray(expectation(fit.mixture, fewer)[0].argmax(axis=1))
    labels, lines, scalars = np.asarray(best.labels), [], {}
    for method, found, used in (("k-means", labels, rows), ("mixture", mixed, fewer)):
        scores = scores_of(used, points.labels, found)
        lines.append((name, method, used.shape[1], *scores.values()))
        prefix = f"{name.split(' ')[0].lower()}_{method.replace('-', '')}"
        scalars |= {f"{prefix}_{score.lower()}": value for score, value in scores.items()}
    return seedings, lines, scalars, labels


def choose_number(
    config: Config, key: Key[Array, ""], rows: Rows
) -> tuple[Images, DataTable, dict[str, float]]:
    """Returns cost, silhouette and held-out likelihood over the number of clusters."""
    held_out = np.arange(len(rows)) % 5 == 0
    lines = []
    for count in config.tried:
        mean_key, mixture_key = jax.random.split(jax.random.fold_in(key, count))
        clustering = kmeans.k_means(mean_key, rows, count, 3)
        silhouette = scores_of(rows, None, np.asarray(clustering.labels))["silhouette"]
        ridge = ridge_of(rows, config.ridge)
        fit = fit_gaussian_mixture(mixture_key, rows[~held_out], count, ridge)
        held = float(mixture_log_likelihoods(fit.mixture, rows[held_out]).mean())
        cost = clustering.cost / len(rows)
        lines.append((count, cost, silhouette, fit.log_likelihoods[-1], held))
    numbers, costs, silhouettes, train, held = map(np.array, zip(*lines, strict=True))
    plots = [
        line_plot([Curve("", numbers, costs, 0, marker="o")], ("clusters", "cost per example")),
        line_plot([Curve("", numbers, silhouettes, 1, marker="o")], ("clusters", "silhouette")),
        line_plot(
            [
                Curve("training", numbers, train, 2, ":", "o"),
                Curve("held out", numbers, held, 3, "-", "o"),
            ],
            ("components", "log-likelihood, nats"),
        ),
    ]
    caption = (
        "the cost always falls; the silhouette is highest where clusters are apart; a fifth of the "
        "examples, held out, says how many components the mixture can afford"
    )
    columns = ("clusters", "cost", "silhouette", "training nats", "held-out nats")
    chosen = {
        "clusters_by_silhouette": float(numbers[np.nanargmax(silhouettes)])
        if np.isfinite(silhouettes).any()
        else float("nan"),
        "components_by_likelihood": float(numbers[held.argmax()]),
        "held_out_log_likelihood": float(held.max()),
    }
    return Images(np.stack(plots), 3, caption), DataTable(columns, tuple(lines), caption), chosen


def palettes(config: Config, key: Key[Array, ""], photos: np.ndarray) -> tuple[Images, DataTable]:
    """Returns the photos in few colors, the centers of k-means of their pixels."""
    pictures, rows = [], []
    for place, photo in enumerate(photos):
        colors = photo.reshape(-1, 3)
        most = len(np.unique(colors, axis=0))
        pictures.append(photo)
        for count in config.palette:
            own_key = jax.random.fold_in(jax.random.fold_in(key, place), count)
            clustering = kmeans.k_means(own_key, colors, min(count, most))
            drawn = np.asarray(clustering.centers)[np.asarray(clustering.labels)]
            drawn = drawn.reshape(photo.shape)
            pictures.append(drawn)
            quality = float(psnr(jnp.asarray(drawn)[None], jnp.asarray(photo)[None])[0])
            rows.append((place + 1, count, float(np.log2(count)), quality))
    words = ", ".join(map(str, config.palette))
    caption = f"each photo, then in {words} colors: k-means of its pixels"
    columns = ("photo", "colors", "bits per pixel", "PSNR in dB")
    table = DataTable(columns, tuple(rows), "a palette costs log2 k bits per pixel, not 24")
    return Images(np.stack(pictures), len(config.palette) + 1, caption), table


def centroid_pictures(points: Points, found: dict[str, np.ndarray], clusters: int) -> Images:
    """Returns the mean image of each cluster, a row for each space, the largest cluster first."""
    means = []
    for labels in found.values():
        counts = np.bincount(labels, minlength=clusters)
        for label in np.argsort(-counts, kind="stable"):
            means.append(points.images[labels == label].mean(axis=0))
    caption = f"mean image of each cluster; rows: {', '.join(found)}; the largest cluster first"
    return Images(np.stack(means), clusters, caption)


def scatter_pictures(points: Points, found: dict[str, np.ndarray], clusters: int) -> Images:
    """Returns the last space in the plane of two components, by cluster and by class."""
    name, labels = list(found.items())[-1]
    rows = points.spaces[name]
    plane = reduced(rows, 2)
    if plane.shape[1] == 1:  # A table of one column.
        plane = np.concatenate([plane, np.zeros_like(plane)], axis=1)
    names = tuple(f"cluster {index + 1}" for index in range(clusters))
    plots = [scatter_plot(plane, labels, names, title=f"{name}: clusters")]
    if points.labels is not None:
        plots.append(scatter_plot(plane, points.labels, points.classes, title=f"{name}: classes"))
    caption = f"{name}: first two principal components, in the colors of clusters and of classes"
    return Images(np.stack(plots), 2, caption)


def make_evaluate(config: Config, points: Points, clusters: int, photos: np.ndarray):
    def evaluate(state, key) -> Evaluation:
        space_key, choice_key, palette_key = jax.random.split(jax.random.key(config.seed), 3)
        seedings, lines, found, scalars = [], [], {}, {}
        for place, name in enumerate(points.spaces):
            own_key = jax.random.fold_in(space_key, place)
            rows, scores, more, found[name] = cluster_space(config, own_key, name, points, clusters)
            seedings, lines, scalars = seedings + rows, lines + scores, scalars | more
        last_but_cnn = [name for name in points.spaces if name != "CNN codes"][-1]
        choice, choice_table, chosen = choose_number(
            config, choice_key, points.spaces[last_but_cnn]
        )
        drawn, palette_table = palettes(config, palette_key, photos)
        classes = ("purity", "NMI", "ARI") if points.labels is not None else ()
        columns = ("codes", "method", "numbers", *classes, "silhouette")
        seeding_columns = (
            *("codes", "seeding", "first cost", "last cost", "deviation", "best cost"),
            *("iterations", "empty clusters", "rises of the cost"),
        )
        results: Evaluation = {
            **scalars,
            **chosen,
            "scores": DataTable(columns, tuple(lines), f"{clusters} clusters; {points.described}"),
            "seedings": DataTable(
                seeding_columns, tuple(seedings), f"means over {config.starts} starts"
            ),
            "choice": choice,
            "choice_of_number": choice_table,
            "palettes": drawn,
            "palette_quality": palette_table,
            "plane": scatter_pictures(points, found, clusters),
        }
        if points.images is not None:
            results["centroids"] = centroid_pictures(points, found, clusters)
        return results

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    points = (points_of_table if config.csv else points_of_dataset)(config, library)
    clusters = config.num_clusters or len(points.classes)
    require_enough_points(points, clusters, config.tried)
    photos = np.stack([file.pixels for file in library.pictures(config.images, config.size)])
    return analysis_experiment(make_evaluate(config, points, clusters, images_from_uint8(photos)))
