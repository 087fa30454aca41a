"""Random vectors of many dimensions, which are nearly orthogonal, beside codes of a network.

    python launch.py --experiment=high_dimensional_vectors --images=FOLDER --model=googlenet_bvlc

Paper: the lecture's slide on random vectors in high dimension; Johnson and Lindenstrauss, 1984;
  Beyer et al., 1999, When is nearest neighbor meaningful?
Data: random vectors; codes of picture files, sub-folders as classes, or of a labeled data set
Cost: 1 to 2 minutes on a busy machine
Expected: the deviation of the cosine is 1 / sqrt(n), as on the slide; codes of one class are far
  from orthogonal; see results/high_dimensional_vectors.md
"""

import dataclasses

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear import random_vectors as rv
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.analysis import analysis_experiment
from lecture_models.tasks.codes import (
    CodesConfig,
    collect_pictures,
    describe_codes,
    feature_codes,
    input_side,
    make_layer_reader,
    pixel_codes,
)
from lecture_models.weights.pretrained import Weights
from lecture_models.weights.random_networks import UNTRAINED

# The deviations of the cosine that the lecture prints for Gaussian vectors.
PRINTED = {2: "0.713", 10: "0.319", 100: "0.0975", 1_000: "0.0321", 10_000: "0.0101"}
KINDS = (("Gaussian", rv.draw_gaussian), ("sphere", rv.draw_on_sphere))


@dataclasses.dataclass(frozen=True)
class Config(CodesConfig):
    dims: tuple[int, ...] = (2, 10, 100, 1_000, 10_000)  # Numbers of dimensions.
    pairs: int = 2_000  # Pairs of random vectors for each number of dimensions.
    points: int = 200  # Uniform points, of which the nearest and the farthest pair are compared.
    projected_points: int = 1_000  # Points whose distances a random projection must keep.
    distortion: float = 0.5  # Bound on the relative change of their squared distances.
    small_cosine: float = 0.1  # Vectors below this absolute cosine count as nearly orthogonal.
    pixel_side: int = 32  # Side in pixels to which larger pictures are reduced for pixel codes.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "dims")
        require_at_least(self, 10, "pairs", "points", "projected_points")
        require_at_least(self, 1, "pixel_side")
        require_between(self, 0.05, 0.95, "distortion", "small_cosine")
        if not self.dims:
            raise ValueError("--dims has no values; it must have 1 or more")


SMOKE = {
    "dims": (2, 50),
    "pairs": 100,
    "points": 20,
    "projected_points": 20,
    "dataset": "digits",
    "num_pictures": 40,
    "model": UNTRAINED,
    "batch_size": 8,
}


def cosine_table(
    config: Config, key: Key[Array, ""]
) -> tuple[DataTable, dict[str, float], dict[int, np.ndarray]]:
    """Returns the deviations of cosines beside the slide's, and the Gaussian cosines by dimension.

    The p-value of the Kolmogorov-Smirnov test compares the cosines with the density of theory.
    """
    from scipy import stats

    rows, scalars, samples = [], {}, {}
    for place, dim in enumerate(config.dims):
        row, half = [dim, PRINTED.get(dim, "not printed"), dim**-0.5], (dim - 1.0) / 2.0
        for kind, (name, draw) in enumerate(KINDS):
            kind_key = jax.random.fold_in(key, 2 * place + kind)
            sample = rv.sample_cosines(kind_key, draw, dim, config.pairs)
            deviation = float(sample.std())
            p_value = stats.kstest((sample + 1.0) / 2.0, stats.beta(half, half).cdf).pvalue
            row += [deviation, float(p_value)]
            scalars[f"cosine_deviation_{name.lower()}_{dim}"] = deviation
            samples.setdefault(dim, sample)
        absolute = float(np.abs(samples[dim]).mean())
        rows.append((*row, absolute, rv.expected_absolute_cosine(dim)))
    columns = (
        *("dimensions", "slide", "1 / sqrt(n)", "Gaussian", "Gaussian p", "sphere", "sphere p"),
        *("mean |cosine|", "expected"),
    )
    caption = (
        f"standard deviation of the cosine of {config.pairs:,} pairs; p: Kolmogorov-Smirnov test "
        "against the density of theory"
    )
    return DataTable(columns, tuple(rows), caption), scalars, samples


