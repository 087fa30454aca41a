"""VGG-16, layer by layer: activations in memory for one image, and weights.

Source: Gong, Deep Learning I, slide VGG16 (22 rows and two totals)
"""

import math

from lecture_models.metrics.traced_network import COUNTED, TRACED, format_shape, trace
from lecture_models.models import vgg
from lecture_models.tables.table import PublishedValue, Table, TableContext, TableRow, published

SLIDE = "Gong, Deep Learning I, VGG16"
# Printed layer, shape, memory and weights; name of our activation and layer.
PRINTED = (
    ("INPUT", "224x224x3", "150K", "0", ""),
    ("CONV3-64", "224x224x64", "3.2M", "1,728", "conv1_1"),
    ("CONV3-64", "224x224x64", "3.2M", "36,864", "conv1_2"),
    ("POOL2", "112x112x64", "800K", "0", "pool1"),
    ("CONV3-128", "112x112x128", "1.6M", "73,728", "conv2_1"),
    ("CONV3-128", "112x112x128", "1.6M", "147,456", "conv2_2"),
    ("POOL2", "56x56x128", "400K", "0", "pool2"),
    ("CONV3-256", "56x56x256", "800K", "294,912", "conv3_1"),
    ("CONV3-256", "56x56x256", "800K", "589,824", "conv3_2"),
    ("CONV3-256", "56x56x256", "800K", "589,824", "conv3_3"),
    ("POOL2", "28x28x256", "200K", "0", "pool3"),
    ("CONV3-512", "28x28x512", "400K", "1,179,648", "conv4_1"),
    ("CONV3-512", "28x28x512", "400K", "2,359,296", "conv4_2"),
    ("CONV3-512", "28x28x512", "400K", "2,359,296", "conv4_3"),
    ("POOL2", "14x14x512", "100K", "0", "pool4"),
    ("CONV3-512", "14x14x512", "100K", "2,359,296", "conv5_1"),
    ("CONV3-512", "14x14x512", "100K", "2,359,296", "conv5_2"),
    ("CONV3-512", "14x14x512", "100K", "2,359,296", "conv5_3"),
    ("POOL2", "7x7x512", "25K", "0", "pool5"),
    ("FC", "1x1x4096", "4096", "102,760,448", "fc6"),
    ("FC", "1x1x4096", "4096", "16,777,216", "fc7"),
    ("FC", "1x1x1000", "1000", "4,096,000", "fc8"),
)
E1 = "E1: the rows above sum to {} values, {:.0f} MB in float32, not to 24M"


def build(context: TableContext) -> Table:
    net = trace(vgg.VGG_D(), 224, 224, 3)
    shapes = net.shapes | {"": (224, 224, 3), "fc8": net.shapes["logits"]}
    rows, held, weights = [], 0, 0
    for number, (layer, shape, memory, params, name) in enumerate(PRINTED, start=1):
        ours = shapes[name] if len(shapes[name]) == 3 else (1, 1, *shapes[name])
        values, kernel = math.prod(ours), net.params.get(name)
        own = math.prod(kernel["kernel"].shape) if kernel else 0
        held, weights = held + values, weights + own
        label = f"{number} {layer}{f' {name}' if name else ''}"
        rows += [
            TableRow(f"{label}: shape", published(shape, SLIDE), format_shape(ours), TRACED),
            TableRow(f"{label}: values", published(memory, SLIDE), values, TRACED),
            TableRow(f"{label}: weights", published(params, SLIDE), own, COUNTED),
        ]
    why = E1.format(f"{held:,}", 4 * held / 1e6)
    megabytes = PublishedValue("93MB", SLIDE, 93e6, 0.5e6)
    rows += [
        TableRow("total: values", published("24M", SLIDE), held, "sum of the rows", erratum=why),
        TableRow(
            "total: bytes, float32", megabytes, 4 * held, "four times the values", erratum=why
        ),
        TableRow("total: weights", published("138M", SLIDE), weights, "sum of the rows"),
    ]
    notes = ("As on the slide, values are those of one forward pass and biases are not counted.",)
    return Table(tuple(rows), notes)
