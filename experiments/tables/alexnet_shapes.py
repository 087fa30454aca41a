"""AlexNet: shapes of its layers, units and parameters.

Source: Gong, Deep Learning I, AlexNet; Li, Deep Learning 2, Alexnet (Krizhevsky et al., 2012)
"""

import math

from lecture_models.metrics.traced_network import COUNTED, TRACED, format_shape, trace
from lecture_models.models.alexnet import AlexNet, AlexNetOneTower
from lecture_models.nn.arithmetic import exact_output_size, output_size
from lecture_models.tables.table import Table, TableContext, TableRow, published

SLIDE = "Gong, Deep Learning I, AlexNet"
SIZES = "Li, Deep Learning 2, Alexnet"
PRINTED = (
    ("CONV1", "conv1", "55x55x96"),
    ("MAX POOL1", "pool1", "27x27x96"),
    ("NORM1", "norm1", "27x27x96"),
    ("CONV2", "conv2", "27x27x256"),
    ("MAX POOL2", "pool2", "13x13x256"),
    ("NORM2", "norm2", "13x13x256"),
    ("CONV3", "conv3", "13x13x384"),
    ("CONV4", "conv4", "13x13x384"),
    ("CONV5", "conv5", "13x13x256"),
    ("MAX POOL3", "pool5", "6x6x256"),
    ("FC6", "fc6", "4096"),
    ("FC7", "fc7", "4096"),
    ("FC8", "logits", "1000"),
)
UNITS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "logits")


def build(context: TableContext) -> Table:
    net, tower = trace(AlexNet(), 227, 227, 3), trace(AlexNetOneTower(), 227, 227, 3)
    rows = [
        TableRow(
            f"{label}: shape",
            published(shape, SLIDE)._replace(value=None),
            format_shape(net.shapes[name]),
            TRACED,
            gap=label.startswith("NORM"),
        )
        for label, name, shape in PRINTED
    ]
    units = sum(math.prod(net.shapes[name]) for name in UNITS)
    rows += [
        _positions(),
        TableRow("weight layers", published("8", SLIDE), len(net.kernels()), COUNTED),
        TableRow("units", published("650,000", SIZES, half_width=25_000.0), units, TRACED),
        TableRow(
            "parameters, two groups as in 2012",
            published("60,000,000", SIZES, half_width=5_000_000.0),
            net.num_params,
            COUNTED,
        ),
        TableRow("parameters, one tower", None, tower.num_params, COUNTED),
    ]
    notes = (
        "The slide's simplified network normalizes after pooling; that of 2012, before it, so the "
        "maps of NORM1 and NORM2 are larger here.",
        "The lectures and this table have 227 pixels. The paper states 224, which is not a whole "
        f"number of positions; 227 pixels have {output_size(227, 11, 4)}.",
        "650,000 units and 60,000,000 parameters are rounded: ours is equal within 25,000 units "
        "and 5,000,000 parameters.",
        "Units are the outputs of convolutions and fully connected layers; the input and the "
        "pooling layers are not counted.",
    )
    return Table(tuple(rows), notes)


def _positions() -> TableRow:
    """Applies the first layer to 224 pixels, which `output_size` refuses."""
    exact = exact_output_size(224, 11, 4)
    ours = str(int(exact)) if exact == int(exact) else f"refused: {exact}"
    return TableRow(
        "positions of CONV1 along 224 pixels",
        None,
        ours,
        "nn.arithmetic.output_size",
    )
