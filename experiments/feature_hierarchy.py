"""Hierarchy of features: what layers know of strokes, parts and objects, and their patches.

    python launch.py --experiment=feature_hierarchy

Paper: none; the lecture's toy training images; patches as in Zeiler and Fergus, 2014, section 4.1,
  linear probes as in Alain and Bengio, 2016
Data: 5,500 made pictures of ten objects, each one part over another, each part of two strokes
Cost: 2 minutes on two cores
Expected: strokes are known from layer 1 on, parts from layer 2, objects in layer 3; see
  results/feature_hierarchy.md
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lecture_models.attribution.patches import (
    Peaks,
    TopPeaks,
    crop,
    peaks,
    receptive_box,
    top_peaks,
)
from lecture_models.config import require_at_least
from lecture_models.data.dataset import Dataset, Split
from lecture_models.data.lookup import Library
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.linear_probe import probe_accuracy
from lecture_models.metrics.traced_field import traced_channel_fields
from lecture_models.models.hierarchy_convnet import HierarchyConvNet
from lecture_models.nn.augmentation import channel_moments
from lecture_models.plots.line_plot import Curve, line_plot
from lecture_models.tasks.classification import make_experiment, standardized_apply
from lecture_models.tasks.classifier_config import SMOKE_CLASSIFIER, ClassifierConfig, adam, load

LAYERS = ("relu1", "relu2", "relu3")
PIXELS = "pixels"
BATCH = 250

Features = Float[np.ndarray, "example feature"]
Targets = Int[np.ndarray, "example ..."]


@dataclasses.dataclass(frozen=True)
class Config(ClassifierConfig):
    # A data set without strokes and parts is probed for its classes alone.
    dataset: str = "toy_objects"
    features: tuple[int, ...] = (8, 24, 48)  # Channels of the three convolutions.
    num_steps: int = 800  # 13 epochs of 4,000 pictures.
    learning_rate: float = 3e-3
    probe_images: int = (
        3_000  # Training pictures that the linear probes learn from, the first ones.
    )
    top: int = 9  # Patches per channel, each from another picture.
    shown_channels: int = 6  # Channels per layer whose patches are shown: those that respond most.
    cell_side: int = 64  # Side in pixels of a shown patch.
    eval_every: int = 400

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "features", "top", "shown_channels", "probe_images")
        require_at_least(self, 8, "cell_side")
        if len(self.features) != len(LAYERS):
            raise ValueError(
                f"--features has {len(self.features)} numbers; it must have {len(LAYERS)}"
            )


SMOKE = SMOKE_CLASSIFIER | {
    "dataset": "toy_objects",
    "features": (2, 3, 4),
    "probe_images": 40,
    "top": 3,
    "shown_channels": 2,
    "cell_side": 16,
    "eval_every": 12,
}


def concepts_of(split: Split) -> dict[str, Targets]:
    """Returns what a probe can look for: strokes and parts where known, and the objects."""
    named = {name: split[name] for name in ("strokes", "parts") if name in split.arrays}
    return named | {"objects": split.labels}


def above_chance(accuracy: float, targets: Targets) -> float:
    """Returns the accuracy on a scale from 0, which guessing reaches, to 1."""
    chance = 1.0 / len(np.unique(targets)) if targets.ndim == 1 else 0.5
    return (accuracy - chance) / (1.0 - chance)


def layer_peaks(apply, variables: Any, images: np.ndarray) -> dict[str, Peaks]:
    """Returns the largest response of each channel of each layer to each image, and its place."""
    find = jax.jit(lambda batch: {name: peaks(apply(variables, batch)[1][name]) for name in LAYERS})
    found = batched_apply(find, images, min(BATCH, len(images)))
    return jax.tree.map(np.asarray, found)


class Probes(NamedTuple):
    """Holds balanced accuracies by the name of a layer, then by the name of a concept."""

    accuracy: dict[str, dict[str, float]]

    def line(self, concept: str, targets: Targets) -> list[float]:
        """Returns the accuracies of one concept above chance, layer by layer."""
        return [above_chance(found[concept], targets) for found in self.accuracy.values()]


def probe_layers(
    train: dict[str, Features], test: dict[str, Features], splits: tuple[Split, Split]
) -> Probes:
    """Trains a linear probe for each concept on each layer's features; measures on test images."""
    train_concepts, test_concepts = map(concepts_of, splits)
    return Probes(
        {
            layer: {
                concept: probe_accuracy(
                    train[layer], train_concepts[concept], test[layer], test_concepts[concept]
                )
                for concept in train_concepts
            }
            for layer in train
        }
    )


def plot_probes(trained: Probes, untrained: Probes, test: Split) -> Images:
    """Plots, layer by layer, how much of each concept linear probes find."""
    places = np.arange(len(trained.accuracy))
    curves = []
    for color, (concept, targets) in enumerate(concepts_of(test).items()):
        curves.append(Curve(concept, places, trained.line(concept, targets), color, "-", "o"))
        curves.append(
            Curve(
                f"{concept}, untrained", places, untrained.line(concept, targets), color, ":", "o"
            )
        )
    picture = line_plot(
        curves,
        ("what the probes see", "accuracy of linear probes"),
        "0 is guessing, 1 is perfect",
        limits=(0.0, 1.02),
        tick_names=tuple(trained.accuracy),
    )
    words = "accuracy above chance of linear probes by layer; dotted: before training"
    return Images(picture[None], 1, words)


