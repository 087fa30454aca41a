"""CNN codes of many pictures in the plane: t-SNE beside PCA, of features and of pixels.

    python launch.py --experiment=tsne_codes --images=FOLDER --model=googlenet_bvlc

Paper: van der Maaten and Hinton, 2008, Visualizing data using t-SNE
Data: picture files or folders of them, a sub-folder a class; else a labeled data set
Cost: one core: 48 s for 420 pictures
Expected: 1-NN error of PACS photos in the plane 4.0% by t-SNE, 29.3% by PCA; see
  results/tsne_codes.md
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.linear.pca import fit_pca, project
from lecture_models.metrics.label_agreement import label_agreement, nearest_others
from lecture_models.plots.scatter import scatter_picture
from lecture_models.plots.thumbnails import thumbnail_scatter
from lecture_models.tasks.analysis import CodesAnalysis
from lecture_models.tasks.codes import (
    Collection,
    Reader,
    collect,
    describe_codes,
    feature_codes,
    input_side,
    make_reader,
    pixel_codes,
    thumbnails,
)
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import Weights
from lecture_models.weights.random_networks import UNTRAINED

Codes = Float[np.ndarray, "picture feature"]
Points = Float[np.ndarray, "picture 2"]


@dataclasses.dataclass(frozen=True)
class Config(CodesAnalysis):
    pixel_side: int = 32  # Larger pictures are resized for the embedding of their pixels.
    perplexity: float = 30.0
    iterations: int = 1_000  # Of t-SNE; the first 250 exaggerate.
    principal_components: int = 50  # What t-SNE is given of longer codes: less noise and time.
    neighbors: int = 12  # Of trustworthiness.
    side: int = 1_000  # Of the picture, in pixels.
    thumbnail: int = 40

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "principal_components")
        require_at_least(self, 1, "pixel_side", "neighbors", "perplexity")
        require_at_least(self, 300, "iterations")  # 250 exaggerate and have no divergence yet.
        require_at_least(self, 8, "thumbnail")
        require_at_least(self, max(160, 2 * self.thumbnail), "side")


# Section 4.2 of the paper: 6,000 digits, perplexity 40, 30 principal components.
PAPER = {
    "dataset": "mnist,digits",
    "num_pictures": 6_000,
    "perplexity": 40.0,
    "principal_components": 30,
    "thumbnail": 16,
}

SMOKE = {
    "dataset": "digits",
    "num_pictures": 40,
    "model": UNTRAINED,
    "perplexity": 5.0,
    "iterations": 300,
    "neighbors": 3,
    "side": 160,
    "thumbnail": 12,
    "batch_size": 8,
}


class Embedding(NamedTuple):
    """Points in the plane for one space's codes, and t-SNE's divergence in nats, if it is one."""

    points: Points
    divergence: float | None = None


def embed_tsne(codes: Codes, config: Config) -> Embedding:
    """By scikit-learn, from the first principal components: the same each time."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # Comes with scikit-learn.

    tsne = TSNE(
        perplexity=config.perplexity,
        max_iter=config.iterations,
        init="pca",
        learning_rate="auto",
        random_state=config.seed,
    )
    # With more threads sums have another order, and on a busy machine each waits for all.
    with threadpool_limits(1):
        most = min(config.principal_components, *codes.shape)
        shorter = project(fit_pca(codes, most), codes) if most < codes.shape[1] else codes
        points = tsne.fit_transform(np.ascontiguousarray(shorter, np.float32))
    return Embedding(points, float(tsne.kl_divergence_))


def embed_pca(codes: Codes) -> Embedding:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return Embedding(project(fit_pca(codes, 2), codes))


def one_nn_error(vectors: Codes, labels: np.ndarray) -> float:
    """The share of pictures whose nearest other one is of another class."""
    return 1.0 - float(label_agreement(nearest_others(vectors, 1), labels).mean())


def trust(codes: Codes, points: Points, neighbors: int) -> float:
    """1 where all neighbors in the plane are neighbors of the codes too: Venna and Kaski, 2001.

    Scikit-learn holds the ranks of all pairs.
    """
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(codes, points, n_neighbors=neighbors))


