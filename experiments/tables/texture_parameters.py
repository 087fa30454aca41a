"""Texture models: number of parameters in the Gram matrices of VGG-19's feature maps.

Source: the lecture on inversion and style, texture generation: rows A and B of the figure (Gatys,
  Ecker and Bethge, 2015)
"""

import re
from collections.abc import Iterable

from lecture_models.image_space.texture import num_parameters
from lecture_models.metrics.traced_network import TracedNetwork, trace
from lecture_models.models.alexnet import AlexNetOneTower
from lecture_models.models.vgg import VGG_E
from lecture_models.tables.table import PublishedValue, Table, TableContext, TableRow

FIGURE = "the lecture on inversion and style, Texture Generation, Results, row A"
TRACED = "C (C + 1) / 2 for C channels, summed over layers of the traced program"
FIVE = ("conv1_1", "pool1", "pool2", "pool3", "pool4")
# Printed number, its value, principal components kept of each layer (0 for all), description.
MODELS = (
    ("~1k", 1_000, 20, "20 components each"),
    ("~10k", 10_000, 64, "64 components each"),
    ("~177k", 177_000, 0, "all channels"),
)
HALF_WIDTH = 500.0  # The printed numbers are rounded to a thousand.


def channels(net: TracedNetwork, layers: Iterable[str], components: int = 0) -> list[int]:
    """Returns each layer's number of channels, or of components if fewer are kept (0 keeps all)."""
    counts = [net.shapes[layer][-1] for layer in layers]
    return [min(count, components or count) for count in counts]


def build(context: TableContext) -> Table:
    net = trace(VGG_E(num_classes=0), 224, 224, 3)
    every_layer = [name for name in net.shapes if re.match("(conv|pool)[1-4]", name)]
    rows = [
        TableRow(
            f"row A: five layers, {kept}",
            PublishedValue(f"{printed} parameters", FIGURE, float(value), HALF_WIDTH),
            num_parameters(channels(net, FIVE, components)),
            TRACED,
        )
        for printed, value, components, kept in MODELS
    ]
    rows.append(
        TableRow(
            "row A: all convolutions and pooling layers up to pool4",
            PublishedValue("~852k parameters", FIGURE, 852e3, HALF_WIDTH),
            num_parameters(channels(net, every_layer)),
            TRACED,
        )
    )
    for depth, layer in enumerate(FIVE, start=1):
        count = num_parameters(channels(net, FIVE[:depth]))
        label = f"layers up to {layer}" if depth > 1 else f"only {layer}"
        rows.append(TableRow(label, None, count, TRACED))
    rows.append(_caffenet())
    notes = (
        f"The five layers are {', '.join(FIVE)} with {channels(net, FIVE)} channels. The "
        "components kept are the leading ones of each layer.",
    )
    return Table(tuple(rows), notes)


def _caffenet() -> TableRow:
    net = trace(AlexNetOneTower(), 227, 227, 3)
    layers = [f"conv{number}" for number in range(1, 6)]
    count = num_parameters(channels(net, layers))
    return TableRow("row B: CaffeNet, conv1 to conv5", None, count, TRACED)
