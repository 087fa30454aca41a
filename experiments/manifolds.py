"""Manifolds: PCA, LDA, Isomap, LLE, t-SNE and an autoencoder on a swiss roll, digits and faces.

    python launch.py --experiment=manifolds
    python launch.py --experiment=manifolds --images=FOLDER
    python launch.py --experiment=manifolds --points=FILE.csv

Paper: none; the lecture's list of methods and its four uses of manifolds
Data: a made swiss roll; MNIST or else scikit-learn's digits; faces of ORL, or else drawn ones; your
  pictures, a sub-folder a class; or your points, the class in the last column
Cost: 2 minutes on one core
Expected: rank correlation with the roll at least 0.99 by Isomap, at most 0.4 by PCA; see
  results/manifolds.md
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32, Int

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear.pca import fit_pca, project, reconstruct
from lecture_models.metrics.embedding import (
    continuity,
    nearest_to_farthest,
    one_nn_error,
    trustworthiness,
)
from lecture_models.metrics.label_agreement import chance_agreement
from lecture_models.metrics.linear_probe import probe_accuracy
from lecture_models.plots.embedding_sheet import embedding_sheet
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment
from lecture_models.tasks.codes import collect_pictures
from lecture_models.tasks.embeddings import (
    METHODS,
    Embedding,
    Settings,
    classes_to_part,
    embed,
    graph_parts,
)

ROLL = "swiss roll"
LEVELS = 255.0  # Gray levels of a pixel, and steps of a quantized code.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    images: tuple[str, ...] = ()  # Your pictures: files and folders; sub-folders are classes.
    points: str = ""  # Your points: a CSV file of numbers, the class in the last column.
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    faces: str = "att_faces,synthetic_faces"  # Likewise, the data set of faces.
    num_points: int = 1_500  # Points of the swiss roll.
    num_pictures: int = 1_000  # Digits, or your own pictures or points, at most.
    noise: float = 0.05  # Standard deviation of the noise of the roll, which is 30 wide.
    neighbors: int = 12  # Of Isomap, LLE, trustworthiness and continuity.
    short_circuits: tuple[int, ...] = (
        6,
        12,
        20,
        30,
        40,
    )  # Numbers of neighbors of Isomap, plotted.
    perplexity: float = 30.0  # Effective number of neighbors of t-SNE.
    iterations: int = 1_000  # Of t-SNE; the first 250 exaggerate the attraction of neighbors.
    hidden: tuple[int, ...] = (128, 64)  # Widths of the autoencoder's encoder.
    steps: int = 3_000  # Of the autoencoder's training.
    features: int = 30  # Principal components of the first and fourth use.
    pixel_side: int = 28  # Side in pixels at which your pictures are compared.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 20, "num_points", "num_pictures")
        require_at_least(self, 3, "neighbors", "short_circuits")  # Modified LLE needs two more.
        require_at_least(self, 1, "perplexity", "steps", "features", "hidden")
        require_at_least(self, 250, "iterations")
        require_at_least(self, 8, "pixel_side")
        require_at_least(self, 0.0, "noise")
        if self.images and self.points:
            raise ValueError("--images and --points are given; only one of them is allowed")

    @property
    def settings(self) -> Settings:
        """Returns the hyperparameters of the methods."""
        return Settings(
            *(self.neighbors, self.perplexity, self.iterations),
            *(self.hidden, self.steps, self.seed),
        )


SMOKE = {
    "dataset": "digits",
    "faces": "digits",
    "num_points": 60,
    "num_pictures": 50,
    "neighbors": 5,
    "short_circuits": (5, 8),
    "perplexity": 5.0,
    "iterations": 250,
    "hidden": (8,),
    "steps": 20,
    "features": 5,
}


class Space(NamedTuple):
    """Holds vectors to embed.

    Attributes:
        name: the words for the data.
        vectors: one row per example; pixels are in [0, 1].
        labels: class of each example.
        colors: what colors an example in a plot.
        shape: height and width of a picture; None for points.
    """

    name: str
    vectors: Float32[np.ndarray, "example dim"]
    labels: Int[np.ndarray, " example"]
    colors: Float[np.ndarray, " example"]
    shape: tuple[int, int] | None = None


def swiss_roll(config: Config) -> Space:
    """Returns points of a rolled-up plane; their classes are quarters along the roll."""
    from sklearn.datasets import make_swiss_roll

    points, along = make_swiss_roll(config.num_points, noise=config.noise, random_state=config.seed)
    quarters = np.searchsorted(np.quantile(along, (0.25, 0.5, 0.75)), along)
    return Space(ROLL, points.astype(np.float32), quarters.astype(np.int64), along)


def dataset_space(dataset: Dataset, count: int, most_side: int) -> Space:
    """Returns gray pictures of a data set: test, then validation, then training split.

    Pictures with a side above `most_side` are reduced by means over squares.
    """
    splits = (dataset.test, dataset.validation, dataset.train)
    images = np.concatenate([split.images[:count] for split in splits])[:count]
    labels = np.concatenate([split.labels[:count] for split in splits])[:count]
    gray = (images.mean(-1) + 1.0) / 2.0
    factor = -(-max(gray.shape[1:]) // most_side)
    height, width = (side // factor for side in gray.shape[1:])
    gray = gray[:, : height * factor, : width * factor]
    small = gray.reshape(len(gray), height, factor, width, factor).mean((2, 4))
    vectors = small.reshape(len(small), -1).astype(np.float32)
    name = dataset.provenance.dataset
    return Space(name, vectors, labels.astype(np.int64), labels.astype(float), (height, width))


def own_space(config: Config, library: Library) -> Space:
    """Returns the user's pictures or points."""
    if config.points:
        table = library.table("--points", config.points)
        chosen = np.linspace(0, len(table.points) - 1, min(len(table.points), config.num_pictures))
        rows = chosen.round().astype(int)
        vectors, labels, shape = table.points[rows].astype(np.float32), table.labels[rows], None
    else:
        side = config.pixel_side
        pictures = collect_pictures(library, config.images, "", config.num_pictures, side)
        vectors = (pictures.pixels.mean(-1) / 255.0).reshape(len(pictures.pixels), -1)
        vectors, labels, shape = vectors.astype(np.float32), pictures.labels, (side, side)
    return Space("your data", vectors, labels, labels.astype(float), shape)


