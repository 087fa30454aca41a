"""Maps codes to the plane by scikit-learn's t-SNE."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lecture_models.linear.pca import fit_pca, project

Codes = Float[np.ndarray, "example feature"]
Points = Float[np.ndarray, "example 2"]


class Embedding(NamedTuple):
    """Holds the points of codes in the plane.

    Attributes:
        points: one point for each code, (example, 2).
        divergence: t-SNE's Kullback-Leibler divergence in nats, lower is better; None for PCA.
    """

    points: Points
    divergence: float | None = None


def embed_tsne(
    codes: Codes, perplexity: float, iterations: int, principal_components: int, seed: int
) -> Embedding:
    """Returns t-SNE of the first principal components; it is deterministic.

    Args:
        codes: a row for each example.
        perplexity: the effective number of neighbors.
        iterations: the number of steps; the first 250 exaggerate the attraction of neighbors.
        principal_components: longer codes are first reduced to so many.
        seed: of scikit-learn's t-SNE, which begins with the first two components.

    Returns:
        The points and the divergence. Van der Maaten and Hinton, 2008.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # Comes with scikit-learn.

    tsne = TSNE(
        perplexity=perplexity,
        max_iter=iterations,
        init="pca",
        learning_rate="auto",
        random_state=seed,
    )
    # More threads would add in another order, and wait for each other on a busy machine.
    with threadpool_limits(1):
        count = min(principal_components, *codes.shape)
        reduced = project(fit_pca(codes, count), codes) if count < codes.shape[1] else codes
        points = tsne.fit_transform(np.ascontiguousarray(reduced, np.float32))
    return Embedding(points, float(tsne.kl_divergence_))


def embed_pca(codes: Codes) -> Embedding:
    """Returns the first two principal components of codes."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return Embedding(project(fit_pca(codes, 2), codes))
