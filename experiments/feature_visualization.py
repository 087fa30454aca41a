"""Feature visualization: images made for single channels, neurons and directions of a network.

    python launch.py --experiment=feature_visualization --layers=inception_4c/3x3 --channels=3,77

Paper: Olah, Mordvintsev and Schubert, 2017, Feature visualization (Distill), and its code, lucid
Data: none for the images; photos (--images, else --dataset) to compare the responses with
Cost: one core: 3.5 minutes of CPU time for 18 images, 2.4 GB
Expected: a unit responds more to its image than to 99 % of photos: results/feature_visualization.md
"""

import dataclasses
import re
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.attribution.rectifiers import redirected
from lecture_models.config import require_at_least, require_between
from lecture_models.data.lookup import Library
from lecture_models.experiment import DataTable, Evaluation, Experiment, Images
from lecture_models.image_space.objectives import (
    channel_mean,
    direction_at,
    direction_mean,
    neuron,
)
from lecture_models.image_space.optimizers import from_optax
from lecture_models.image_space.parameterizations import fourier, pixels
from lecture_models.image_space.step import Network
from lecture_models.image_space.transforms import random_placement
from lecture_models.tasks.canvas import canvas_size
from lecture_models.tasks.codes import collect_pictures
from lecture_models.tasks.image_optimization import (
    Stage,
    feature_network,
    image_experiment,
    untrained_alarm,
)
from lecture_models.tasks.layers import LayerShapes, require_layers
from lecture_models.tasks.units import (
    PhotoResponses,
    Pictures,
    Sheet,
    Unit,
    make_photo_responses,
    make_respond,
    sheet_terms,
    sheets_network,
)
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.pretrained import UNTRAINED, Weights

# Without --layers: the first three of these that the network has, else three evenly spaced ones.
# All are taken before the rectifier, so their channels can also be negative.
LAYERS = (
    *("inception_3b/3x3", "inception_4c/3x3", "inception_5a/3x3"),
    *("fire3/expand3x3", "fire6/expand3x3", "fire9/expand3x3"),
    *("block4/output", "block8/output", "block14/output"),
    *("layer1_out", "layer2_out", "layer3_out"),
    *("conv2_1", "conv3_1", "conv4_1"),
)
COLUMNS = 6  # Images in a row of a sheet, at most, unless a channel has more.
STRONG = 99.0  # Percent of photos.
TERM = re.compile(r"([+-]?)(?:(\d+\.?\d*|\.\d+)\*)?(\d+)")  # One term of a direction: -0.5*12.


@dataclasses.dataclass(frozen=True)
class Config:
    layers: tuple[str, ...] = ()  # One sheet each; default: three from low to high.
    channels: tuple[int, ...] = ()  # Counted from 0; default: --num_channels evenly spaced ones.
    num_channels: int = 6  # Of each layer, where neither channels nor directions are named.
    directions: tuple[str, ...] = ()  # Sums of channels, such as 12+34 or 12-0.5*34.
    random_directions: int = 0  # So many random directions of each layer.
    neuron: bool = False  # Maximize the unit in the middle of the map, not the map's mean.
    negative: bool = False  # Also minimize: a second image beside each.
    images_per_unit: int = 1  # More than one: different images of one unit.
    diversity: float = 5.0  # Weight of the similarity of a unit's images; 1 is one deviation.
    model: str = "googlenet_bvlc,resnet50_timm,digits_convnet"  # The first available one.
    size: int = 128  # Pixels of a side.
    fourier: bool = True  # Optimize a spectrum of decorrelated colors, else pixels.
    learning_rate: float = 0.05  # Of Adam.
    noise: float = 0.1  # Standard deviation of the initial spectrum, or of the initial pixels.
    jitter: int = 8  # Largest random shift in pixels, drawn at each step.
    scale: float = 0.1  # The image is scaled by a factor from 1 - scale to 1 + scale.
    rotation: float = 10.0  # Largest random rotation in degrees, in either direction.
    images: tuple[str, ...] = ()  # Photos to compare with: files, samples and folders.
    dataset: str = "cifar10,digits"  # Used without --images: the first available data set.
    num_pictures: int = 300  # At most so many photos.
    seed: int = 0
    num_steps: int = 160
    log_every: int = 10
    eval_every: int = 80
    checkpoint_every: int = 40

    def __post_init__(self):
        require_at_least(self, 1, "num_channels", "images_per_unit", "num_steps")
        require_at_least(self, 1, "log_every", "eval_every", "checkpoint_every")
        require_at_least(self, 0, "seed", "channels", "random_directions", "diversity", "noise")
        require_at_least(self, 0, "jitter", "rotation", "learning_rate")
        require_at_least(self, 16, "size")
        require_at_least(self, 2, "num_pictures")
        require_between(self, 0.0, 0.9, "scale")
        if self.jitter >= self.size:
            raise ValueError(f"--jitter is {self.jitter}; it must be below --size, {self.size}")
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"--layers is {','.join(self.layers)}; it names a layer twice")
        for direction in self.directions:
            parsed_direction(direction)


