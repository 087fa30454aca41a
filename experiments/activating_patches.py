"""The patches of many pictures that activate a channel most, each cut to its receptive field.

    python launch.py --experiment=activating_patches --images=FOLDER --layer=inception_4a/output

Paper: Zeiler and Fergus, 2014, Visualizing and understanding convolutional networks, section 4.1:
  the nine strongest of each feature map
Data: picture files or folders of them; else a data set
Cost: one core: 31 s for 420 pictures
Expected: each crop alone gives the activation of its picture; see results/activating_patches.md
"""

import collections
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from lecture_models.attribution.patches import (
    Box,
    Strongest,
    crop,
    in_place,
    peaks,
    receptive_box,
    strongest,
)
from lecture_models.config import require_at_least
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.experiment import Evaluation, Experiment, Images
from lecture_models.metrics.traced_field import Fields, traced_channel_fields
from lecture_models.tasks.analysis import CodesAnalysis
from lecture_models.tasks.codes import (
    Collection,
    Reader,
    batches,
    collect,
    image_shape,
    input_side,
    layer_fields,
    make_reader,
)
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.preprocessing import resize
from lecture_models.weights.pretrained import Weights
from lecture_models.weights.random_networks import UNTRAINED

TOLERANCE = 1e-3  # Of the largest activation shown.
OUTLINE = (1.0, 0.6, -1.0)  # Orange.


@dataclasses.dataclass(frozen=True)
class Config(CodesAnalysis):
    layer: str = ""  # Empty: the last whose units see at most half of the picture's side.
    channels: tuple[int, ...] = ()  # Counted from 0; empty: --num_channels, evenly spaced.
    num_channels: int = 8
    top: int = 9  # Patches of each channel, each from another picture.
    cell_side: int = 100
    seed: int = 0  # Nothing is drawn.

    def __post_init__(self):
        super().__post_init__()
        require_at_least(self, 1, "num_channels", "top")
        require_at_least(self, 8, "cell_side")
        require_at_least(self, 0, "channels")


PAPER = {"num_channels": 16, "num_pictures": 10_000}

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
    """The named one, or the last whose units see at most half of the side, or else the first."""
    if layer:
        return layer
    fields = layer_fields(network, side)
    small = [name for name, each in fields.items() if each.rows and 2 * each.rows.size <= side]
    return small[-1] if small else next(iter(fields))


def choose_channels(config: Config, reader: Reader) -> list[int]:
    """Raises WeightsError for a layer without maps, or a channel that it has not."""
    if len(reader.shape) != 3:
        raise WeightsError(
            f"the layer {reader.layer} has no maps, of which patches are cut; its shape is "
            f"{reader.shape}"
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
    reader: Reader,
    collection: Collection,
    channels: list[int],
    top: int,
    batch_size: int,
) -> Strongest:
    """Batch by batch: only the peaks of the channels are kept."""
    where = jnp.asarray(channels)
    find = jax.jit(lambda variables, images: peaks(reader.apply(variables, images)[..., where]))
    found = None
    for part, images in batches(collection.pixels, batch_size):
        count = part.stop - part.start
        batch = jax.tree.map(lambda each, n=count: each[:n], find(network.variables, images))
        found = strongest(batch, part.start, top, found)
    return found


def recomputed(
    network: Pretrained,
    reader: Reader,
    patches: list[Float32[np.ndarray, "height width 3"]],
    boxes: list[Box],
    units: list[tuple[int, int, int]],
    batch_size: int,
) -> Float32[np.ndarray, " patch"]:
    """The activation of each unit (row, column, channel) where its patch is all that is seen."""
    apply = jax.jit(reader.apply)
    values = []
    for first in range(0, len(patches), batch_size):
        part = range(first, min(first + batch_size, len(patches)))
        images = np.zeros((batch_size, reader.side, reader.side, 3), np.float32)
        for place, index in enumerate(part):
            images[place] = in_place(patches[index], boxes[index], reader.side, reader.side)
        maps = np.asarray(apply(network.variables, images))
        values += [maps[(place, *units[index])] for place, index in enumerate(part)]
    return np.asarray(values, np.float32)


