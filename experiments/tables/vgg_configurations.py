"""VGG, configurations A to E: layers, parameters, multiply-adds.

Source: Table 1 of Simonyan and Zisserman, 2015, as the lectures print it; He et al., 2015, figure 3
"""

import collections
import math

from lecture_models.metrics.traced_network import COUNTED, TRACED, TracedNetwork, trace
from lecture_models.models import vgg
from lecture_models.tables.table import Table, TableContext, TableRow, published

TABLE_1 = "Gong, Deep Learning I, VGGNet, ConvNet Configuration"
FIGURE_3 = "Li, Deep Learning 2, ResNet, figure 3"
EXTRACT = "Li, Deep Learning 2, VGG Net, Table 1"
# For each column of Table 1: model, weight layers, convolutions by stage, 1x1 convolutions.
COLUMNS = {
    "A": (vgg.VGG_A, "11", "1, 1, 2, 2, 2", "none"),
    "A-LRN": (vgg.VGG_A_LRN, "11", "1, 1, 2, 2, 2", "none"),
    "B": (vgg.VGG_B, "13", "2, 2, 2, 2, 2", "none"),
    "C": (vgg.VGG_C, "16", "2, 2, 3, 3, 3", "conv1-256, conv1-512, conv1-512"),
    "D": (vgg.VGG_D, "16", "2, 2, 3, 3, 3", "none"),
    "E": (vgg.VGG_E, "19", "2, 2, 4, 4, 4", "none"),
}
SIDES = (224, 224, 3)


def build(context: TableContext) -> Table:
    nets = {name: trace(make(), *SIDES) for name, (make, *_) in COLUMNS.items()}
    rows = []
    for name, (_, layers, stages, pointwise) in COLUMNS.items():
        net = nets[name]
        rows += [
            TableRow(
                f"{name}: weight layers", published(layers, TABLE_1), len(net.kernels()), COUNTED
            ),
            TableRow(f"{name}: convolutions by stage", _as_text(stages), _stages(net), COUNTED),
            TableRow(f"{name}: 1x1 convolutions", _as_text(pointwise), _pointwise(net), COUNTED),
            TableRow(f"{name}: weights and biases", None, net.num_params, COUNTED),
        ]
    rows += _column_d(nets["D"])
    for name, net in nets.items():
        paper = published("19.6 G", FIGURE_3) if name == "E" else None
        rows.append(TableRow(f"{name}: multiply-adds", paper, net.multiply_adds, TRACED))
    notes = ("A and A-LRN have equally many parameters, since LRN has none.",)
    return Table(tuple(rows), notes)


def _as_text(stages: str):
    return published(stages, TABLE_1)._replace(value=None)


def _stages(net: TracedNetwork) -> str:
    counts = collections.Counter(name[4] for name in net.params if name.startswith("conv"))
    return ", ".join(str(count) for _, count in sorted(counts.items()))


def _pointwise(net: TracedNetwork) -> str:
    kernels = [net.params[name]["kernel"].shape for name in net.params if name.startswith("conv")]
    return ", ".join(f"conv1-{shape[3]}" for shape in kernels if shape[:2] == (1, 1)) or "none"


def _column_d(net: TracedNetwork) -> list[TableRow]:
    weights = sum(math.prod(kernel.shape) for kernel in net.kernels())
    source = "Gong, Deep Learning I, VGG16, total params"
    one_each = "E7: this copy lacks one conv3-64 and one conv3-128; 16 layers need two of each"
    return [
        TableRow("D: weights without biases", published("138M", source), weights, COUNTED),
        TableRow(
            "D: convolutions of the first two stages",
            published("1, 1", EXTRACT),
            _stages(net)[:4],
            COUNTED,
            erratum=one_each,
        ),
    ]
