"""Residual networks of 6n + 2 layers on CIFAR-10, and their plain twins: test error in %.

Source: He et al., 2015, section 4.2, as the README of akamaster/pytorch_resnet_cifar10 lists it
"""

from lecture_models.tables import cifar_cells as cifar
from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext, published

SOURCE = "He et al., 2015, as the README of akamaster/pytorch_resnet_cifar10 lists it"
ERRORS = {20: "8.75", 32: "7.51", 44: "7.17", 56: "6.97", 110: "6.43", 1202: "7.93"}
TWINS = (20, 32, 44, 56)
CELLS = (
    *(
        cifar.resnet(f"ResNet-{depth}", published(error, SOURCE), depth)
        for depth, error in ERRORS.items()
    ),
    *(cifar.resnet(f"plain-{depth}", None, depth, residual=False) for depth in TWINS),
)


def build(context: TableContext) -> Table:
    notes = (
        "Crops and mirror images; shortcuts of option A, so that a plain twin has the same "
        "parameters. For the plain nets no figure is at hand.",
        "The paper begins the training of 110 layers at a lower rate: --warmup_steps, which leaves "
        "the preset and stands beside the cell.",
    )
    return Table(tuple(trained_rows.all_rows(CELLS, trained_rows.reader(context))), notes)
