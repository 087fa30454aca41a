"""What the experiments on activations of many pictures share: the pictures, and their codes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int64, UInt8

from lecture_models.config import did_you_mean
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.picture import find, shown
from lecture_models.data.pixels import images_from_uint8
from lecture_models.data.sample_pictures import locate
from lecture_models.metrics.traced_field import Fields, traced_fields
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import resize

ANY_SIDE = 224  # For networks that take every size.


class Collection(NamedTuple):
    """Square pictures as bytes, each with a label."""

    pixels: UInt8[np.ndarray, "picture side side 3"]
    labels: Int64[np.ndarray, " picture"]
    classes: tuple[str, ...]

    def described(self) -> str:
        return f"{len(self.pixels):,} pictures of {len(self.classes)} classes"


class Reader(NamedTuple):
    """One layer of a network: `apply(variables, images)` for images in [-1, 1] of any size.

    The images become `side` x `side`; `shape` is that of the layer for one of them.
    """

    layer: str
    side: int
    shape: tuple[int, ...]
    apply: Callable[[Any, Float[Array, "batch height width 3"]], Float[Array, "batch ..."]]


def collect(
    library: Library, images: tuple[str, ...], dataset: str, count: int, side: int
) -> Collection:
    """At most `count` pictures: of files and folders, read at `side`, or else of a data set.

    Of files they are evenly spaced by name, so every class is there; of a data set they are the
    first of the test, the validation and then the training split. A picture's class is the
    sub-folder of the named folder that it lies in, or else the folder that it lies in.

    Raises DataError where there are fewer than two.
    """
    found = (
        _of_files(library, images, count, side) if images else _first(library.load(dataset), count)
    )
    if len(found.pixels) < 2:
        raise DataError(f"{len(found.pixels)} picture; at least 2 are needed")
    return found


def _of_files(library: Library, images: tuple[str, ...], count: int, side: int) -> Collection:
    files = [each for name in images for each in _labeled_files(Path(name).expanduser())]
    if len(files) > count:
        files = [
            files[index] for index in np.linspace(0, len(files) - 1, count).round().astype(int)
        ]
    paths = tuple(str(path) for path, _ in files)
    pictures = library.pictures(paths, side)
    classes, labels = np.unique([name for _, name in files], return_inverse=True)
    return Collection(
        np.stack([each.pixels for each in pictures]),
        labels.astype(np.int64),
        tuple(str(name) for name in classes),
    )


def _labeled_files(named: Path) -> list[tuple[Path, str]]:
    if not named.is_dir():
        path = locate(str(named))
        return [(path, shown(path.absolute().parent.name))]
    labeled = []
    for path in find(named):
        first, *rest = path.relative_to(named).parts
        labeled.append((path, shown(first if rest else named.absolute().name)))
    return labeled


def _first(dataset: Dataset, count: int) -> Collection:
    splits = (dataset.test, dataset.validation, dataset.train)
    images = np.concatenate([split.images[:count] for split in splits])[:count]
    labels = np.concatenate([split.labels[:count] for split in splits])[:count]
    pixels = np.rint((images + 1.0) * 127.5).astype(np.uint8)
    return Collection(
        np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels,
        labels.astype(np.int64),
        dataset.classes,
    )


def input_side(network: Pretrained, size: int) -> int:
    """`size`, or where it is 0 the network's own, or 224 where it takes every size."""
    return size or network.preprocess.size or ANY_SIDE


def _activations(network: Pretrained, side: int):
    """(variables, images) -> all layers, the images resized and normalized."""
    # Fully connected layers fit one size alone.
    own = side == network.preprocess.size
    model = network.model if own else network.model.clone(num_classes=0)

    def apply(variables, images):
        return model.apply(variables, network.preprocess.normalize(resize(images, side)))[1]

    return apply