def seen_picture(
    collection: Collection, number: int, side: int
) -> Float32[np.ndarray, "side side 3"]:
    """A picture as the network is given it, before it is normalized."""
    image = jnp.asarray(images_from_uint8(collection.pixels[number][None]))
    return np.asarray(resize(image, side))[0]


def outlined(
    picture: Float32[np.ndarray, "height width 3"], box: Box, side: int
) -> Float32[np.ndarray, "side side 3"]:
    """The whole picture at `side`, with the edge of the box."""
    small = np.array(resize(jnp.asarray(picture[None]), side)[0])
    scale = side / len(picture)
    (top, bottom), (left, right) = (
        (int(span.first * scale), int((span.last + 1) * scale) - 1)
        for span in (each.clipped(len(picture)) for each in box)
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
    channels: list[int], boxes: list[Box], found: Strongest, collection: Collection
) -> list[str]:
    """What each channel's units see, its strongest and weakest patches, and their classes."""
    lines = []
    for place, channel in enumerate(channels):
        values, pictures = found.values[:, place], found.pictures[:, place]
        counts = collections.Counter(collection.classes[i] for i in collection.labels[pictures])
        kinds = ", ".join(f"{count} {name}" for name, count in counts.most_common(3))
        kinds = f": {kinds}" if len(collection.classes) > 1 else ""
        height, width = (span.last - span.first + 1 for span in boxes[place])
        seen = f"{height}x{width} pixels"
        lines.append(f"channel {channel}, {seen}: {values[0]:.4g} to {values[-1]:.4g}{kinds}")
    return lines


def make_evaluate(
    config: Config,
    network: Pretrained,
    reader: Reader,
    fields: list[Fields],
    channels: list[int],
    collection: Collection,
):
    def evaluate(state, key) -> Evaluation:
        found = find_strongest(network, reader, collection, channels, config.top, config.batch_size)
        patches, boxes, units, wholes = [], [], [], []
        for place, channel in enumerate(channels):
            for number, *unit in zip(*(each[:, place] for each in found[1:]), strict=True):
                picture = seen_picture(collection, number, reader.side)
                row, column = map(int, unit)
                box = receptive_box(fields[channel], row, column, *picture.shape[:2])
                patches.append(crop(picture, box))
                boxes.append(box)
                units.append((row, column, channel))
                wholes.append(outlined(picture, box, config.cell_side))
        again = recomputed(network, reader, patches, boxes, units, config.batch_size)
        stored = found.values.T.reshape(-1)
        difference = float(np.abs(again - stored).max())
        share = difference / max(float(np.abs(stored).max()), 1e-30)
        cells = [resize(jnp.asarray(patch[None]), config.cell_side)[0] for patch in patches]
        words = f"rows: channels {', '.join(map(str, channels))} of {reader.layer}, strongest first"
        lines = [
            f"{reader.layer} of {network.name} at {reader.side}x{reader.side}",
            *channel_lines(channels, boxes[:: len(found.values)], found, collection),
        ]
        return {
            "pictures": float(len(collection.pixels)),
            "crop_difference": difference,
            "silent_channels": float((found.values[0] <= 0.0).sum()),
            "patches": Images(
                np.stack(cells), len(found.values), f"{words}; gray is outside of the picture"
            ),
            "pictures_with_boxes": Images(np.stack(wholes), len(found.values), words),
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
    reader = make_reader(network, choose_layer(network, config.layer, side), side)
    channels = choose_channels(config, reader)
    fields = traced_channel_fields(reader.apply, network.variables, image_shape(side))
    collection = collect(library, config.images, config.dataset, config.num_pictures, side)
    return Experiment(
        init=lambda key: {},
        step=(),
        evaluate=make_evaluate(config, network, reader, fields, channels, collection),
        batches=lambda first_step: iter(()),
    )
