"""Measures by how much the lecture's statements about PCA and LDA are violated."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Float64, Int

from lecture_models.experiment import DataTable
from lecture_models.linear.fisher import fisher_ratio, fit_discriminant, scatter_of
from lecture_models.linear.pca import fit_pca, moments, project

Rows = Float64[np.ndarray, "example dim"]


def pca_statements(rows: Rows, count: int, directions: int, seed: int) -> dict[str, float]:
    """Returns the deviation from each statement about principal components.

    Args:
        rows: the examples, more than dimensions.
        count: the number of components that are compared.
        directions: the number of random directions that try to beat the first component.
        seed: seed of the random directions.

    Returns:
        The largest deviation by statement, without a unit; 0 where it holds exactly.
    """
    mean, covariance = moments(rows)
    total = np.trace(covariance)
    values, vectors = (part[..., ::-1][..., :count] for part in np.linalg.eigh(covariance))
    drawn = np.random.default_rng(seed).normal(size=(rows.shape[1], directions))
    drawn /= np.linalg.norm(drawn, axis=0, keepdims=True)
    along = np.einsum("dk,de,ek->k", drawn, covariance, drawn)
    few = rows[: max(2, min(len(rows), rows.shape[1]) // 2)]
    centered = few - few.mean(axis=0, keepdims=True)
    kept = min(count, len(few) - 1)  # Centered, n examples span n - 1 dimensions.
    gram = np.linalg.eigvalsh(centered @ centered.T / len(few))[::-1][:kept]
    dual = np.linalg.eigvalsh(centered.T @ centered / len(few))[::-1][:kept]
    _, scales, right = np.linalg.svd(rows - mean[None], full_matrices=False)
    codes = (rows - mean[None]) @ vectors
    white = codes / np.sqrt(values)[None]
    rest = ((rows - mean[None] - codes @ vectors.T) ** 2).sum(axis=1).mean()
    return {
        f"no random direction of {directions:,} has more variance than the first component": max(
            0.0, float(along.max() / values[0] - 1.0)
        ),
        "components are orthonormal": _largest(vectors.T @ vectors - np.eye(count)),
        "the variance of each code is its eigenvalue": _largest(codes.var(axis=0) / values - 1.0),
        "SVD of X: s^2 / n = eigenvalue": _largest(scales[:count] ** 2 / len(rows) / values - 1.0),
        "SVD of X: the same components, up to the sign": _largest(
            1.0 - np.abs(np.einsum("kd,dk->k", right[:count], vectors))
        ),
        "fewer examples than dimensions: X X^T has the eigenvalues of X^T X": _largest(
            gram / dual - 1.0
        ),
        "whitened codes have the identity as covariance": _largest(
            white.T @ white / len(white) - np.eye(count)
        ),
        "mean squared error = sum of the omitted eigenvalues": float(
            abs(rest - (total - values.sum())) / total
        ),
    }


def uncentered_angle(rows: Rows) -> float:
    """Returns the angle in degrees between the first right singular vector of X and the mean.

    Without centering, the first "component" is close to the mean, and shows no variance.

    Args:
        rows: the examples X, not centered.

    Returns:
        The angle, from 0 to 90 degrees.
    """
    mean = rows.mean(axis=0)
    first = np.linalg.eigh(rows.T @ rows)[1][:, -1]
    cosine = abs(first @ mean) / np.linalg.norm(mean)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def components_for(rows: Rows, shares: Iterable[float]) -> list[int]:
    """Returns how many components hold each share of the variance.

    Args:
        rows: the examples.
        shares: the shares, from 0 to 1.

    Returns:
        The smallest number of components for each share.
    """
    values = np.maximum(np.linalg.eigvalsh(moments(rows).covariance)[::-1], 0.0)
    held = np.cumsum(values) / values.sum()
    return [int(np.searchsorted(held, share)) + 1 for share in shares]


def lda_statements(
    rows: Rows, labels: Int[np.ndarray, " example"], directions: int, seed: int
) -> dict[str, float]:
    """Returns the deviation from each statement about Fisher's discriminant.

    Args:
        rows: the examples; their covariance within classes must have full rank.
        labels: the class of each, at least 2 classes.
        directions: the number of random directions that try to beat the first discriminant.
        seed: seed of the random directions.

    Returns:
        The largest deviation by statement, without a unit; 0 where it holds exactly.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    scatter, classes = scatter_of(rows, labels), np.unique(labels)
    found, ratios = fit_discriminant(scatter, rows.shape[1])
    useful = min(len(classes) - 1, rows.shape[1])
    drawn = np.random.default_rng(seed).normal(size=(rows.shape[1], directions))
    best = float(fisher_ratio(drawn, scatter).max())
    pca_best = float(fisher_ratio(fit_pca(rows, 1).components.astype(np.float64), scatter)[0])
    library = LinearDiscriminantAnalysis(solver="eigen").fit(rows, labels).scalings_[:, :useful]
    pair = np.isin(labels, classes[:2])
    two = scatter_of(rows[pair], labels[pair])
    means = [rows[labels == value].mean(axis=0) for value in classes[:2]]
    closed = np.linalg.solve(two.within, means[0] - means[1])
    return {
        f"no random direction of {directions:,} has a larger ratio than the first": max(
            0.0, best / ratios[0] - 1.0
        ),
        "the first principal component has no larger ratio": max(0.0, pca_best / ratios[0] - 1.0),
        "S_w + S_b = covariance": _largest(
            scatter.within + scatter.between - moments(rows).covariance
        )
        / float(np.abs(scatter.within).max()),
        f"only {len(classes) - 1} ratios are not 0: one fewer than classes": _largest(
            ratios[useful:] / ratios[0]
        ),
        "the directions are those of scikit-learn, up to length and sign": _largest(
            1.0 - _cosines(found[:, :useful], library)
        ),
        "two classes: the direction is S_w^-1 (m_1 - m_2)": _largest(
            1.0 - _cosines(fit_discriminant(two, 1)[0], closed[:, None])
        ),
    }


