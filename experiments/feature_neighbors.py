"""Nearest neighbors of pictures, in a network's features and in their pixels.

    python launch.py --experiment=feature_neighbors --images=FOLDER --model=googlenet_bvlc

Paper: Krizhevsky et al., 2012, ImageNet classification with deep convolutional neural networks,
  section 6.1: nearest in Euclidean distance between last hidden layers
Data: picture files or folders of them, a sub-folder a class; else a labeled data set
Cost: one core: 41 s for 420 pictures
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

FRAME = 4  # Pixels.
# Green, orange and white; the first two differ in brightness too.
SAME, OTHER, QUERY = (-1.0, 0.3, -0.1), (0.7, -0.4, -1.0), (1.0, 1.0, 1.0)


@dataclasses.dataclass(frozen=True)
class Config(CodesAnalysis):
    cosine: bool = False  # Not Euclidean distance, in both spaces: lengths do not count.
    at: tuple[int, ...] = (1, 5, 10)  # Numbers of neighbors whose labels are compared.
    pixel_side: int = 32  # Larger pictures are resized for the distance of their pixels.
    queries: int = 8  # Rows of the picture, of each class in turn.
    neighbors: int = 5  # Of each space in a row.
    cell_side: int = 84
    seed: int = 0  # Of the choice of queries.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "at", "pixel_side", "queries", "neighbors")
        require_at_least(self, 4 * FRAME, "cell_side")
        if not self.at:
            raise ValueError("--at is empty; it must be numbers of neighbors")


PAPER = {"num_pictures": 10_000}

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
    """At random, of each class in turn."""
    random = np.random.default_rng(seed)
    piles = [list(random.permutation(np.flatnonzero(labels == each))) for each in np.unique(labels)]
    turns = [pile[turn] for turn in range(len(labels)) for pile in piles if turn < len(pile)]
    return [int(index) for index in turns[:count]]


def framed(
    images: Float[np.ndarray, "image side side 3"], color: tuple[float, float, float]
) -> Float32[np.ndarray, "image side side 3"]:
    """With a border over the outermost pixels."""
    inner = images[:, FRAME:-FRAME, FRAME:-FRAME]
    result = np.broadcast_to(np.asarray(color, np.float32).reshape(1, 1, 1, 3), images.shape)
    result = result.copy()
    result[:, FRAME:-FRAME, FRAME:-FRAME] = inner
    return result


def neighbor_rows(
    collection: Collection,
    queries: list[int],
    spaces: list[Int[np.ndarray, "picture neighbor"]],
    side: int,
) -> Float32[np.ndarray, "cell side side 3"]:
    """Rows of a query and its neighbors in each space, with the query once more between them."""
    cells = []
    for query in queries:
        for neighbors in spaces:
            row = [query, *neighbors[query]]
            images = thumbnails(collection.pixels[row], side)
            same = collection.labels[row] == collection.labels[query]
            colors = [QUERY, *(SAME if each else OTHER for each in same[1:])]
            if len(collection.classes) < 2:
                colors = [QUERY] * len(row)
            cells += [
                framed(image[None], color) for image, color in zip(images, colors, strict=True)
            ]
    return np.concatenate(cells)


def agreement_scores(
    name: str, neighbors: Int[np.ndarray, "picture neighbor"], collection: Collection, at: tuple
) -> tuple[dict[str, float], str]:
    """Scalars, and a line of them with their standard errors over the pictures."""
    scalars, words = {}, []
    for count in at:
        shares = label_agreement(neighbors[:, :count], collection.labels)
        error = shares.std(ddof=1) / math.sqrt(len(shares))
        scalars[f"{name}_agreement_at_{count}"] = float(shares.mean())
        words.append(f"at {count} {shares.mean():.3f} +- {error:.3f}")
    return scalars, f"{name:8} {', '.join(words)}"


def unit_length(vectors: Float[np.ndarray, "picture dim"]) -> Float[np.ndarray, "picture dim"]:
    """Of which Euclidean distance orders as the angle does; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0.0, lengths, 1.0)


def make_evaluate(config: Config, network: Pretrained, reader: Reader, collection: Collection):
    def evaluate(state, key) -> Evaluation:
        spaces = {
            "features": feature_codes(network, reader, collection, config.batch_size),
            "pixels": pixel_codes(collection, config.pixel_side, config.batch_size),
        }
        most = min(max(*config.at, config.neighbors), len(collection.labels) - 1)
        found = {
            name: nearest_others(unit_length(codes) if config.cosine else codes, most)
            for name, codes in spaces.items()
        }
        at = tuple(count for count in config.at if count <= most)
        queries = choose_queries(collection.labels, config.queries, config.seed)
        shown = [each[:, : config.neighbors] for each in found.values()]
        distance = "angle" if config.cosine else "Euclidean distance"
        result: Evaluation = {
            "pictures": float(len(collection.labels)),
            "neighbors": Images(
                neighbor_rows(collection, queries, shown, config.cell_side),
                sum(1 + each.shape[1] for each in shown),
                f"query, nearest by {describe_codes(network, reader)}; query, nearest by pixels"
                f" ({distance}); green frames are of the query's class, orange ones of another",
            ),
            "alarm_network": network.alarm,
        }
        if len(collection.classes) < 2:
            return result
        chance = chance_agreement(collection.labels)
        lines = [
            f"label agreement at k of {collection.described()}, by {distance}",
            f"features are {describe_codes(network, reader)}",
            f"pixels are {spaces['pixels'].shape[1]:,} numbers; by chance {chance:.3f}",
        ]
        for name, neighbors in found.items():
            scalars, line = agreement_scores(name, neighbors, collection, at)
            result |= scalars
            lines.append(line)
        result |= {"chance_agreement": chance, "label_agreement": "\n".join(lines)}
        return result

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    side = input_side(network, config.size)
    reader = make_reader(network, config.layer, side)
    collection = collect(library, config.images, config.dataset, config.num_pictures, side)
    return Experiment(
        init=lambda key: {},
        step=(),
        evaluate=make_evaluate(config, network, reader, collection),
        batches=lambda first_step: iter(()),
    )
