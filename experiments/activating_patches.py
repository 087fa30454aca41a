"""Patches of many pictures that activate a channel most, each cut to its receptive field.

    python launch.py --experiment=activating_patches --images=FOLDER --layer=inception_4a/output

Paper: Zeiler and Fergus, 2014, Visualizing and understanding convolutional networks, section 4.1:
  the nine strongest of each feature map
Data: picture files or folders of them; else a data set
Cost: one core: 34 s for 420 pictures
Expected: each crop alone gives the activation of its picture; see results/activating_patches.md
"""

import collections
import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from lecture_models.attribution.patches import (
    PatchBox,
    TopPeaks,
    crop,
    in_place,
    peaks,
    receptive_box,
    top_peaks,
)
from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.metrics.traced_field import ReceptiveFields, traced_channel_fields
from lecture_models.tasks.analysis import analysis_experiment
from lecture_models.tasks.codes import (
    CodesConfig,
    LabeledPictures,
    LayerReader,
    collect_pictures,
    image_shape,
    input_side,
    make_layer_reader,
    map_fields,
    picture_batches,
)
from lecture_models.tasks.pictures import as_images
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import resize
from lecture_models.weights.pretrained import Weights
from lecture_models.weights.random_networks import UNTRAINED

# Largest difference between the activation of a crop and that of its picture before an alarm, as a
# share of the largest activation.
TOLERANCE = 1e-3
OUTLINE = (1.0, 0.6, -1.0)  # Orange, in [-1, 1].


@dataclasses.dataclass(frozen=True)
class Config(CodesConfig):
    layer: str = ""  # Empty for the last layer whose units see at most half of the input's side.
    channels: tuple[int, ...] = ()  # Counted from 0; empty for --num_channels evenly spaced ones.
    num_channels: int = 8  # Number of channels if --channels is empty.
    top: int = 9  # Number of patches per channel, each from another picture.
    cell_side: int = 100  # Side in pixels of each shown patch.
    seed: int = 0  # Has no effect: nothing is random.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "num_channels", "top")
        require_at_least(self, 8, "cell_side")
        require_at_least(self, 0, "channels")


SMOKE = {
    "dataset": "digits",
    "num_pictures": 24,
    "model": UNTRAINED,
    "num_channels": 2,
    "top": 3,
    "cell_side": 16,
    "batch_size": 8,
}


def choose_layer(network: Pretrained, layer: str, side: int) -> str:
    """Returns `layer`; if it is "", the last layer whose units see at most half of the side.

    If there is none, returns the first layer.
    """
    if layer:
        return layer
    fields = map_fields(network, side)
    small = [name for name, field in fields.items() if field.rows and 2 * field.rows.size <= side]
    return small[-1] if small else next(iter(fields))


def choose_channels(config: Config, reader: LayerReader) -> list[int]:
    """Returns the channels whose patches are shown.

    Raises WeightsError if the layer has no rows and columns, or fewer channels.
    """
    if len(reader.shape) != 3:
        raise WeightsError(
            f"the layer {reader.layer} has the shape {reader.shape}; it must have rows and columns"
        )
    count = reader.shape[-1]
    for channel in config.channels:
        if channel >= count:
            raise WeightsError(
                f"--channels has {channel}; {reader.layer} has the channels 0 to {count - 1}"
            )
    spaced = np.linspace(0, count - 1, min(config.num_channels, count)).round()
    return list(config.channels) or [int(channel) for channel in spaced]


def find_strongest(
    network: Pretrained,
    reader: LayerReader,
    pictures: LabeledPictures,
    channels: list[int],
    top: int,
    batch_size: int,
) -> TopPeaks:
    """Returns the largest activations of channels over all pictures, computed batch by batch."""
    index = jnp.asarray(channels)
    find = jax.jit(lambda variables, images: peaks(reader.apply(variables, images)[..., index]))
    strongest = None
    for indices, images in picture_batches(pictures.pixels, batch_size):
        count = indices.stop - indices.start
        batch = jax.tree.map(lambda array, n=count: array[:n], find(network.variables, images))
        strongest = top_peaks(batch, indices.start, top, strongest)
    return strongest


class Unit(NamedTuple):
    """Describes one unit of the layer, and the patch of a picture that activates it."""

    row: int
    column: int
    channel: int
    box: PatchBox
    patch: Float32[np.ndarray, "height width 3"]


def recomputed(
    network: Pretrained, reader: LayerReader, units: list[Unit], batch_size: int
) -> Float32[np.ndarray, " patch"]:
    """Returns the activation of each unit for a gray image that shows only its patch."""
    apply = jax.jit(reader.apply)
    values = []
    for first in range(0, len(units), batch_size):
        batch = units[first : first + batch_size]
        images = np.zeros((batch_size, reader.side, reader.side, 3), np.float32)
        for place, unit in enumerate(batch):
            images[place] = in_place(unit.patch, unit.box, reader.side, reader.side)
        maps = np.asarray(apply(network.variables, images))
        values += [
            maps[place, unit.row, unit.column, unit.channel] for place, unit in enumerate(batch)
        ]
    return np.asarray(values, np.float32)