# The settings of the paper's code at its size, with more channels.
PAPER = {"size": 224, "num_steps": 512, "num_channels": 12}

_LUCID = "lucid's defaults (github.com/tensorflow/lucid)"
PAPER_SOURCES = {
    "fourier": f"{_LUCID}: decorrelated colors in a spectrum",
    "learning_rate": f"{_LUCID}: Adam with 0.05",
    "num_steps": f"{_LUCID}: 512",
}
PAPER_DEPARTURES = (
    (
        "padding, then jitter of 8, scales 1 +- 0.05 by 11 values, rotations by 21 values of -10 "
        "to 10 degrees, jitter of 4",
        "one random shift, scale and rotation a step",
    ),
    ("128 pixels", "224 pixels"),
)

SMOKE = {
    "model": UNTRAINED,
    "dataset": "digits",
    "num_pictures": 24,
    "size": 24,
    "channels": (0, 3),
    "images_per_unit": 2,
    "negative": True,
    "directions": ("0+1",),
    "jitter": 2,
    "num_steps": 4,
    "log_every": 1,
    "eval_every": 2,
    "checkpoint_every": 2,
}


def parsed_direction(text: str) -> dict[int, float]:
    """Returns the weight of each channel in a direction such as 12+34 or 12-0.5*34.

    Raises ValueError for other texts.
    """
    weights: dict[int, float] = {}
    for sign, factor, channel in TERM.findall(text):
        weight = float(factor or 1.0) * (-1.0 if sign == "-" else 1.0)
        weights[int(channel)] = weights.get(int(channel), 0.0) + weight
    # A term without a sign may only be the first one.
    is_whole = re.fullmatch(rf"{TERM.pattern}(?:(?=[+-]){TERM.pattern})*", text) is not None
    if not is_whole or not any(weights.values()):
        raise ValueError(
            f"--directions has {text!r}; a direction is a sum of channels, such as 12+34 or "
            "12-0.5*34"
        )
    return weights


def chosen_layers(config: Config, apply: Network, network: Pretrained) -> LayerShapes:
    """Returns the layers of the sheets with their shapes; raises WeightsError for a wrong one."""
    shapes = require_layers(apply, network, (config.size, config.size), config.layers)
    maps = [name for name, shape in shapes.items() if len(shape) == 4 and 0 not in shape]
    for layer in config.layers:
        if layer not in maps:
            raise WeightsError(f"--layers has {layer}; it must have rows and columns")
    known = [layer for layer in LAYERS if layer in maps][:3]
    spaced = [maps[round(place)] for place in np.linspace(0, len(maps) - 1, min(3, len(maps)))]
    return {layer: shapes[layer] for layer in config.layers or known or spaced}


def chosen_channels(config: Config, layer: str, count: int) -> list[int]:
    """Returns the channels of a layer that has `count`; raises WeightsError for a wrong one."""
    for channel in config.channels:
        if channel >= count:
            raise WeightsError(
                f"--channels has {channel}; {layer} has the channels 0 to {count - 1}"
            )
    if config.channels or config.directions or config.random_directions:
        return list(config.channels)
    spaced = np.linspace(0, count - 1, min(config.num_channels, count)).round()
    return [int(channel) for channel in spaced]


def chosen_directions(config: Config, layer: str, count: int) -> dict[str, np.ndarray]:
    """Returns the directions of a layer by their names, each of length 1."""
    directions = {}
    for text in config.directions:
        vector = np.zeros(count, np.float32)
        for channel, weight in parsed_direction(text).items():
            if channel >= count:
                raise WeightsError(
                    f"--directions has {text}; {layer} has the channels 0 to {count - 1}"
                )
            vector[channel] = weight
        directions[f"direction {text}"] = vector
    random = np.random.default_rng(config.seed)
    for index in range(config.random_directions):
        directions[f"random direction {index}"] = random.normal(size=count).astype(np.float32)
    return {name: vector / np.linalg.norm(vector) for name, vector in directions.items()}


def make_units(config: Config, layer: str, shape: tuple[int, ...]) -> tuple[Unit, ...]:
    """Returns the units of a layer's sheet: its channels, then its directions."""
    rows, columns, count = shape[1:]
    middle = rows // 2, columns // 2
    units = []
    for channel in chosen_channels(config, layer, count):
        objective = channel_mean(layer, channel)
        if config.neuron:
            objective = neuron(layer, *middle, channel)
        units.append(Unit(f"channel {channel}", objective))
    along = direction_at(layer, *middle) if config.neuron else direction_mean(layer)
    for name, vector in chosen_directions(config, layer, count).items():
        units.append(Unit(name, along, jnp.asarray(vector)))
    if config.negative:
        return tuple(signed for unit in units for signed in (unit, unit.negative))
    return tuple(units)


def make_sheets(config: Config, layers: LayerShapes) -> tuple[Sheet, ...]:
    """Returns a sheet per layer."""
    sheets, first = [], 0
    for layer, shape in layers.items():
        units = make_units(config, layer, shape)
        sheets.append(Sheet(layer, units, config.images_per_unit, first))
        first = sheets[-1].stop
    return tuple(sheets)