def make_reader(network: Pretrained, layer: str, side: int) -> Reader:
    """The layer of a name, or the last one before the scores where `layer` is empty.

    Raises WeightsError for an unknown layer, listing all, and where pictures of `side` are too
    small for the network or the layer.
    """
    apply = _activations(network, side)
    shapes = {name: each.shape[1:] for name, each in _in_order(apply, network, side).items()}
    chosen = layer or list(shapes)[-1]
    if chosen not in shapes:
        raise WeightsError(
            f"{network.name} has no layer {chosen!r} for pictures of {side}x{side}"
            f"{did_you_mean(chosen, shapes)} Its layers: {', '.join(shapes)}"
        )
    if 0 in shapes[chosen]:
        raise WeightsError(f"pictures of {side}x{side} are too small for the layer {chosen}")
    return Reader(
        chosen, side, shapes[chosen], lambda variables, images: apply(variables, images)[chosen]
    )


def layer_fields(network: Pretrained, side: int) -> dict[str, Fields]:
    """The receptive fields of the layers with maps, in the network's order, at no cost."""
    apply = _activations(network, side)
    order = _in_order(apply, network, side)
    fields = traced_fields(apply, network.variables, image_shape(side))
    return {name: fields[name] for name, each in order.items() if len(each.shape) == 4}


def image_shape(side: int) -> jax.ShapeDtypeStruct:
    """Of one picture."""
    return jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)


def _in_order(apply, network: Pretrained, side: int) -> dict[str, jax.ShapeDtypeStruct]:
    """Layers in the order of the network, which is lost in what `eval_shape` returns."""
    order: list[str] = []

    def named(variables, images):
        found = apply(variables, images)
        order.extend(found)
        return found

    try:
        shapes = jax.eval_shape(named, network.variables, image_shape(side))
    except (ValueError, ZeroDivisionError) as error:
        raise WeightsError(f"{network.name} takes no picture of {side}x{side}: {error}") from error
    return {name: shapes[name] for name in order}


def batches(
    pixels: UInt8[np.ndarray, "picture side side 3"], batch_size: int
) -> Iterator[tuple[slice, Float32[np.ndarray, "batch side side 3"]]]:
    """Pictures in [-1, 1] in batches of one size, the last filled up, and where they are."""
    for first in range(0, len(pixels), batch_size):
        part = pixels[first : first + batch_size]
        filled = np.pad(part, ((0, batch_size - len(part)), (0, 0), (0, 0), (0, 0)), mode="edge")
        yield slice(first, first + len(part)), images_from_uint8(filled)


def pooled(maps: Float[Array, "batch ..."]) -> Float[Array, "batch feature"]:
    """Means over the places of a convolutional layer; any other layer is one vector already."""
    return maps.mean((1, 2)) if maps.ndim == 4 else maps.reshape(len(maps), -1)


def feature_codes(
    network: Pretrained, reader: Reader, collection: Collection, batch_size: int
) -> Float32[np.ndarray, "picture feature"]:
    """The pooled layer of every picture, batch by batch."""
    encode = jax.jit(lambda variables, images: pooled(reader.apply(variables, images)))
    codes = []
    for where, images in batches(collection.pixels, batch_size):
        found = np.asarray(encode(network.variables, images), np.float32)
        codes.append(found[: where.stop - where.start])
    return np.concatenate(codes)


def describe_codes(network: Pretrained, reader: Reader) -> str:
    """Which layer, and what was done to it, in a phrase."""
    *places, channels = reader.shape
    means = f", means over {places[0]}x{places[1]} places" if len(places) == 2 else ""
    side = reader.side
    return f"{network.name} at {side}x{side}, {reader.layer}: {channels:,} features{means}"


def pixel_codes(
    collection: Collection, side: int, batch_size: int
) -> Float32[np.ndarray, "picture pixel"]:
    """Pictures in [-1, 1] as vectors, resized where they are larger than `side`."""
    side = min(side, collection.pixels.shape[1])
    shrink = jax.jit(lambda images: resize(images, side).reshape(len(images), -1))
    codes = []
    for where, images in batches(collection.pixels, batch_size):
        codes.append(np.asarray(shrink(images), np.float32)[: where.stop - where.start])
    return np.concatenate(codes)


def thumbnails(
    pixels: UInt8[np.ndarray, "picture side side 3"], side: int
) -> Float32[np.ndarray, "picture small small 3"]:
    """Pictures in [-1, 1] at `side`."""
    return np.asarray(resize(jnp.asarray(images_from_uint8(pixels)), side))