def network_image(
    pictures: LabeledPictures, index: int, side: int
) -> Float32[np.ndarray, "side side 3"]:
    """Returns a picture as the network is given it, in [-1, 1], before it is normalized."""
    image = as_images(pictures.pixels[index])
    return np.asarray(resize(image, side))[0]


def outlined(
    image: Float32[np.ndarray, "height width 3"], box: PatchBox, side: int
) -> Float32[np.ndarray, "side side 3"]:
    """Returns the whole image, resized to `side`, with the outline of a box."""
    small = np.array(resize(jnp.asarray(image[None]), side)[0])
    scale = side / len(image)
    (top, bottom), (left, right) = (
        (int(span.first * scale), int((span.last + 1) * scale) - 1)
        for span in (axis_span.clipped(len(image)) for axis_span in box)
    )
    for rows, columns in (
        (slice(top, top + 2), slice(left, right + 1)),
        (slice(bottom - 1, bottom + 1), slice(left, right + 1)),
        (slice(top, bottom + 1), slice(left, left + 2)),
        (slice(top, bottom + 1), slice(right - 1, right + 1)),
    ):
        small[rows, columns] = np.asarray(OUTLINE, np.float32).reshape(1, 1, 3)
    return small


def channel_lines(
    channels: list[int], boxes: list[PatchBox], strongest: TopPeaks, pictures: LabeledPictures
) -> list[str]:
    """Returns a line per channel: the size of its patches, their activations and classes."""
    lines = []
    for place, channel in enumerate(channels):
        values, images = strongest.values[:, place], strongest.images[:, place]
        counts = collections.Counter(pictures.classes[label] for label in pictures.labels[images])
        kinds = ", ".join(f"{count} {name}" for name, count in counts.most_common(3))
        kinds = f": {kinds}" if len(pictures.classes) > 1 else ""
        height, width = (span.last - span.first + 1 for span in boxes[place])
        seen = f"{height}x{width} pixels"
        lines.append(f"channel {channel}, {seen}: {values[0]:.4g} to {values[-1]:.4g}{kinds}")
    return lines


def strongest_units(
    strongest: TopPeaks,
    channels: list[int],
    fields: list[ReceptiveFields],
    pictures: LabeledPictures,
    config: Config,
    side: int,
) -> tuple[list[Unit], list[Float32[np.ndarray, "cell cell 3"]]]:
    """Returns the units and their patches, channel by channel, and the pictures with the boxes."""
    units, wholes = [], []
    for place, channel in enumerate(channels):
        for index, row, column in zip(*(array[:, place] for array in strongest[1:]), strict=True):
            image = network_image(pictures, index, side)
            box = receptive_box(fields[channel], int(row), int(column), side, side)
            units.append(Unit(int(row), int(column), channel, box, crop(image, box)))
            wholes.append(outlined(image, box, config.cell_side))
    return units, wholes


def make_evaluate(
    config: Config,
    network: Pretrained,
    reader: LayerReader,
    fields: list[ReceptiveFields],
    channels: list[int],
    pictures: LabeledPictures,
):
    def evaluate(state, key) -> Evaluation:
        strongest = find_strongest(
            network, reader, pictures, channels, config.top, config.batch_size
        )
        units, wholes = strongest_units(strongest, channels, fields, pictures, config, reader.side)
        stored = strongest.values.T.reshape(-1)
        again = recomputed(network, reader, units, config.batch_size)
        difference = float(np.abs(again - stored).max())
        share = difference / max(float(np.abs(stored).max()), 1e-30)
        cells = [resize(jnp.asarray(unit.patch[None]), config.cell_side)[0] for unit in units]
        columns = len(strongest.values)
        words = f"rows: channels {', '.join(map(str, channels))} of {reader.layer}, strongest first"
        boxes = [unit.box for unit in units[::columns]]
        lines = [
            f"{reader.layer} of {network.name} at {reader.side}x{reader.side}",
            *channel_lines(channels, boxes, strongest, pictures),
        ]
        return {
            "pictures": float(len(pictures.pixels)),
            "crop_difference": difference,
            "silent_channels": float((strongest.values[0] <= 0.0).sum()),
            "patches": Images(np.stack(cells), columns, f"{words}; gray is outside of the picture"),
            "pictures_with_boxes": Images(np.stack(wholes), columns, words),
            "strongest": "\n".join(lines),
            "alarm_crop": ""
            if share <= TOLERANCE
            else f"a crop alone gives another activation, by {share:.1%} of the largest",
            "alarm_network": network.alarm,
        }

    return evaluate


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    network = weights.load(config.model)
    side = input_side(network, config.size)
    reader = make_layer_reader(network, choose_layer(network, config.layer, side), side)
    channels = choose_channels(config, reader)
    fields = traced_channel_fields(reader.apply, network.variables, image_shape(side))
    pictures = collect_pictures(library, config.images, config.dataset, config.num_pictures, side)
    return analysis_experiment(make_evaluate(config, network, reader, fields, channels, pictures))