def sheet_columns(config: Config, sheet: Sheet) -> int:
    """Returns the number of images in a row; the images of one channel are in one row."""
    together = config.images_per_unit * (2 if config.negative else 1)
    return min(together * max(1, COLUMNS // together), sheet.stop - sheet.first)


def compared(
    sheet: Sheet, images: np.ndarray, responses: np.ndarray, photos: PhotoResponses
) -> tuple[list[tuple], np.ndarray]:
    """Returns a table row per image, and the percentage of photos that the unit responds less to.

    Args:
        sheet: the units of a layer.
        images: the images of the sheet.
        responses: the response of every unit to every image.
        photos: the responses to the photos.
    """
    places = np.arange(len(images))
    own = responses[places, sheet.unit_indices]
    below = 100.0 * (photos.values[:, sheet.unit_indices] < own).mean(0)
    rows = []
    for place, index in enumerate(sheet.unit_indices):
        unit = sheet.units[index]
        values = unit.sign * photos.values[:, index]
        extreme = values.max() if unit.sign > 0 else values.min()
        numbers = (unit.sign * own[place], values.mean(), extreme, below[place])
        rows.append((sheet.layer, unit.name, *(round(float(number), 4) for number in numbers)))
    return rows, below


def make_judge(
    config: Config,
    apply: Network,
    network: Pretrained,
    sheets: tuple[Sheet, ...],
    photos: list[PhotoResponses],
) -> Callable[[Pictures], Evaluation]:
    """Returns the function that shows the sheets and compares the responses with the photos'."""
    readers = [make_respond(apply, sheet) for sheet in sheets]
    count = len(photos[0].values)

    def judge(images) -> Evaluation:
        result: Evaluation = {}
        rows, percents = [], []
        for sheet, respond, of_photos in zip(sheets, readers, photos, strict=True):
            own = sheet.of(np.asarray(images))
            responses = respond(network.variables, jnp.asarray(own))
            lines, below = compared(sheet, own, responses, of_photos)
            rows += lines
            percents.append(below)
            words = f"{sheet.layer}: {', '.join(unit.name for unit in sheet.units)}"
            columns = sheet_columns(config, sheet)
            result[f"sheet_{sheet.label}"] = Images(own, columns, words)
        below = np.concatenate(percents)
        strong = int((below >= STRONG).sum())
        weak = dict.fromkeys(f"{row[1]} of {row[0]}" for row in rows if row[-1] < 50.0)
        columns = ("layer", "unit", "activation", "photos_mean", "photos_extreme", "percent_below")
        return result | {
            "strong_images": strong / len(below),
            "least_percent_below": float(below.min()),
            "responses": DataTable(columns, tuple(rows), f"beside {count} photos"),
            "compared": f"{strong} of {len(below)} images excite their unit more than "
            f"{STRONG:.0f} % of {count} photos; the weakest more than {below.min():.1f} % of "
            "them",
            "alarm_weak": f"responds to its image less than to most photos: {', '.join(weak)}"
            if weak
            else "",
            **untrained_alarm(network),
        }

    return judge


def reaching_silent_units(network: Pretrained) -> Pretrained:
    """Returns the network with rectifiers whose gradient reaches units that are silent at first."""
    if getattr(network.model, "nonlinearity", None) is None:
        return network
    model = network.model.clone(nonlinearity=redirected(network.model.nonlinearity))
    return network._replace(model=model)


def build(config: Config, library: Library, weights: Weights) -> Experiment:
    library.find_pictures(config.images)  # A missing file is an error before the weights.
    network = weights.load(config.model)
    apply = feature_network(network)
    layers = chosen_layers(config, apply, network)
    sheets = make_sheets(config, layers)
    total, side = sheets[-1].stop, config.size
    pictures = collect_pictures(library, config.images, config.dataset, config.num_pictures, side)
    photos = [
        make_photo_responses(apply, network.variables, sheet, pictures.pixels, side)
        for sheet in sheets
    ]
    print(f"{total} images of {', '.join(layers)} of {network.name}", file=sys.stderr)
    terms = tuple(
        term
        for sheet, of_photos in zip(sheets, photos, strict=True)
        for term in sheet_terms(sheet, of_photos, total, config.diversity)
    )

    def parameterize(height, width):
        return fourier(height, width) if config.fourier else pixels()

    def start(key):
        if not config.fourier:
            return config.noise * jax.random.normal(key, (total, side, side, 3))
        shape = (total, side, side // 2 + 1, 3, 2)
        spectrum = config.noise * jax.random.normal(key, shape)
        return fourier(side, side).decode(spectrum)

    learned = feature_network(reaching_silent_units(network))
    canvas = canvas_size(apply, network, (side, side), list(layers))
    return image_experiment(
        sheets_network(learned, sheets),
        network.variables,
        (Stage(side, side, config.num_steps, terms, canvas=canvas),),
        start,
        from_optax(optax.adam(config.learning_rate)),
        parameterize=parameterize,
        transform=random_placement(config.jitter, config.scale, config.rotation),
        judge=make_judge(config, apply, network, sheets, photos),
        columns=sheet_columns(config, sheets[0]),
    )
