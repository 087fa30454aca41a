"""Residual networks of 6n + 2 layers and plain networks on CIFAR-10: test error in %.

Source: He et al., 2015, section 4.2, as the README of akamaster/pytorch_resnet_cifar10 lists it
"""

from lecture_models.tables import cifar_cells as cifar
from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext, published

SOURCE = "He et al., 2015, as the README of akamaster/pytorch_resnet_cifar10 lists it"
ERRORS = {20: "8.75", 32: "7.51", 44: "7.17", 56: "6.97", 110: "6.43", 1202: "7.93"}
PLAIN_DEPTHS = (20, 32, 44, 56)
CELLS = (
    *(
        cifar.resnet(f"ResNet-{depth}", published(error, SOURCE), depth)
        for depth, error in ERRORS.items()
    ),
    *(cifar.resnet(f"plain-{depth}", None, depth, residual=False) for depth in PLAIN_DEPTHS),
)


def build(context: TableContext) -> Table:
    notes = (
        "Training images are cropped and mirrored. Shortcuts are those of option A, so a plain "
        "network has the same parameters. No published value was found for plain networks.",
        "6.43 % with 110 layers is the best of the paper's five runs; their mean is 6.61 +- 0.16.",
        "The paper trains 110 layers with a lower initial learning rate. This is --warmup_steps, "
        "which the preset does not set; such runs have a row of their own.",
    )
    return Table(tuple(trained_rows.rows_of_cells(CELLS, trained_rows.reader(context))), notes)
