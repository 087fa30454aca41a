"""t-SNE of the features of many pictures, beside PCA and beside t-SNE of their pixels.

    python launch.py --experiment=tsne_codes --images=FOLDER --model=googlenet_bvlc

Paper: van der Maaten and Hinton, 2008, Visualizing data using t-SNE
Data: picture files or folders of them, a sub-folder a class; else a labeled data set
Cost: one core: 75 s for 420 pictures
Expected: 1-NN error of PACS photos in the plane 4.0% by t-SNE, 29.3% by PCA; see
  results/tsne_codes.md
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Float32, Int

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.metrics.embedding import one_nn_error, trustworthiness
from lecture_models.plots.scatter import scatter_plot
from lecture_models.plots.thumbnails import thumbnail_scatter
from lecture_models.tasks.analysis import analysis_experiment
from lecture_models.tasks.codes import (
    CodesConfig,
    LabeledPictures,
    LayerReader,
    collect_pictures,
    describe_codes,
    feature_codes,
    input_side,
    make_layer_reader,
    pixel_codes,
    thumbnails,
)
from lecture_models.tasks.plane import Codes, Embedding, Points, embed_pca, embed_tsne
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import Weights
from lecture_models.weights.random_networks import UNTRAINED


@dataclasses.dataclass(frozen=True)
class Config(CodesConfig):
    pixel_side: int = 32  # Side in pixels to which larger pictures are reduced for pixel codes.
    perplexity: float = 30.0  # Effective number of neighbors of t-SNE.
    iterations: int = 1_000  # Of t-SNE; the first 250 exaggerate the attraction of neighbors.
    # Longer codes are first reduced to so many components, which saves noise and time.
    principal_components: int = 50
    neighbors: int = 12  # Number of neighbors for trustworthiness.
    side: int = 1_000  # Side in pixels of the image of thumbnails.
    thumbnail: int = 40  # Side in pixels of a thumbnail.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "principal_components")
        require_at_least(self, 1, "pixel_side", "neighbors", "perplexity")
        require_at_least(self, 300, "iterations")  # The first 250 report no divergence.
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

PAPER_SOURCES = {
    "dataset": "section 4.1: MNIST",
    "num_pictures": "section 4.1: 6,000 digits",
    "perplexity": "section 4.2: 40",
    "principal_components": "section 4.2: 30",
    "iterations": "section 3.4: 1,000",
}
PAPER_DEPARTURES = (
    ("the exact gradient", "the Barnes-Hut approximation of scikit-learn"),
    ("points start at random, variance 0.0001", "they start at the first two components"),
    (
        "attraction is exaggerated by 4 for 50 steps; the learning rate is 100, adapted by unit",
        "by 12 for 250 steps; the learning rate is the number of points / 48, at least 50",
    ),
)

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


def on_a_grid(points: Points) -> Points:
    """Returns the points moved to distinct positions of a square grid in [0, 1] x [0, 1].

    The sum of the squared distances that they move is as small as possible.
    """
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
    points: Points, small: Float32[np.ndarray, "picture small small 3"], pictures: LabeledPictures
) -> Float32[np.ndarray, "side side 3"]:
    """Returns an image of all thumbnails on a grid, so that none covers another."""
    count = math.ceil(math.sqrt(len(points)))
    side = count * small.shape[1]
    return thumbnail_scatter(on_a_grid(points), small, side, frame_labels(pictures))


def frame_labels(pictures: LabeledPictures) -> Int[np.ndarray, " picture"] | None:
    """Returns the labels that color the frames; None for pictures of one class."""
    return pictures.labels if len(pictures.classes) > 1 else None


def score_space(
    name: str,
    codes: Codes,
    embeddings: dict[str, Embedding],
    pictures: LabeledPictures,
    count: int,
) -> tuple[dict[str, float], list[str]]:
    """Returns scores of codes and of their embeddings, as scalars and as one line each.

    Args:
        name: the name of the space, such as "features".
        codes: the codes in that space.
        embeddings: their embeddings by name.
        pictures: the pictures, with their classes.
        count: number of neighbors for trustworthiness.

    Returns:
        The scalars by name, and the lines.
    """
    scalars: dict[str, float] = {}
    lines = []
    for kind, points, divergence in [
        ("codes", codes, None),
        *((kind, *embedding) for kind, embedding in embeddings.items()),
    ]:
        words = [f"{name:8} {kind:5} {points.shape[1]:>5,} numbers"]
        if len(pictures.classes) > 1:
            error = one_nn_error(points, pictures.labels)
            scalars[f"{name}_{kind}_one_nn_error"] = error
            words.append(f"1-NN error {error:6.1%}")
        if kind != "codes":
            value = trustworthiness(codes, points, count)
            scalars[f"{name}_{kind}_trustworthiness"] = value
            words.append(f"trustworthiness at {count} {value:.3f}")
        if divergence is not None:
            scalars[f"{name}_{kind}_divergence"] = divergence
            words.append(f"divergence {divergence:.3f} nats")
        lines.append(", ".join(words))
    return scalars, lines


def draw_space(
    name: str,
    points: Points,
    small: Float32[np.ndarray, "picture small small 3"],
    pictures: LabeledPictures,
    side: int,
    words: str,
) -> Evaluation:
    """Returns the images of thumbnails at their t-SNE points; of features also those on a grid."""
    thumbnail_image = thumbnail_scatter(points, small, side, frame_labels(pictures))
    images: Evaluation = {
        f"{name}_thumbnails": Images(
            thumbnail_image[None], 1, f"t-SNE of {words}; frames are classes"
        )
    }
    if name == "features":
        images["features_grid"] = Images(
            grid_picture(points, small, pictures)[None],
            1,
            "the same, each moved to the nearest free place of a grid",
        )
    return images


def make_evaluate(
    config: Config, network: Pretrained, reader: LayerReader, pictures: LabeledPictures
):
    described = {"features": describe_codes(network, reader), "pixels": "pixels"}

    def evaluate(state, key) -> Evaluation:
        spaces = {
            "features": feature_codes(network, reader, pictures, config.batch_size),
            "pixels": pixel_codes(pictures, config.pixel_side, config.batch_size),
        }
        small = thumbnails(pictures.pixels, config.thumbnail)
        results: Evaluation = {"pictures": float(len(small))}
        lines, plots = [f"{pictures.described()}; features are {described['features']}"], []
        for name, codes in spaces.items():
            embeddings = {
                "tsne": embed_tsne(
                    codes,
                    config.perplexity,
                    config.iterations,
                    config.principal_components,
                    config.seed,
                ),
                "pca": embed_pca(codes),
            }
            scalars, scores = score_space(name, codes, embeddings, pictures, config.neighbors)
            lines += scores
            plots += [
                scatter_plot(
                    embedding.points,
                    pictures.labels,
                    pictures.classes,
                    title=f"{'t-SNE' if kind == 'tsne' else 'PCA'} of {name}",
                )
                for kind, embedding in embeddings.items()
            ]
            points = embeddings["tsne"].points
            results |= scalars
            results |= draw_space(name, points, small, pictures, config.side, described[name])
        results["scatter"] = Images(
            np.stack(plots), 2, "t-SNE and PCA: of the features above, of the pixels below"
        )
        return results | {"neighbors_kept": "\n".join(lines), "alarm_network": network.alarm}

    return evaluate


def require_enough(config: Config, count: int) -> None:
    """Raises DataError if there are too few pictures for the perplexity or the neighbors."""
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
    reader = make_layer_reader(network, config.layer, side)
    pictures = collect_pictures(library, config.images, config.dataset, config.num_pictures, side)
    require_enough(config, len(pictures.labels))
    return analysis_experiment(make_evaluate(config, network, reader, pictures))