def table_of_deviations(found: dict[str, float], caption: str) -> DataTable:
    """Returns statements and deviations as a table.

    Args:
        found: the deviation by statement.
        caption: the table's caption.

    Returns:
        One row for each statement.
    """
    return DataTable(("statement", "deviation"), tuple(found.items()), caption)


def projected_accuracy(
    train: tuple[Float[np.ndarray, "example dim"], Int[np.ndarray, " example"]],
    test: tuple[Float[np.ndarray, "example dim"], Int[np.ndarray, " example"]],
    neighbors: int,
) -> float:
    """Returns the accuracy of nearest neighbors among codes, in percent.

    Args:
        train: the codes and classes among which neighbors are looked up.
        test: the codes that are classified, and their classes.
        neighbors: the number of neighbors that vote.

    Returns:
        The share of test codes whose class most of their neighbors have, in percent.
    """
    from sklearn.neighbors import KNeighborsClassifier

    return 100.0 * float(KNeighborsClassifier(neighbors).fit(*train).score(*test))


def plane_of_components(rows: Rows, others: Rows) -> list[Float[np.ndarray, "example 2"]]:
    """Returns both sets of rows along the first two principal components of the first set.

    Args:
        rows: the examples to which the components are fitted.
        others: other examples.

    Returns:
        The codes of the first set and those of the second.
    """
    pca = fit_pca(rows, 2)
    return [np.asarray(project(pca, part)) for part in (rows, others)]


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values).max(initial=0.0))


def _cosines(first: Float[np.ndarray, "dim k"], second: Float[np.ndarray, "dim k"]) -> np.ndarray:
    lengths = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
    return np.abs((first * second).sum(axis=0)) / lengths
