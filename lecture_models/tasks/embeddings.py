"""Embeds vectors in the plane: PCA, LDA, Isomap, LLE, t-SNE and an autoencoder of this project.

Scikit-learn does the work, except for PCA and the autoencoder.
"""

import functools
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool, Float, Int

from lecture_models.linear.pca import fit_pca, project
from lecture_models.losses.reconstruction import squared_error
from lecture_models.models.autoencoder import DenseDecoder, DenseEncoder, EncoderDecoder, pixels
from lecture_models.steps.autoencoder import Autoencoder, reconstruction_step
from lecture_models.steps.descent import init_train_state

Vectors = Float[np.ndarray, "example dim"]
Points = Float[np.ndarray, "example 2"]

_MOST_COMPONENTS = 50  # LDA and t-SNE see so many principal components.
# Share of a multiple of the identity in LDA's covariance: classes may have a few examples only.
_SHRINKAGE = 0.1


class Settings(NamedTuple):
    """Holds the hyperparameters of all methods.

    Attributes:
        neighbors: number of neighbors of Isomap and LLE.
        perplexity: effective number of neighbors of t-SNE.
        iterations: of t-SNE.
        hidden: widths of the autoencoder's encoder; its decoder has them in reverse.
        steps: training steps of the autoencoder.
        seed: from which t-SNE and the autoencoder draw.
    """

    neighbors: int
    perplexity: float
    iterations: int
    hidden: tuple[int, ...]
    steps: int
    seed: int


class Embedding(NamedTuple):
    """Holds an embedding in the plane.

    Attributes:
        points: one point per example.
        seconds: how long it took.
        unseen: the examples whose classes the method was not given, on which alone it may be judged
            by classes; None for all.
    """

    points: Points
    seconds: float
    unseen: Bool[np.ndarray, " example"] | None = None


def embed(
    name: str, vectors: Vectors, labels: Int[np.ndarray, " example"], settings: Settings
) -> Embedding:
    """Returns the embedding of vectors by a method of METHODS.

    LDA learns from the classes of every other example, so that the others can judge it.
    """
    from threadpoolctl import threadpool_limits  # Comes with scikit-learn.

    is_odd = np.arange(len(vectors)) % 2 == 1
    begin = time.perf_counter()
    # More threads would add in another order, and wait for each other on a busy machine.
    with threadpool_limits(1), warnings.catch_warnings():
        # Isomap and LLE join the parts of a graph, and say so; `graph_parts` counts them.
        warnings.filterwarnings("ignore", message=".*number of connected components.*")
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn.manifold")
        points = METHODS[name](vectors, np.where(is_odd, -1, labels), settings)
    seconds = time.perf_counter() - begin
    return Embedding(
        np.asarray(points, np.float64), seconds, is_odd if name in SUPERVISED else None
    )


def graph_parts(vectors: Vectors, neighbors: int) -> int:
    """Returns in how many parts the graph of each vector's nearest others falls."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(vectors, neighbors)
    return int(connected_components(graph, directed=False)[0])


def classes_to_part(labels: Int[np.ndarray, " example"]) -> Int[np.ndarray, " class"]:
    """Returns the classes from which LDA can learn: those with two or more known examples."""
    classes, counts = np.unique(labels[labels >= 0], return_counts=True)
    return classes[counts >= 2]


def _pca(vectors: Vectors, labels, settings: Settings) -> Points:
    return project(fit_pca(vectors, 2), vectors)


def _lda(vectors: Vectors, labels, settings: Settings) -> Points:
    """Returns the two directions that part the classes best; 0 where there is only one direction.

    A label below 0 is unknown; a class with a single known example counts as unknown too.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    reduced = project(fit_pca(vectors, min(_MOST_COMPONENTS, *vectors.shape)), vectors)
    known = np.isin(labels, classes_to_part(labels))
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=_SHRINKAGE)
    points = lda.fit(reduced[known], labels[known]).transform(reduced)[:, :2]
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def _isomap(vectors: Vectors, labels, settings: Settings) -> Points:
    from sklearn.manifold import Isomap

    return Isomap(n_neighbors=settings.neighbors, n_components=2).fit_transform(vectors)


def _lle(vectors: Vectors, labels, settings: Settings, method: str = "standard") -> Points:
    from sklearn.manifold import LocallyLinearEmbedding

    return LocallyLinearEmbedding(
        n_neighbors=settings.neighbors,
        n_components=2,
        method=method,
        eigen_solver="dense",
        random_state=settings.seed,
    ).fit_transform(vectors)


def _tsne(vectors: Vectors, labels, settings: Settings) -> Points:
    from sklearn.manifold import TSNE

    count = min(_MOST_COMPONENTS, *vectors.shape)
    reduced = project(fit_pca(vectors, count), vectors) if count < vectors.shape[1] else vectors
    return TSNE(
        perplexity=settings.perplexity,
        max_iter=settings.iterations,
        init="pca",
        learning_rate="auto",
        random_state=settings.seed,
    ).fit_transform(np.ascontiguousarray(reduced, np.float32))


def _autoencoder(vectors: Vectors, labels, settings: Settings) -> Points:
    """Returns the codes of an autoencoder with two code units, trained on the vectors.

    The vectors are scaled together to [-1, 1], so that their geometry stays.
    """
    low, high = float(vectors.min()), float(vectors.max())
    scaled = 2.0 * (vectors - low) / max(high - low, 1e-12) - 1.0
    images = jnp.asarray(scaled, jnp.float32)[:, None, None, :]
    shape = images.shape[1:]
    network = EncoderDecoder(
        DenseEncoder(settings.hidden, 2, nn.tanh),
        DenseDecoder(settings.hidden[::-1], shape, nn.tanh),
        2,
        shape,
    )
    autoencoder = Autoencoder(network.encode, network.decode, pixels)
    optimizer = optax.adam(optax.cosine_decay_schedule(3e-3, settings.steps))
    batch_size = min(100, len(vectors))

    def step(state, key):
        rows = jax.random.randint(key, (batch_size,), 0, len(images))
        return reconstruction_step(autoencoder, _logits_error, optimizer, state, images[rows])[
            0
        ], None

    init_key, step_key = jax.random.split(jax.random.key(settings.seed))
    keys = jax.random.split(step_key, settings.steps)
    state = init_train_state(optimizer, network.init(init_key))
    # Dense layers lose nothing inside a scan; convolutions would.
    state, _ = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(state, keys)
    return np.asarray(network.encode(state.params, images))


def _logits_error(logits, images):
    return squared_error(pixels(logits), images)


METHODS: dict[str, Callable[[Vectors, Int[np.ndarray, " example"], Settings], Points]] = {
    "PCA": _pca,
    "LDA": _lda,
    "Isomap": _isomap,
    "LLE": _lle,
    "modified LLE": functools.partial(_lle, method="modified"),
    "t-SNE": _tsne,
    "autoencoder": _autoencoder,
}
SUPERVISED = ("LDA",)