def require_enough(space: Space, config: Config) -> None:
    """Raises DataError if there are too few examples for the neighbors, or all are equal."""
    count, distinct = len(space.vectors), len(np.unique(space.vectors, axis=0))
    most = max(config.neighbors, *config.short_circuits) if space.name == ROLL else config.neighbors
    if 2 * config.neighbors >= count or most >= distinct:
        raise DataError(
            f"{space.name}: {distinct} different ones of {count} examples are too few for "
            f"{most} neighbors"
        )
    if 3.0 * config.perplexity > count - 1:
        raise DataError(
            f"--perplexity is {config.perplexity:g}; with {count} examples it must be at most "
            f"{(count - 1) / 3.0:.3g}"
        )
    classes = len(classes_to_part(space.labels[::2]))  # LDA learns from every other example.
    if classes < 2:
        raise DataError(
            f"{space.name}: {classes} of its classes have 4 or more examples; LDA needs 2 of them"
        )
    if space.vectors.shape[1] < 2:
        raise DataError(f"{space.name} has 1 number per example; at least 2 are needed")


def unrolled(embedding: Embedding, along: Float[np.ndarray, " example"]) -> float:
    """Returns the larger of both axes' absolute rank correlations with the place on the roll."""
    from scipy.stats import spearmanr

    return max(abs(float(spearmanr(axis, along).statistic)) for axis in embedding.points.T)