def strongest_channels(values: Float[np.ndarray, "image channel"], count: int) -> list[int]:
    """Returns the channels with the largest mean of their strongest responses, in their order."""
    order = np.argsort(-values.mean(0), kind="stable")[:count]
    return sorted(int(channel) for channel in order)


def patch_sheet(
    layer: str, found: Peaks, apply, variables: Any, images: np.ndarray, config: Config
) -> tuple[TopPeaks, Images]:
    """Returns the strongest peaks of all channels, and patches of some, a row per channel."""
    strongest = top_peaks(found, 0, config.top, None)
    shape = jax.ShapeDtypeStruct((1, *images.shape[1:]), jnp.float32)
    fields = traced_channel_fields(
        lambda variables, batch: apply(variables, batch)[1][layer], variables, shape
    )
    channels = strongest_channels(found.values, config.shown_channels)
    cells = []
    for channel in channels:
        for rank in range(len(strongest.values)):
            index, row, column = (
                int(array[rank, channel])
                for array in (strongest.images, strongest.rows, strongest.columns)
            )
            box = receptive_box(fields[channel], row, column, *images.shape[1:3])
            cells.append(enlarged(crop(images[index], box, fill=-0.5), config.cell_side))
    side = fields[0].rows.size
    words = f"strongest patches of {layer}, {side}x{side} pixels; rows are channels"
    return strongest, Images(np.stack(cells), len(strongest.values), words)


def enlarged(patch: Float[np.ndarray, "height width channel"], side: int) -> np.ndarray:
    """Returns a patch at side x side pixels, each its nearest."""
    rows, columns = (np.arange(side) * n // side for n in patch.shape[:2])
    return patch[rows[:, None], columns[None, :]]


def purity(strongest: TopPeaks, labels: Int[np.ndarray, " image"]) -> float:
    """Returns the share of the commonest object among a channel's patches, averaged over channels.

    Channels that never respond do not count.
    """
    shares = [
        np.bincount(labels[images]).max() / len(images)
        for images, values in zip(strongest.images.T, strongest.values.T, strict=True)
        if values[0] > 0.0
    ]
    return float(np.mean(shares)) if shares else 0.0


def hierarchy(
    apply, variables: Any, first_variables: Any, dataset: Dataset, config: Config
) -> Evaluation:
    """Returns probes and patches of a trained network, beside probes before its training."""
    train = dataset.train.select(slice(config.probe_images))
    splits = (train, dataset.test)
    flat = [{PIXELS: split.images.reshape(len(split), -1)} for split in splits]
    all_peaks = {}
    probes = {}
    for name, weights in (("trained", variables), ("untrained", first_variables)):
        found = [layer_peaks(apply, weights, split.images) for split in splits]
        features = [
            pixels | {layer: peaks.values for layer, peaks in of_split.items()}
            for pixels, of_split in zip(flat, found, strict=True)
        ]
        probes[name], all_peaks[name] = probe_layers(*features, splits), found[1]
    results: Evaluation = {
        "probes": plot_probes(probes["trained"], probes["untrained"], dataset.test)
    }
    lines, rows = [], []
    for layer, scores in probes["trained"].accuracy.items():
        for concept, accuracy in scores.items():
            results[f"{layer}_{concept}_accuracy"] = accuracy
            rows.append((layer, concept, accuracy, probes["untrained"].accuracy[layer][concept]))
        words = ", ".join(f"{concept} {value:6.1%}" for concept, value in scores.items())
        lines.append(f"{layer:6} {words}")
    for layer in LAYERS:
        strongest, sheet = patch_sheet(
            layer, all_peaks["trained"][layer], apply, variables, dataset.test.images, config
        )
        results[f"patches_{layer}"] = sheet
        share = purity(strongest, dataset.test.labels)
        results[f"{layer}_object_purity"] = share
        lines.append(f"{layer}: {share:.0%} of a channel's strongest patches are of one object")
    columns = ("layer", "concept", "balanced accuracy", "untrained")
    results["probe_accuracies"] = DataTable(columns, tuple(rows), "linear probes on test images")
    return results | {"by_layer": "\n".join(lines)}


def build(config: Config, library: Library) -> Experiment:
    dataset = load(config, library)
    net = HierarchyConvNet(len(dataset.classes), config.features, dtype=jnp.dtype(config.dtype))
    experiment = make_experiment(dataset, net, adam(config), config)
    apply = standardized_apply(net, channel_moments(dataset.train.images))
    key = jax.random.key(config.seed)

    def evaluate(state, evaluation_key) -> Evaluation:
        results = experiment.evaluate(state, evaluation_key)
        if int(state.step) < config.num_steps:
            return results
        first = experiment.init(key)
        return results | hierarchy(apply, state.variables, first.variables, dataset, config)

    return experiment._replace(evaluate=evaluate)
