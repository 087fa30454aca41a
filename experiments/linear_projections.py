"""Principal components and Fisher's discriminant: what the lecture states of them, and digits.

    python launch.py --experiment=linear_projections
    python launch.py --experiment=linear_projections --csv=FILE.csv
    python launch.py --experiment=linear_projections --dataset=folder --data_dir=FOLDER

Paper: Pearson, 1901, and Hotelling, 1933, on principal components; Fisher, 1936, The use of
  multiple measurements in taxonomic problems
Data: MNIST, or else the digits of scikit-learn; or a CSV file with a column of words, the classes
Cost: 3 minutes and more on a busy machine
Expected: every statement holds to rounding; 43, 86 and 152 components hold 80, 90 and 95% of the
  variance of MNIST; see results/linear_projections.md
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from lecture_models.config import require_at_least, require_between
from lecture_models.data.dataset import DataError, Split
from lecture_models.data.lookup import Library
from lecture_models.evaluators.components import (
    components_for,
    lda_statements,
    pca_statements,
    plane_of_components,
    projected_accuracy,
    table_of_deviations,
    uncentered_angle,
)
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.linear.fisher import fit_discriminant, scatter_of
from lecture_models.linear.pca import fit_pca, project
from lecture_models.models.filters import filter_pictures
from lecture_models.nn.pixel_values import flatten_to_unit_range
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.plots.scatter import scatter_plot
from lecture_models.tasks.analysis import AnalysisConfig, analysis_experiment

SHOWN = 16  # Components and discriminants as pictures.


@dataclasses.dataclass(frozen=True)
class Config(AnalysisConfig):
    # Comma-separated names; the first available one is used. A single name has no fallback.
    dataset: str = "mnist,digits"
    csv: str = ""  # CSV file in place of --dataset; its column of words holds the classes.
    num_train: int = 20_000  # At most so many examples to fit.
    num_test: int = 10_000  # At most so many to test, of the test split; a fifth of a CSV file.
    components: int = 40  # Principal components on which the discriminant is fitted.
    shares: tuple[float, ...] = (0.8, 0.9, 0.95)  # Of the variance, to be held by few components.
    directions: int = 1_000  # Random directions that try to beat the first one.
    neighbors: int = 10  # That vote in the plane.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 20, "num_train")
        require_at_least(self, 1, "num_test", "directions", "neighbors")
        require_at_least(self, 2, "components")
        require_between(self, 0.01, 1.0, "shares")
        if not self.shares:
            raise ValueError("--shares has no values; it must have 1 or more")


SMOKE = {
    "dataset": "digits",
    "num_train": 100,
    "num_test": 40,
    "components": 5,
    "directions": 10,
    "neighbors": 3,
}


class Examples(NamedTuple):
    """Holds labeled examples to fit and to test.

    Attributes:
        train: one example per row.
        train_labels: the class of each.
        test: the examples that are classified.
        test_labels: the class of each.
        classes: the names of the classes.
        image_shape: height, width and channels of the examples; None for a table.
        described: one phrase about them.
    """

    train: Float64[np.ndarray, "example dim"]
    train_labels: Int64[np.ndarray, " example"]
    test: Float64[np.ndarray, "other dim"]
    test_labels: Int64[np.ndarray, " other"]
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int] | None
    described: str


def examples_of_table(config: Config, library: Library) -> Examples:
    """Returns four fifths of the user's rows to fit and a fifth to test, in random order."""
    table = library.numbers("--csv", config.csv)
    if table.labels is None:
        raise DataError(f"{config.csv} has no column of words; it must have one, the classes")
    order = np.random.default_rng(config.seed).permutation(len(table.values))
    cut = min(config.num_train, 4 * len(order) // 5)
    train, test = order[:cut], order[cut:][: config.num_test]
    values, labels = table.values, table.labels.astype(np.int64)
    return Examples(
        *(values[train], labels[train], values[test], labels[test]),
        *(table.classes, None, table.provenance.source),
    )


def examples_of_dataset(config: Config, library: Library) -> Examples:
    dataset = library.load(config.dataset)
    if len(dataset.classes) < 2:
        raise DataError(f"{dataset.provenance.dataset} has no classes; a discriminant needs them")

    def part(split: Split, most: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = split.select(slice(most))
        rows = np.asarray(flatten_to_unit_range(chosen.images), np.float64)
        return rows, np.asarray(chosen.labels, np.int64)

    train, test = part(dataset.train, config.num_train), part(dataset.test, config.num_test)
    described = f"{len(train[0]):,} training and {len(test[0]):,} test images of "
    return Examples(
        *(*train, *test, dataset.classes),
        *(dataset.train.images.shape[1:], described + dataset.provenance.dataset),
    )


def require_enough(examples: Examples) -> None:
    """Raises DataError if components or a discriminant cannot be fitted to the examples."""
    count, dim = examples.train.shape
    if dim < 2:
        raise DataError("there is 1 column of numbers; a plane needs at least 2")
    present = len(np.unique(examples.train_labels))
    if present < 2:
        raise DataError("all training examples have one class; a discriminant needs at least 2")
    if count <= present + 1 or not len(examples.test):
        raise DataError(f"{count} training examples of {present} classes are too few")
    if not examples.train.std(axis=0).any():
        raise DataError("all training examples are equal; they have no components")


def spectrum_plot(examples: Examples) -> Images:
    """Returns the share of the variance that the first components hold."""
    pca = fit_pca(examples.train, min(examples.train.shape))
    held = np.cumsum(pca.variances) / pca.variances.sum()
    numbers = np.arange(1, len(held) + 1)
    plot = line_plot(
        [Curve("", numbers, held)], ("components", "share of the variance"), "", "x", (0.0, 1.02)
    )
    return Images(plot[None], 1, "share of the variance that the first components hold")


def compare_planes(config: Config, examples: Examples) -> Evaluation:
    """Compares the plane of two components with that of two discriminants, on test examples."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    count = useful_components(config, examples)
    pca = fit_pca(examples.train, count)
    codes = [np.asarray(project(pca, rows), np.float64) for rows in (examples.train, examples.test)]
    scatter = scatter_of(codes[0], examples.train_labels)
    directions = fit_discriminant(scatter, min(2, len(examples.classes) - 1, count))[0]
    planes = {
        "PCA": plane_of_components(examples.train, examples.test),
        "LDA": [
            np.pad(part @ directions, ((0, 0), (0, 2 - directions.shape[1]))) for part in codes
        ],
    }
    results: Evaluation = {}
    pictures, rows = [], []
    for name, (train, test) in planes.items():
        accuracy = projected_accuracy(
            (train, examples.train_labels), (test, examples.test_labels), config.neighbors
        )
        results[f"{name.lower()}_plane_accuracy"] = accuracy
        rows.append((f"{config.neighbors} nearest neighbors in the plane of {name}", accuracy))
        pictures.append(scatter_plot(test, examples.test_labels, examples.classes, title=name))
    for name, part in (("codes", codes), ("numbers", [examples.train, examples.test])):
        library = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3)
        library.fit(part[0], examples.train_labels)
        accuracy = 100.0 * float(library.score(part[1], examples.test_labels))
        results[f"lda_accuracy_{name}"] = accuracy
        what = f"{part[0].shape[1]} {'components' if name == 'codes' else 'numbers'}"
        rows.append((f"scikit-learn's LDA on {what}", accuracy))
    caption = (
        f"test examples in the planes of components and of discriminants; {examples.described}"
    )
    return results | {
        "planes": Images(np.stack(pictures), 2, caption),
        "accuracies": DataTable(("classifier", "test accuracy in %"), tuple(rows), caption),
    }


def useful_components(config: Config, examples: Examples) -> int:
    """Returns the number of components with variance on which a discriminant can be fitted."""
    most = min(len(examples.train) - len(examples.classes), examples.train.shape[1])
    pca = fit_pca(examples.train, max(1, min(config.components, most)))
    return int((pca.variances > 1e-9 * pca.variances[0]).sum())


def component_pictures(config: Config, examples: Examples) -> Images:
    """Returns the mean, the first components, and the first discriminants as pictures."""
    count = useful_components(config, examples)
    pca = fit_pca(examples.train, count)
    codes = np.asarray(project(pca, examples.train), np.float64)
    useful = min(SHOWN, len(examples.classes) - 1, count)
    directions = fit_discriminant(scatter_of(codes, examples.train_labels), useful)[0]
    columns = 1 + min(SHOWN, count)
    mean = 2.0 * pca.mean[None] - 1.0
    rows = [mean.reshape(1, *examples.image_shape)]
    rows.append(filter_pictures(pca.components[:, : columns - 1], examples.image_shape))
    blank = np.ones((columns - useful, *examples.image_shape), np.float32)
    rows.append(filter_pictures(pca.components @ directions, examples.image_shape))
    pictures = np.concatenate([*map(np.asarray, rows), blank])
    caption = f"mean, and the first {columns - 1} components; below, {useful} discriminants"
    return Images(pictures, columns, caption)


def state_facts(config: Config, examples: Examples) -> Evaluation:
    """Returns the deviations from the statements, and how many components hold the variance."""
    # Numbers that never vary would make the statements about SVD divide by 0.
    varied = examples.train[:, examples.train.std(axis=0) > 0.0]
    count = min(useful_components(config, examples), min(varied.shape) // 2 - 1 or 1)
    pca_facts = pca_statements(varied, max(1, count), config.directions, config.seed)
    codes = np.asarray(
        project(fit_pca(varied, useful_components(config, examples)), varied), np.float64
    )
    lda_facts = lda_statements(codes, examples.train_labels, config.directions, config.seed)
    numbers = components_for(examples.train, config.shares)
    lines = [
        f"{number} components hold {share:.0%} of the variance"
        for share, number in zip(config.shares, numbers, strict=True)
    ]
    angle = uncentered_angle(examples.train)
    lines.append(
        f'without centering, the first "component" is {angle:.1f} degrees from the mean; with it, '
        "the mean plays no part"
    )
    return {
        "pca_deviation": max(pca_facts.values()),
        "lda_deviation": max(lda_facts.values()),
        "uncentered_angle": angle,
        **{
            f"components_for_{round(100 * share)}": float(number)
            for share, number in zip(config.shares, numbers, strict=True)
        },
        "pca_statements": table_of_deviations(pca_facts, f"PCA; {examples.described}"),
        "lda_statements": table_of_deviations(lda_facts, f"LDA on {codes.shape[1]} components"),
        "facts": "\n".join(lines),
    }


def build(config: Config, library: Library) -> Experiment:
    examples = (examples_of_table if config.csv else examples_of_dataset)(config, library)
    require_enough(examples)

    def evaluate(state, key) -> Evaluation:
        results = state_facts(config, examples) | compare_planes(config, examples)
        results["spectrum"] = spectrum_plot(examples)
        if examples.image_shape:
            results["components"] = component_pictures(config, examples)
        return results

    return analysis_experiment(evaluate)