def concentration_table(config: Config, key: Key[Array, ""]) -> DataTable:
    """Returns how norms and distances concentrate, and how many vectors are nearly orthogonal."""
    from scipy.spatial.distance import pdist

    rows = []
    for place, dim in enumerate(config.dims):
        norm_key, point_key = jax.random.split(jax.random.fold_in(key, place))
        norms = np.linalg.norm(rv.draw_gaussian(norm_key, (config.points, dim)), axis=1)
        distances = pdist(np.asarray(jax.random.uniform(point_key, (config.points, dim))))
        rows.append(
            (
                dim,
                float(norms.mean() / np.sqrt(dim)),
                float(norms.std()),
                float(distances.max() / max(distances.min(), 1e-12)),
                rv.nearly_orthogonal_count(dim, config.small_cosine),
            )
        )
    columns = ("dimensions", "mean |x| / sqrt(n)", "deviation of |x|", "farthest / nearest")
    words = f"vectors with all |cosines| < {config.small_cosine:g}"
    caption = (
        f"{config.points} Gaussian vectors; farthest and nearest pair of as many uniform points; "
        "and how many random directions are nearly orthogonal with an even chance"
    )
    return DataTable((*columns, words), tuple(rows), caption)


def projection_distortion(config: Config, key: Key[Array, ""]) -> tuple[str, dict[str, float]]:
    """Returns what a random projection to the dimensions of the lemma does to distances."""
    from scipy.spatial.distance import pdist

    draw_key, project_key = jax.random.split(key)
    count, dim = config.projected_points, max(config.dims)
    points = np.asarray(rv.draw_gaussian(draw_key, (count, dim)))
    fewer = rv.johnson_lindenstrauss_dim(count, config.distortion)
    if fewer >= dim:
        return f"{count:,} points need {fewer:,} dimensions, and there are {dim:,}", {}
    projected = np.asarray(rv.random_projection(project_key, points, fewer))
    ratios = pdist(projected, "sqeuclidean") / pdist(points, "sqeuclidean")
    distortion = float(np.abs(ratios - 1.0).max())
    line = (
        f"{count:,} points projected from {dim:,} to the {fewer:,} dimensions of the lemma of "
        f"Johnson and Lindenstrauss: squared distances change by at most {distortion:.1%} (bound "
        f"{config.distortion:.0%}), {np.abs(ratios - 1.0).mean():.1%} on average"
    )
    return line, {"projection_distortion": distortion}


def density_plot(samples: dict[int, np.ndarray]) -> Images:
    """Returns histograms of cosines with the densities of theory, scaled to their deviation."""
    curves = []
    for color, (dim, sample) in enumerate(samples.items()):
        counts, edges = np.histogram(sample * np.sqrt(dim), 31, (-3.5, 3.5), density=True)
        middles = (edges[:-1] + edges[1:]) / 2.0
        fine = np.linspace(-3.5, 3.5, 701)
        inside = np.abs(fine) < 0.999 * np.sqrt(dim)
        theory = np.full(len(fine), np.nan)
        theory[inside] = rv.cosine_density(fine[inside] / np.sqrt(dim), dim) / np.sqrt(dim)
        curves.append(Curve(f"{dim:,} dimensions", middles, counts, color, "", "o"))
        curves.append(Curve("density of theory" * (color == 0), fine, theory, color))
    picture = line_plot(
        curves, ("cosine times sqrt(n)", "density"), "angles of random vectors", limits=(0.0, 0.8)
    )
    caption = "in the plane all angles are equally likely; in many dimensions, right ones"
    return Images(picture[None], 1, caption)