def on_a_grid(points: Points) -> Points:
    """Each point at a place of its own in a square grid, the sum of squared moves the least."""
    from scipy.optimize import linear_sum_assignment

    count = math.ceil(math.sqrt(len(points)))
    steps = np.arange(count) / max(count - 1, 1)
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    unit = (points - low.reshape(1, 2)) / np.maximum(high - low, 1e-12).reshape(1, 2)
    costs = ((unit[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(costs)
    return places[chosen]


def grid_picture(
    points: Points, small: Float32[np.ndarray, "picture small small 3"], collection: Collection
) -> Float32[np.ndarray, "side side 3"]:
    """All thumbnails beside each other, none over another."""
    count = math.ceil(math.sqrt(len(points)))
    labels = collection.labels if len(collection.classes) > 1 else None
    return thumbnail_scatter(on_a_grid(points), small, count * small.shape[1], labels)


def score_space(
    name: str, codes: Codes, embeddings: dict[str, Embedding], collection: Collection, count: int
) -> tuple[dict[str, float], list[str]]:
    """Scalars by name, and a line each: what the codes and their embeddings keep of neighbors."""
    scalars: dict[str, float] = {}
    lines = []
    for kind, points, divergence in [
        ("codes", codes, None),
        *((kind, *embedding) for kind, embedding in embeddings.items()),
    ]:
        words = [f"{name:8} {kind:5} {points.shape[1]:>5,} numbers"]
        if len(collection.classes) > 1:
            error = one_nn_error(points, collection.labels)
            scalars[f"{name}_{kind}_one_nn_error"] = error
            words.append(f"1-NN error {error:6.1%}")
        if kind != "codes":
            kept = trust(codes, points, count)
            scalars[f"{name}_{kind}_trustworthiness"] = kept
            words.append(f"trustworthiness at {count} {kept:.3f}")
        if divergence is not None:
            scalars[f"{name}_{kind}_divergence"] = divergence
            words.append(f"divergence {divergence:.3f} nats")
        lines.append(", ".join(words))
    return scalars, lines


def make_evaluate(config: Config, network: Pretrained, reader: Reader, collection: Collection):
    def evaluate(state, key) -> Evaluation:
        spaces = {
            "features": feature_codes(network, reader, collection, config.batch_size),
            "pixels": pixel_codes(collection, config.pixel_side, config.batch_size),
        }
        small = thumbnails(collection.pixels, config.thumbnail)
        labels = collection.labels if len(collection.classes) > 1 else None
        words = describe_codes(network, reader)
        result: Evaluation = {"pictures": float(len(small))}
        lines, plots = [f"{collection.described()}; features are {words}"], []
        for name, codes in spaces.items():
            embeddings = {"tsne": embed_tsne(codes, config), "pca": embed_pca(codes)}
            scalars, scores = score_space(name, codes, embeddings, collection, config.neighbors)
            result |= scalars
            lines += scores
            plots += [
                scatter_picture(each.points, collection.labels, collection.classes)
                for each in embeddings.values()
            ]
            points = embeddings["tsne"].points
            result[f"{name}_thumbnails"] = Images(
                thumbnail_scatter(points, small, config.side, labels)[None],
                1,
                f"t-SNE of {words if name == 'features' else 'pixels'}; frames are classes",
            )
            if name == "features":
                result["features_grid"] = Images(
                    grid_picture(points, small, collection)[None],
                    1,
                    "the same, each moved to the nearest free place of a grid",
                )
        result["scatter"] = Images(
            np.stack(plots), 2, "t-SNE and PCA: of the features above, of the pixels below"
        )
        return result | {"neighbors_kept": "\n".join(lines), "alarm_network": network.alarm}

    return evaluate


def require_enough(config: Config, count: int) -> None:
    """Raises DataError where there are too few pictures for the perplexity or the neighbors."""
    if 3.0 * config.perplexity > count - 1:
        raise DataError(
            f"--perplexity is {config.perplexity:g}; with {count} pictures it must be at most "
            f"{(count - 1) / 3.0:.3g}"
        )
    if 2 * config.neighbors >= count:
        raise DataError(
            f"--neighbors is {config.neighbors}; with {count} pictures it must be below "
            f"{count / 2:g}"
        )


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    side = input_side(network, config.size)
    reader = make_reader(network, config.layer, side)
    collection = collect(library, config.images, config.dataset, config.num_pictures, side)
    require_enough(config, len(collection.labels))
    return Experiment(
        init=lambda key: {},
        step=(),
        evaluate=make_evaluate(config, network, reader, collection),
        batches=lambda first_step: iter(()),
    )