def scores_of(space: Space, embedding: Embedding, neighbors: int) -> dict[str, float]:
    """Returns the scores of one embedding; errors by class only where the classes were unseen."""
    judged = slice(None) if embedding.unseen is None else embedding.unseen
    scores = {
        "trustworthiness": trustworthiness(space.vectors, embedding.points, neighbors),
        "continuity": continuity(space.vectors, embedding.points, neighbors),
        "one_nn_error": one_nn_error(embedding.points[judged], space.labels[judged]),
        "seconds": embedding.seconds,
    }
    return scores | ({"unrolled": unrolled(embedding, space.colors)} if space.name == ROLL else {})


class Described(NamedTuple):
    """Holds what all methods make of one space."""

    scalars: dict[str, float]
    rows: list[tuple[str | float, ...]]
    lines: list[str]
    sheet: Float32[np.ndarray, "side side 3"]


def describe_space(space: Space, config: Config) -> Described:
    """Embeds one space by all methods, and scores the embeddings."""
    results: dict[str, float] = {}
    rows, lines, titles = [], [], {}
    parts = graph_parts(space.vectors, config.neighbors)
    lines.append(
        f"{space.name}: {len(space.vectors):,} examples of {space.vectors.shape[1]} numbers"
    )
    if parts > 1:
        lines.append(
            f"the graph of {config.neighbors} neighbors has {parts} parts, which are joined"
        )
    for name in METHODS:
        embedding = embed(name, space.vectors, space.labels, config.settings)
        scores = scores_of(space, embedding, config.neighbors)
        key = f"{space.name}_{name}".replace(" ", "_").replace("-", "_").lower()
        results |= {f"{key}_{score}": value for score, value in scores.items()}
        rows.append((space.name, name, *scores.values(), *(() if "unrolled" in scores else ("-",))))
        words = ", ".join(f"{score} {value:.3f}" for score, value in scores.items())
        lines.append(f"  {name:12} {words}")
        error = scores.get("unrolled", scores["one_nn_error"])
        label = "unrolled" if "unrolled" in scores else "1-NN error"
        titles[f"{name}: {label} {error:.2f}"] = embedding.points
    return Described(results, rows, lines, embedding_sheet(titles, space.colors, space.name))


def short_circuits(roll: Space, config: Config) -> Evaluation:
    """Plots how well Isomap unrolls with more and more neighbors, until the graph cuts across."""
    scores = []
    for neighbors in config.short_circuits:
        settings = config.settings._replace(neighbors=neighbors)
        found = embed("Isomap", roll.vectors, roll.labels, settings)
        scores.append(unrolled(found, roll.colors))
    curve = Curve("", np.array(config.short_circuits, float), np.array(scores), 0, "-", "o")
    picture = line_plot(
        [curve], ("neighbors", "rank correlation with the roll"), "Isomap", "", (0.0, 1.02)
    )
    words = "with too many neighbors, edges of the graph cut across the roll"
    return {
        "short_circuits": Images(picture[None], 1, words),
        "isomap_unrolled_at_most_neighbors": scores[-1],
    }


def psnr(error: float) -> float:
    """Returns the peak signal-to-noise ratio in dB of a mean squared error of values in [0, 1]."""
    return float(-10.0 * np.log10(max(error, 1e-12)))


def quantized_pca(space: Space, count: int) -> tuple[float, float]:
    """Returns bits per pixel and PSNR of pictures from principal components of 8 bits each."""
    pca = fit_pca(space.vectors, count)
    codes = np.asarray(project(pca, space.vectors))
    low, high = codes.min(0, keepdims=True), codes.max(0, keepdims=True)
    step = np.maximum(high - low, 1e-12) / LEVELS
    restored = reconstruct(pca, low + step * np.rint((codes - low) / step))
    return 8.0 * count / space.vectors.shape[1], psnr(((restored - space.vectors) ** 2).mean())


def shrunken(space: Space, wanted: float) -> tuple[float, float]:
    """Returns bits per pixel and PSNR of the smallest pictures that reach a PSNR when enlarged.

    Pictures are resized linearly, and stored with 8 bits per pixel.
    """
    height, width = space.shape
    images = jnp.asarray(space.vectors.reshape(-1, height, width))
    for side in range(2, max(space.shape) + 1):
        small = tuple(max(1, round(side * n / max(space.shape))) for n in space.shape)
        resized = jax.image.resize(images, (len(images), *small), "linear")
        stored = jnp.rint(resized * LEVELS) / LEVELS
        restored = jax.image.resize(stored, images.shape, "linear")
        reached = psnr(float(((restored - images) ** 2).mean()))
        if reached >= wanted:
            break
    return 8.0 * small[0] * small[1] / (height * width), reached


