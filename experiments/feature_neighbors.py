"""Nearest neighbors of pictures in a network's features, beside those in their pixels.

    python launch.py --experiment=feature_neighbors --images=FOLDER --model=googlenet_bvlc

Paper: Krizhevsky et al., 2012, ImageNet classification with deep convolutional neural networks,
  section 6.1: nearest in Euclidean distance between last hidden layers
Data: picture files or folders of them, a sub-folder a class; else a labeled data set
Cost: one core: 1 minute for 420 pictures
Expected: of 420 PACS photos the nearest other one is of the same class for 94.5% in features,
  36.9% in pixels; see results/feature_neighbors.md
"""

import dataclasses
import math

import numpy as np
from jaxtyping import Float, Float32, Int

from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.metrics.label_agreement import (
    chance_agreement,
    label_agreement,
    nearest_others,
)
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
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import Weights
from lecture_models.weights.random_networks import UNTRAINED

FRAME = 4  # Width of a frame in pixels.
# Green for the query's class, orange for another, white for the query, in [-1, 1]. Green and orange
# also differ in brightness.
SAME, OTHER, QUERY = (-1.0, 0.3, -0.1), (0.7, -0.4, -1.0), (1.0, 1.0, 1.0)

Neighbors = Int[np.ndarray, "picture neighbor"]


@dataclasses.dataclass(frozen=True)
class Config(CodesConfig):
    cosine: bool = False  # Compares by angle in place of Euclidean distance, in both spaces.
    at: tuple[int, ...] = (1, 5, 10)  # Numbers of neighbors whose labels are compared.
    pixel_side: int = 32  # Side in pixels to which larger pictures are reduced for pixel distances.
    queries: int = 8  # Number of rows of the image; queries are of each class in turn.
    neighbors: int = 5  # Number of neighbors shown per query and space.
    cell_side: int = 84  # Side in pixels of each shown picture.
    seed: int = 0  # Of the choice of queries.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "at", "pixel_side", "queries", "neighbors")
        require_at_least(self, 4 * FRAME, "cell_side")
        if not self.at:
            raise ValueError("--at is empty; it must have at least one number of neighbors")


SMOKE = {
    "dataset": "digits",
    "num_pictures": 40,
    "model": UNTRAINED,
    "at": (1, 3),
    "queries": 3,
    "neighbors": 3,
    "batch_size": 8,
}


def choose_queries(labels: Int[np.ndarray, " picture"], count: int, seed: int) -> list[int]:
    """Returns the indices of random pictures, of each class in turn."""
    random = np.random.default_rng(seed)
    by_class = [
        list(random.permutation(np.flatnonzero(labels == label))) for label in np.unique(labels)
    ]
    turns = [
        members[turn] for turn in range(len(labels)) for members in by_class if turn < len(members)
    ]
    return [int(index) for index in turns[:count]]


def framed(
    images: Float[np.ndarray, "image side side 3"], color: tuple[float, float, float]
) -> Float32[np.ndarray, "image side side 3"]:
    """Returns images with a frame over their outermost pixels."""
    frame = np.asarray(color, np.float32).reshape(1, 1, 1, 3)
    with_frame = np.broadcast_to(frame, images.shape).copy()
    with_frame[:, FRAME:-FRAME, FRAME:-FRAME] = images[:, FRAME:-FRAME, FRAME:-FRAME]
    return with_frame


def neighbor_rows(
    pictures: LabeledPictures, queries: list[int], spaces: list[Neighbors], side: int
) -> Float32[np.ndarray, "cell side side 3"]:
    """Returns one row of images per query: for each space, the query and its nearest neighbors."""
    cells = []
    for query in queries:
        for neighbors in spaces:
            row = [query, *neighbors[query]]
            images = thumbnails(pictures.pixels[row], side)
            is_same = pictures.labels[neighbors[query]] == pictures.labels[query]
            colors = [QUERY, *(SAME if same else OTHER for same in is_same)]
            if len(pictures.classes) < 2:
                colors = [QUERY] * len(row)
            cells += [
                framed(image[None], color) for image, color in zip(images, colors, strict=True)
            ]
    return np.concatenate(cells)


def agreement_scores(
    name: str, neighbors: Neighbors, labels: Int[np.ndarray, " picture"], at: tuple[int, ...]
) -> tuple[dict[str, float], str]:
    """Returns the shares of neighbors of the same class as scalars, and as a line with errors.

    The errors are standard errors over the pictures.
    """
    scalars, words = {}, []
    for count in at:
        shares = label_agreement(neighbors[:, :count], labels)
        error = shares.std(ddof=1) / math.sqrt(len(shares))
        scalars[f"{name}_agreement_at_{count}"] = float(shares.mean())
        words.append(f"at {count} {shares.mean():.3f} +- {error:.3f}")
    return scalars, f"{name:8} {', '.join(words)}"


def unit_length(vectors: Float[np.ndarray, "picture dim"]) -> Float[np.ndarray, "picture dim"]:
    """Returns vectors scaled to length 1, whose Euclidean distance grows with their angle.

    Vectors of zeros are returned unchanged.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0.0, lengths, 1.0)


def agreement(
    config: Config,
    pictures: LabeledPictures,
    neighbors: dict[str, Neighbors],
    words: str,
    pixel_count: int,
) -> Evaluation:
    """Returns how often neighbors have the query's class, as scalars and text; {} for one class."""
    if len(pictures.classes) < 2:
        return {}
    chance = chance_agreement(pictures.labels)
    results: Evaluation = {}
    lines = [
        f"label agreement at k of {pictures.described()}, by {distance_name(config)}",
        f"features are {words}",
        f"pixels are {pixel_count:,} numbers; by chance {chance:.3f}",
    ]
    for name, nearest in neighbors.items():
        at = tuple(count for count in config.at if count <= nearest.shape[1])
        scalars, line = agreement_scores(name, nearest, pictures.labels, at)
        results |= scalars
        lines.append(line)
    return results | {"chance_agreement": chance, "label_agreement": "\n".join(lines)}


def distance_name(config: Config) -> str:
    return "angle" if config.cosine else "Euclidean distance"


def make_evaluate(
    config: Config, network: Pretrained, reader: LayerReader, pictures: LabeledPictures
):
    words = describe_codes(network, reader)

    def evaluate(state, key) -> Evaluation:
        spaces = {
            "features": feature_codes(network, reader, pictures, config.batch_size),
            "pixels": pixel_codes(pictures, config.pixel_side, config.batch_size),
        }
        count = min(max(*config.at, config.neighbors), len(pictures.labels) - 1)
        neighbors = {
            name: nearest_others(unit_length(codes) if config.cosine else codes, count)
            for name, codes in spaces.items()
        }
        queries = choose_queries(pictures.labels, config.queries, config.seed)
        in_rows = [nearest[:, : config.neighbors] for nearest in neighbors.values()]
        return {
            "pictures": float(len(pictures.labels)),
            "neighbors": Images(
                neighbor_rows(pictures, queries, in_rows, config.cell_side),
                sum(1 + nearest.shape[1] for nearest in in_rows),
                f"query, nearest by {words}; query, nearest by pixels ({distance_name(config)}); "
                "green frames are of the query's class, orange ones of another",
            ),
            "alarm_network": network.alarm,
            **agreement(config, pictures, neighbors, words, spaces["pixels"].shape[1]),
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    side = input_side(network, config.size)
    reader = make_layer_reader(network, config.layer, side)
    pictures = collect_pictures(library, config.images, config.dataset, config.num_pictures, side)
    return analysis_experiment(make_evaluate(config, network, reader, pictures))
