"""Pretrained ImageNet networks: top-1 and top-5 accuracy on photos of known classes.

Source: accuracy measured by those who converted each file, and the published accuracy
"""

import functools
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from lecture_models.data.dataset import DataError
from lecture_models.data.dataset_library import default_data_dir
from lecture_models.data.imagenet_samples import Photos, read_photos
from lecture_models.data.pixels import images_from_uint8
from lecture_models.metrics.classification import batched_apply, in_top
from lecture_models.tables.table import Table, TableContext, TableRow, published
from lecture_models.weights.pretrained import Weights

CHECK = "measured by the converter on 1,000 photos, one of each class"
VALIDATION = "measured by the converter on the first 2,000 validation images at 227x227"
PAPER = "published, 50,000 validation images"
SIDE = 256  # Shorter side of a photo in pixels; a network takes the central crop.
BATCH = 20


class Accuracy(NamedTuple):
    """Holds top-1 and top-5 accuracy as printed: on the photos, on 2,000 images, and published."""

    photos: tuple[str, str]
    validation: tuple[str, str]
    paper: tuple[str, str]


PRINTED = {
    "googlenet_bvlc": Accuracy(("0.749", "0.926"), ("0.679", "0.888"), ("0.687", "0.889")),
    "squeezenet1_1_caffe": Accuracy(("0.622", "0.837"), ("0.579", "0.799"), ("0.575", "0.803")),
    "squeezenet1_1_rgb": Accuracy(("0.614", "0.833"), ("0.543", "0.776"), ("0.550", "0.782")),
    "mobilenet_v2_folded": Accuracy(("0.892", "0.984"), ("0.688", "0.891"), ("0.718", "0.910")),
}


def logits(weights: Weights, name: str, photos: Photos) -> Float[np.ndarray, "photo class"]:
    """Returns a network's logits for the central crop of each photo."""
    network = weights.load(name)

    @jax.jit
    def run(images):
        return network.model.apply(network.variables, network.preprocess(images))[0]

    return batched_apply(run, images_from_uint8(photos.pixels), BATCH)


def build(context: TableContext) -> Table:
    """Builds the table; rows whose network or photos are not available say why."""
    weights = Weights(context.weights_dir, context.announce)
    photos = functools.cache(lambda: read_photos(context.data_dir or default_data_dir(), SIDE))
    rows = []
    for name, accuracy in PRINTED.items():
        context.announce(f"classifying photos with {name}")
        try:
            outputs, labels = logits(weights, name, photos()), photos().labels
            shares = [float(in_top(outputs, labels, k).mean()) for k in (1, 5)]
            how = f"central crops of {len(labels)} of these photos"
        except DataError as error:
            shares, how = [None, None], str(error)
        rows += _rows(name, accuracy, shares, how)
    return Table(tuple(rows), _notes())


def _rows(name: str, accuracy: Accuracy, shares: list[float | None], how: str) -> list[TableRow]:
    rows = []
    for index, k in enumerate((1, 5)):
        of_photos = published(accuracy.photos[index], CHECK)
        rows.append(
            TableRow(
                f"{name}: top-{k}, photos", of_photos, shares[index], how, gap=True, decimals=3
            )
        )
    for kind, source, images in (
        ("validation", VALIDATION, "2,000 validation images"),
        ("paper", PAPER, "50,000 validation images"),
    ):
        for index, k in enumerate((1, 5)):
            printed = published(getattr(accuracy, kind)[index], source)
            rows.append(
                TableRow(f"{name}: top-{k}, {images}", printed, None, "no validation images here")
            )
    return rows


def _notes() -> tuple[str, ...]:
    return (
        "The photos are 200 of the 1,000 that the converters used, one of every fifth class, "
        "scaled down once more. The standard error of an accuracy on 200 photos is about 0.03.",
        "The photos seem to be training images of ImageNet: the accuracy is above the published "
        "one, most of all for mobilenet_v2_folded. Only validation images are comparable with it.",
        "mobilenet_v2_folded was restored from 8-bit values; its published accuracy is that of the "
        "original network on full-size images.",
    )