def pair_cosines(
    codes: Float[np.ndarray, "picture feature"], labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cosines of all pairs of one class, and of all pairs of two classes."""
    norms = np.linalg.norm(codes, axis=1, keepdims=True)
    unit = codes / np.maximum(norms, 1e-12)
    upper = np.triu_indices(len(codes), 1)
    values, same = (unit @ unit.T)[upper], (labels[:, None] == labels[None])[upper]
    return values[same], values[~same]


def code_rows(
    name: str, codes: np.ndarray, labels: np.ndarray
) -> tuple[list[tuple], list[Curve], dict[str, float]]:
    """Returns the angles between codes as they are and around their mean."""
    from sklearn.metrics import roc_auc_score

    rows, curves, scalars = [], [], {}
    centered = codes - codes.mean(axis=0, keepdims=True)
    for form, vectors in (("as they are", codes), ("minus their mean", centered)):
        same, other = pair_cosines(vectors.astype(np.float64), labels)
        truth = np.r_[np.ones(len(same)), np.zeros(len(other))]
        auc = float(roc_auc_score(truth, np.r_[same, other]))
        dim = vectors.shape[1]
        far = [float(np.mean(rv.cosine_p_value(pairs, dim) < 1e-6)) for pairs in (same, other)]
        moments = [float(x) for pairs in (same, other) for x in (pairs.mean(), pairs.std())]
        rows.append((name, form, dim, dim**-0.5, *moments, *far, auc))
        key = f"{name.split(' ')[0]}_{form.split(' ')[0]}"
        scalars |= {f"{key}_auc": auc, f"{key}_same": moments[0], f"{key}_other": moments[2]}
        for color, (kind, pairs) in enumerate((("one class", same), ("two classes", other))):
            counts, edges = np.histogram(pairs, 60, (-1.0, 1.0), density=True)
            style = "-" if form == "minus their mean" else ":"
            middles = (edges[:-1] + edges[1:]) / 2.0
            curves.append(Curve(f"{kind}, {form}", middles, counts, color, style))
    return rows, curves, scalars


def codes_evaluation(spaces: dict[str, np.ndarray], labels: np.ndarray, described: str):
    rows, plots, scalars = [], [], {}
    for name, codes in spaces.items():
        more_rows, curves, more = code_rows(name, codes, labels)
        rows += more_rows
        scalars |= more
        places = np.linspace(-1.0, 1.0, 401)
        theory = rv.cosine_density(places, codes.shape[1])
        highest = 1.3 * max(float(curve.y.max()) for curve in curves)
        curves.append(Curve("random vectors", places, np.minimum(theory, highest), 7, "--"))
        axes = ("cosine of two codes", "density")
        plots.append(line_plot(curves, axes, name, limits=(0.0, highest)))
    columns = (
        *("codes", "form", "numbers", "1 / sqrt(n)"),
        *("one class: mean cosine", "one class: deviation"),
        *("two classes: mean cosine", "two classes: deviation"),
        *("one class: share p < 1e-6", "two classes: share p < 1e-6", "AUC one against two"),
    )
    caption = f"cosines of all pairs of {described}; p as if the codes were random directions"
    return {
        **scalars,
        "codes": DataTable(columns, tuple(rows), caption),
        "code_angles": Images(np.stack(plots), len(plots), caption),
    }


def make_evaluate(config: Config, network, reader, pictures):
    def evaluate(state, key) -> Evaluation:
        cosine_key, norm_key, project_key = jax.random.split(jax.random.key(config.seed), 3)
        table, scalars, samples = cosine_table(config, cosine_key)
        line, distortion = projection_distortion(config, project_key)
        spaces = {
            "features": feature_codes(network, reader, pictures, config.batch_size),
            "pixels": pixel_codes(pictures, config.pixel_side, config.batch_size),
        }
        described = f"{pictures.described()}; features are {describe_codes(network, reader)}"
        return {
            **scalars,
            **distortion,
            "cosines": table,
            "concentration": concentration_table(config, norm_key),
            "random_projection": line,
            "densities": density_plot(samples),
            **codes_evaluation(spaces, pictures.labels, described),
            "alarm_network": network.alarm,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    side = input_side(network, config.size)
    reader = make_layer_reader(network, config.layer, side)
    pictures = collect_pictures(library, config.images, config.dataset, config.num_pictures, side)
    counts = np.bincount(pictures.labels)
    if len(counts) < 2 or counts.max() < 2:
        raise DataError(
            f"there are {pictures.described()}; pairs of one class and of two are compared, so "
            "there must be 2 classes or more, one of them with 2 pictures"
        )
    return analysis_experiment(make_evaluate(config, network, reader, pictures))