def four_uses(space: Space, plane_error: float, config: Config) -> tuple[dict[str, float], str]:
    """Returns one number for each of the lecture's four uses of manifolds, and words."""
    vectors, labels = space.vectors, space.labels
    count = min(config.features, *vectors.shape)
    bits, quality = quantized_pca(space, count)
    other_bits, other_quality = shrunken(space, quality)
    noise = np.random.default_rng(config.seed).uniform(size=(len(vectors), vectors.shape[1]))
    near, near_noise = nearest_to_farthest(vectors), nearest_to_farthest(noise)
    codes = np.asarray(project(fit_pca(vectors, count), vectors))
    half = len(vectors) // 2
    probe, probe_raw = (
        probe_accuracy(rows[:half], labels[:half], rows[half:], labels[half:])
        for rows in (codes, vectors)
    )
    scalars = {
        "use_compression_bits_per_pixel": bits,
        "use_compression_shrinking_bits_per_pixel": other_bits,
        "use_compression_psnr": quality,
        "use_visualization_one_nn_error": plane_error,
        "use_dimension_nearest_to_farthest": near,
        "use_dimension_nearest_to_farthest_of_noise": near_noise,
        "use_features_probe_accuracy": probe,
        "use_features_probe_accuracy_of_pixels": probe_raw,
    }
    lines = [
        f"four uses, {space.name}",
        f"1 compression: {bits:.2f} bits per pixel by {count} components at {quality:.1f} dB; "
        f"shrinking needs {other_bits:.2f} for {other_quality:.1f} dB",
        f"2 visualization: 1-NN error in the plane {plane_error:.1%}, by chance "
        f"{1.0 - chance_agreement(labels):.1%}",
        f"3 curse of dimension: nearest / farthest {near:.2f}, of noise in as many dimensions "
        f"{near_noise:.2f}",
        f"4 features: linear probe on {count} components {probe:.1%}, on {vectors.shape[1]} "
        f"pixels {probe_raw:.1%}",
    ]
    return scalars, "\n".join(lines)


def make_evaluate(config: Config, spaces: list[Space]):
    def evaluate(state, key) -> Evaluation:
        results: Evaluation = {}
        rows, lines, sheets, uses = [], [], [], ""
        for space in spaces:
            found = describe_space(space, config)
            results |= found.scalars
            rows, lines = rows + found.rows, lines + found.lines
            sheets.append(found.sheet)
            if space.name == ROLL:
                results |= short_circuits(space, config)
            elif space.shape and not uses:
                key_of_error = f"{space.name}_t_sne_one_nn_error".replace(" ", "_").lower()
                scalars, uses = four_uses(space, found.scalars[key_of_error], config)
                results |= scalars
        columns = ("data", "method", "trustworthiness", "continuity", "1-NN error", "seconds")
        caption = "embeddings in the plane"
        results["scores"] = DataTable((*columns, "unrolled"), tuple(rows), caption)
        words = "seven embeddings in the plane; colors are places on the roll, or classes"
        results["sheet"] = Images(np.stack(sheets), len(sheets), words)
        return results | {"methods": "\n".join(lines)} | ({"four_uses": uses} if uses else {})

    return evaluate


def build(config: Config, library: Library) -> Experiment:
    roll = swiss_roll(config)
    if config.images or config.points:
        spaces = [roll, own_space(config, library)]
    else:
        digits = dataset_space(library.load(config.dataset), config.num_pictures, 28)
        faces = dataset_space(library.load(config.faces), config.num_pictures, 28)
        spaces = [roll, digits, faces]
    for space in spaces:
        require_enough(space, config)
    return analysis_experiment(make_evaluate(config, spaces))
