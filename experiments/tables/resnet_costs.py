"""Residual and plain networks: parameters, and multiply-adds for one image.

Source: He et al., 2015, figure 3, as Li, Deep Learning 2, ResNet prints it; its section 4.2
"""

from lecture_models.metrics.traced_network import COUNTED, TRACED, trace
from lecture_models.models import resnet
from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.tables.table import Table, TableContext, TableRow, published

FIGURE_3 = "Li, Deep Learning 2, ResNet, figure 3"
OPTIONS = "Li, Deep Learning 2, ResNet, shortcuts (A) and (B)"
E9 = "E9: the paper counts multiply-adds; counting both operations doubles the number"
SIDES = (224, 224, 3)
NETWORKS = {
    "plain-18": resnet.PLAIN_18(),
    "plain-34": resnet.PLAIN_34(),
    "ResNet-18, option A": resnet.RESNET_18(projection=False),
    "ResNet-18, option B": resnet.RESNET_18(),
    "ResNet-34, option A": resnet.RESNET_34(projection=False),
    "ResNet-34, option B": resnet.RESNET_34(),
    "ResNet-50": resnet.RESNET_50(),
    "ResNet-101": resnet.RESNET_101(),
    "ResNet-152": resnet.RESNET_152(),
}
FIGURE_3_NETWORKS = ("plain-34", "ResNet-34, option A")
BY_BLOCK = "block by block from 8 and 14 layers"
CIFAR_DEPTHS = (20, 32, 44, 56, 110, 1202)


def build(context: TableContext) -> Table:
    costs = {name: trace(model, *SIDES) for name, model in NETWORKS.items()}
    rows = []
    for name, net in costs.items():
        # Figure 3 has one residual network of 34 layers; only the cost of option A rounds to 3.6 G.
        paper = published("3.6 G", FIGURE_3) if name in FIGURE_3_NETWORKS else None
        rows += [
            TableRow(f"{name}: parameters", None, net.num_params, COUNTED),
            TableRow(f"{name}: multiply-adds", paper, net.multiply_adds, TRACED),
        ]
    plain, option_a, option_b = (
        costs[name].num_params
        for name in ("plain-34", "ResNet-34, option A", "ResNet-34, option B")
    )
    flops = 2 * costs["ResNet-34, option A"].multiply_adds
    rows += [
        TableRow("option A: added parameters", published("0", OPTIONS), option_a - plain, COUNTED),
        TableRow("option B, 34 layers: added parameters", None, option_b - plain, COUNTED),
        TableRow(
            "ResNet-34, option A: multiplications and additions",
            published("3.6 G", FIGURE_3),
            flops,
            "twice the multiply-adds",
            erratum=E9,
        ),
        *_cifar(),
    ]
    return Table(tuple(rows), ("Only convolutions and matrix products count as multiply-adds.",))


def _cifar() -> list[TableRow]:
    # Six more layers are one more block in each stage, like the one before it. So two networks
    # describe all; to trace 1,202 layers takes half a minute.
    first, second = (trace(cifar_resnet(depth), 32, 32, 3) for depth in (8, 14))
    rows = []
    for depth in CIFAR_DEPTHS:
        more = (depth - 8) // 6
        params = first.num_params + more * (second.num_params - first.num_params)
        products = first.multiply_adds + more * (second.multiply_adds - first.multiply_adds)
        rows += [
            TableRow(f"CIFAR ResNet-{depth}: parameters", None, params, f"{COUNTED}, {BY_BLOCK}"),
            TableRow(
                f"CIFAR ResNet-{depth}: multiply-adds", None, products, f"{TRACED}, {BY_BLOCK}"
            ),
        ]
    return rows
