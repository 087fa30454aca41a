"""Reads labeled pictures and computes their codes: the activations of one layer of a network."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int64, UInt8

from lecture_models.config import require_at_least
from lecture_models.data.dataset import DataError, Dataset
from lecture_models.data.lookup import Library
from lecture_models.data.picture import find, shown
from lecture_models.data.pixels import images_from_uint8, uint8_from_images
from lecture_models.data.sample_pictures import locate
from lecture_models.files import local_path
from lecture_models.image_space.step import Network
from lecture_models.metrics.traced_field import ReceptiveFields, traced_fields
from lecture_models.tasks.analysis import AnalysisConfig
from lecture_models.tasks.layers import layer_shapes, require_layer
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import resize

DEFAULT_SIDE = 224  # Input side in pixels of networks that take images of any size.


@dataclasses.dataclass(frozen=True)
class CodesConfig(AnalysisConfig):
    """Holds the fields of all analyses of codes: which pictures, which network, which layer."""

    images: tuple[str, ...] = ()  # Picture files, samples and folders; sub-folders are classes.
    # Used without --images: comma-separated names of data sets; the first available one is used.
    dataset: str = "mnist,digits"
    num_pictures: int = 300  # At most so many; each takes 150 kB of memory at 224x224 pixels.
    # Comma-separated names; the first available one is used. A single name has no fallback.
    model: str = "googlenet_bvlc,digits_convnet"
    layer: str = ""  # Empty for the last layer before the logits.
    size: int = 0  # Side in pixels of the network's input; 0 for the size it was trained with.
    batch_size: int = 16

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 2, "num_pictures")
        require_at_least(self, 1, "batch_size")
        require_at_least(self, 0, "size")


class LabeledPictures(NamedTuple):
    """Holds square pictures of one size with their labels.

    Attributes:
        pixels: RGB values from 0 to 255, (picture, side, side, 3).
        labels: index of each picture's class.
        classes: the names of the classes.
    """

    pixels: UInt8[np.ndarray, "picture side side 3"]
    labels: Int64[np.ndarray, " picture"]
    classes: tuple[str, ...]

    def described(self) -> str:
        """Returns the numbers of pictures and classes in words."""
        return f"{len(self.pixels):,} pictures of {len(self.classes)} classes"


class LayerReader(NamedTuple):
    """Computes the activations of one layer of a network.

    Attributes:
        layer: name of the layer.
        side: side in pixels to which images are resized before the network.
        shape: shape of the activations of one image.
        apply: `apply(variables, images)` returns the activations for images in [-1, 1] of any size,
            (image, ...).
    """

    layer: str
    side: int
    shape: tuple[int, ...]
    apply: Callable[[Any, Float[Array, "batch height width 3"]], Float[Array, "batch ..."]]


def collect_pictures(
    library: Library, images: tuple[str, ...], dataset: str, count: int, side: int
) -> LabeledPictures:
    """Returns the pictures that an analysis is about.

    The class of a picture in a named folder is the sub-folder that it lies in; without sub-folders,
    or for a picture that is named itself, it is the name of the folder.

    Args:
        library: reads pictures and data sets.
        images: picture files, samples and folders; () to use the data set instead.
        dataset: names of data sets; see `Library.load`.
        count: largest number of pictures. More files are thinned out evenly in the order of their
            names, so that each class is represented. Of a data set, the first examples are taken:
            test split, then validation split, then training split.
        side: side in pixels at which files are read; examples of a data set keep their size.

    Returns:
        The pictures.

    Raises:
        DataError: if there are fewer than two pictures, or one cannot be read.
    """
    if images:
        pictures = _from_files(library, images, count, side)
    else:
        pictures = _from_dataset(library.load(dataset), count)
    if len(pictures.pixels) < 2:
        raise DataError(f"there is {len(pictures.pixels)} picture; at least 2 are needed")
    return pictures


def _from_files(
    library: Library, images: tuple[str, ...], count: int, side: int
) -> LabeledPictures:
    files = [file for name in images for file in _labeled_files(local_path("--images", name))]
    if len(files) > count:
        chosen = np.linspace(0, len(files) - 1, count).round().astype(int)
        files = [files[index] for index in chosen]
    paths = tuple(str(path) for path, _ in files)
    pictures = library.pictures(paths, side)
    names = dict(files)  # The library may skip files.
    classes, labels = np.unique([names[picture.path] for picture in pictures], return_inverse=True)
    return LabeledPictures(
        np.stack([picture.pixels for picture in pictures]),
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


def _from_dataset(dataset: Dataset, count: int) -> LabeledPictures:
    splits = (dataset.test, dataset.validation, dataset.train)
    images = np.concatenate([split.images[:count] for split in splits])[:count]
    labels = np.concatenate([split.labels[:count] for split in splits])[:count]
    pixels = uint8_from_images(images)
    return LabeledPictures(
        np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels,
        labels.astype(np.int64),
        dataset.classes,
    )


def input_side(network: Pretrained, size: int) -> int:
    """Returns the side in pixels of a network's input.

    Args:
        network: the network.
        size: the side that the user gave; 0 for the network's own, or 224 if it takes any size.

    Returns:
        The side.
    """
    return size or network.preprocess.size or DEFAULT_SIDE


def resizing_network(network: Pretrained, side: int) -> Network:
    """Returns a network that resizes images in [-1, 1] to `side` before it is applied to them.

    Fully connected layers fit only the size that the network was trained with; at any other size it
    has none.

    Args:
        network: the network.
        side: side of its input in pixels.

    Returns:
        A function of variables and images that returns logits and activations.
    """
    is_own_size = side == network.preprocess.size
    model = network.model if is_own_size else network.model.clone(num_classes=0)

    def apply(variables, images):
        return model.apply(variables, network.preprocess.normalize(resize(images, side)))

    return apply


def make_layer_reader(network: Pretrained, layer: str, side: int) -> LayerReader:
    """Returns the reader of one layer.

    Args:
        network: the network.
        layer: name of the layer; "" for the last one before the logits.
        side: side in pixels of the network's input.

    Returns:
        The reader.

    Raises:
        WeightsError: if there is no such layer, or images of this size are too small for it.
    """
    apply, size = resizing_network(network, side), (side, side)
    shapes = layer_shapes(apply, network, size)
    chosen = layer or list(shapes)[-1]
    require_layer(shapes, chosen, network, size)
    return LayerReader(
        chosen,
        side,
        shapes[chosen][1:],
        lambda variables, images: apply(variables, images)[1][chosen],
    )


def map_fields(network: Pretrained, side: int) -> dict[str, ReceptiveFields]:
    """Returns the receptive fields of all layers that have rows and columns.

    Args:
        network: the network.
        side: side in pixels of its input.

    Returns:
        The fields by the names of the layers, from the image on; nothing is computed.
    """
    apply = resizing_network(network, side)
    shapes = layer_shapes(apply, network, (side, side))
    _, fields = traced_fields(apply, network.variables, image_shape(side))
    return {name: fields[name] for name, shape in shapes.items() if len(shape) == 4}


def image_shape(side: int) -> jax.ShapeDtypeStruct:
    """Returns the shape and type of one square image, with the axis of images."""
    return jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)


def picture_batches(
    pixels: UInt8[np.ndarray, "picture side side 3"], batch_size: int
) -> Iterator[tuple[slice, Float32[np.ndarray, "batch side side 3"]]]:
    """Yields pictures in batches of one size.

    Args:
        pixels: RGB values from 0 to 255.
        batch_size: number of pictures per batch.

    Yields:
        The indices of a batch as a slice, and its images in [-1, 1]. The last batch is filled up
        with copies of its last picture.
    """
    for first in range(0, len(pixels), batch_size):
        batch = pixels[first : first + batch_size]
        missing = batch_size - len(batch)
        filled = np.pad(batch, ((0, missing), (0, 0), (0, 0), (0, 0)), mode="edge")
        yield slice(first, first + len(batch)), images_from_uint8(filled)


def pooled(activations: Float[Array, "batch ..."]) -> Float[Array, "batch feature"]:
    """Returns one vector per image: feature maps are averaged over all positions.

    Args:
        activations: feature maps, (image, row, column, feature), or vectors, (image, feature).

    Returns:
        The vectors.
    """
    if activations.ndim == 4:
        return activations.mean((1, 2))
    return activations.reshape(len(activations), -1)


def feature_codes(
    network: Pretrained, reader: LayerReader, pictures: LabeledPictures, batch_size: int
) -> Float32[np.ndarray, "picture feature"]:
    """Returns the code of each picture: its pooled activations, computed batch by batch."""
    encode = jax.jit(lambda variables, images: pooled(reader.apply(variables, images)))
    return _by_batches(encode, network, pictures.pixels, batch_size).astype(np.float32)


def feature_grids(
    network: Pretrained,
    reader: LayerReader,
    pixels: UInt8[np.ndarray, "picture side side 3"],
    batch_size: int,
) -> Float[np.ndarray, "picture place channel"]:
    """Returns the activations of a layer at each of its places, in 16 bits, batch by batch."""
    encode = jax.jit(lambda variables, images: reader.apply(variables, images).astype(jnp.float16))
    maps = _by_batches(encode, network, pixels, batch_size)
    return maps.reshape(len(maps), -1, maps.shape[-1])


def _by_batches(encode, network: Pretrained, pixels: np.ndarray, batch_size: int) -> np.ndarray:
    parts = []
    for indices, images in picture_batches(pixels, batch_size):
        part = np.asarray(encode(network.variables, images))
        parts.append(part[: indices.stop - indices.start])
    return np.concatenate(parts)


def describe_codes(network: Pretrained, reader: LayerReader) -> str:
    """Returns a phrase that names the network, the layer, and how it was pooled."""
    *places, channels = reader.shape
    means = f", means over {places[0]}x{places[1]} places" if len(places) == 2 else ""
    side = reader.side
    return f"{network.name} at {side}x{side}, {reader.layer}: {channels:,} features{means}"


def pixel_codes(
    pictures: LabeledPictures, side: int, batch_size: int
) -> Float32[np.ndarray, "picture pixel"]:
    """Returns the pixels of each picture as a vector of values in [-1, 1].

    Args:
        pictures: the pictures.
        side: side in pixels to which larger pictures are reduced.
        batch_size: number of pictures that are resized at once.

    Returns:
        The vectors.
    """
    side = min(side, pictures.pixels.shape[1])
    shrink = jax.jit(lambda images: resize(images, side).reshape(len(images), -1))
    codes = []
    for indices, images in picture_batches(pictures.pixels, batch_size):
        codes.append(np.asarray(shrink(images), np.float32)[: indices.stop - indices.start])
    return np.concatenate(codes)


def thumbnails(
    pixels: UInt8[np.ndarray, "picture side side 3"], side: int
) -> Float32[np.ndarray, "picture small small 3"]:
    """Returns pictures as images in [-1, 1], resized to `side` x `side` pixels."""
    return np.asarray(resize(jnp.asarray(images_from_uint8(pixels)), side))
