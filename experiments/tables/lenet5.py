"""LeNet-5, as taught and as published in 1998: feature maps, parameters, multiply-adds, test error.

Source: LeCun et al., 1998, sections II.B and III.B
"""

from lecture_models.metrics.cost import count_parameters
from lecture_models.metrics.traced_network import COUNTED, TRACED, format_shape, trace
from lecture_models.models.lenet import LeNet5, OriginalLeNet5
from lecture_models.tables import trained_rows
from lecture_models.tables.table import PublishedValue, Table, TableContext, TableRow, published
from lecture_models.tables.trained_cells import TrainedCell

ERROR = TrainedCell(
    label="test error, MNIST, %",
    published=published("0.95 %", "LeCun et al., 1998, LeNet-5 without distortions"),
    experiment="lenet_mnist",
    metric="test_error_percent",
    better="less",
    dataset="mnist",
)
CELLS = (ERROR,)
SECTION = "LeCun et al., 1998, section II.B"
# Trainable parameters by layer, as section II.B prints them; the codes of the output are fixed.
PRINTED_1998 = {
    "C1": "156",
    "S2": "12",
    "C3": "1,516",
    "S4": "32",
    "C5": "48,120",
    "F6": "10,164",
    "total": "60,000",
}
VARIANTS = {"C3 sees all of S2": LeNet5(), "1998": OriginalLeNet5()}


def build(context: TableContext) -> Table:
    rows = []
    for name, model in VARIANTS.items():
        net = trace(model, 28, 28, 1)
        if name == "1998":
            rows += [
                TableRow(
                    f"1998: feature maps of {layer}", None, format_shape(net.shapes[layer]), TRACED
                )
                for layer in ("C1", "S2", "C3", "S4", "C5", "F6", "logits")
            ]
        rows += [
            TableRow(
                f"{name}: parameters of {layer}",
                _printed(name, layer),
                count_parameters(params),
                COUNTED,
            )
            for layer, params in sorted(net.params.items())
        ]
        rows += [
            TableRow(f"{name}: parameters", _printed(name, "total"), net.num_params, COUNTED),
            TableRow(f"{name}: multiply-adds", None, net.multiply_adds, TRACED),
        ]
    rows += trained_rows.rows(ERROR, context)
    notes = (
        "In the network of 1998, C3 is connected to the maps of S2 that Table I lists, subsampling "
        "has a coefficient and a bias for each map, and the codes of the output layer are fixed.",
        "Its C3 runs as a full convolution with zeros for the missing connections, which count as "
        "multiply-adds.",
    )
    return Table(tuple(rows), notes)


def _printed(variant: str, layer: str) -> PublishedValue | None:
    """Returns the printed number of a layer's parameters, or None for what is not printed."""
    if variant != "1998" or layer not in PRINTED_1998:
        return None
    return published(PRINTED_1998[layer], SECTION)
