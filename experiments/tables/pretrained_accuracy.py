"""Pretrained ImageNet networks: top-1 and top-5 on photos of known classes.

Source: what the converters of each file measured with it, and the published accuracy
"""

import functools
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from lecture_models.data.dataset import DataError
from lecture_models.data.imagenet_samples import Photos, read_photos
from lecture_models.data.lookup import default_data_dir
from lecture_models.data.pixels import images_from_uint8
from lecture_models.metrics.classification import batched_apply, in_top
from lecture_models.tables.table import Row, Table, TableContext, published
from lecture_models.weights.pretrained import Weights

CHECK = "converter's check, 1,000 photos, one of each class"
VALIDATION = "converter's check, first 2,000 validation images at 227x227"
PAPER = "published, 50,000 validation images"
SIDE = 256  # The shorter side of a photo, of which a network takes the center.
BATCH = 20


class Accuracy(NamedTuple):
    """Shares of top-1 and top-5, as printed: of the photos, of 2,000 images, as published."""

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
    """Of the central crop of every photo."""
    network = weights.load(name)

    @jax.jit
    def run(images):
        return network.model.apply(network.variables, network.preprocess(images))[0]

    return batched_apply(run, images_from_uint8(photos.pixels), BATCH)


def build(context: TableContext) -> Table:
    """Rows of networks or photos that cannot be had are not run, and say why."""
    weights = Weights(context.weights_dir, context.announce)
    photos = functools.cache(lambda: read_photos(context.data_dir or default_data_dir(), SIDE))
    rows = []
    for name, accuracy in PRINTED.items():
        context.announce(f"classifying photos with {name}")
        try:
            found, labels = logits(weights, name, photos()), photos().labels
            shares = [float(in_top(found, labels, k).mean()) for k in (1, 5)]
            how = f"central crops of {len(labels)} of those photos"
        except DataError as error:
            shares, how = [None, None], str(error)
        rows += _rows(name, accuracy, shares, how)
    return Table(tuple(rows), _notes())


def _rows(name: str, accuracy: Accuracy, shares: list[float | None], how: str) -> list[Row]:
    rows = []
    for index, k in enumerate((1, 5)):
        of_photos = published(accuracy.photos[index], CHECK)
        rows.append(
            Row(f"{name}: top-{k}, photos", of_photos, shares[index], how, gap=True, decimals=3)
        )
    for kind, source, images in (
        ("validation", VALIDATION, "2,000 validation images"),
        ("paper", PAPER, "validation"),
    ):
        for index, k in enumerate((1, 5)):
            printed = published(getattr(accuracy, kind)[index], source)
            rows.append(Row(f"{name}: top-{k}, {images}", printed, None, "not at hand"))
    return rows


def _notes() -> tuple[str, ...]:
    return (
        "The photos are one for every fifth class, out of the 1,000 that the converters checked, "
        "scaled down once more: a share of 200 has a standard error of about 0.03.",
        "They appear to be training images of ImageNet, so the shares lie above the published "
        "ones, most of all for mobilenet_v2_folded; only validation images compare with those.",
        "mobilenet_v2_folded was restored from 8-bit values; its published accuracy is of the "
        "network before that, on images of full size.",
    )
