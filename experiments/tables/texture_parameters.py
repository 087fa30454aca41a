"""Parameters of the texture models: numbers in the Gram matrices of VGG-19's maps.

Source: the lecture on inversion and style, texture generation: rows A and B of the figure (Gatys,
  Ecker and Bethge, 2015)
"""

import re
from collections.abc import Iterable

from lecture_models.image_space.texture import num_parameters
from lecture_models.metrics.traced_network import Traced, trace
from lecture_models.models.alexnet import AlexNetOneTower
from lecture_models.models.vgg import VGG_E
from lecture_models.tables.table import Published, Row, Table, TableContext

FIGURE = "the lecture on inversion and style, Texture Generation, Results, row A"
TRACED = "C (C + 1) / 2 of each map, from the traced program"
FIVE = ("conv1_1", "pool1", "pool2", "pool3", "pool4")
# As printed, what it stands for, and the principal components kept of each map; 0 for all.
MODELS = (
    ("~1k", 1_000, 20, "20 components each"),
    ("~10k", 10_000, 64, "64 components each"),
    ("~177k", 177_000, 0, "whole maps"),
)
HALF_WIDTH = 500.0  # They are rounded to a thousand.


def channels(net: Traced, layers: Iterable[str], components: int = 0) -> list[int]:
    found = [net.shapes[layer][-1] for layer in layers]
    return [min(each, components or each) for each in found]


def build(context: TableContext) -> Table:
    net = trace(VGG_E(num_classes=0), 224, 224, 3)
    every_layer = [name for name in net.shapes if re.match("(conv|pool)[1-4]", name)]
    rows = [
        Row(
            f"row A: five layers, {kept}",
            Published(f"{printed} parameters", FIGURE, float(value), HALF_WIDTH),
            num_parameters(channels(net, FIVE, components)),
            TRACED,
        )
        for printed, value, components, kept in MODELS
    ]
    rows.append(
        Row(
            "row A: every convolution and pooling to pool4",
            Published("~852k parameters", FIGURE, 852e3, HALF_WIDTH),
            num_parameters(channels(net, every_layer)),
            TRACED,
        )
    )
    for depth, layer in enumerate(FIVE, start=1):
        count = num_parameters(channels(net, FIVE[:depth]))
        what = f"layers up to {layer}" if depth > 1 else f"{layer} alone"
        rows.append(Row(what, None, count, TRACED))
    rows.append(_caffenet())
    notes = (
        f"The five layers are {', '.join(FIVE)}, of {channels(net, FIVE)} maps; with components, "
        "each map's leading ones.",
    )
    return Table(tuple(rows), notes)


def _caffenet() -> Row:
    net = trace(AlexNetOneTower(), 227, 227, 3)
    layers = [f"conv{number}" for number in range(1, 6)]
    count = num_parameters(channels(net, layers))
    return Row("row B: CaffeNet, conv1 to conv5", None, count, TRACED)
