"""Stochastic depth, Table 1: test error on CIFAR-10, CIFAR-100, SVHN and ImageNet in %.

Source: Huang et al., 2016, Table 1, as Li, Deep Learning 2, Stochastic Depth, prints it
"""

import functools

from lecture_models.tables import cifar_cells as cifar
from lecture_models.tables.printed_grid import PrintedGrid, grid_rows
from lecture_models.tables.table import Table, TableContext

COLUMNS = ("CIFAR10+", "CIFAR100+", "SVHN", "ImageNet")
CONSTANT, STOCHASTIC = "ResNet with constant depth", "ResNet with stochastic depth"
PRINTED = {
    "Maxout": "9.38 - 2.47 -",
    "DropConnect": "9.32 - 1.94 -",
    "Net in Net": "8.81 - 2.35 -",
    "Deeply Supervised": "7.97 - 1.92 33.70",
    "Frac. Pool": "- 27.62 - -",
    "All-CNN": "7.25 - - 41.20",
    "Learning Activation": "7.51 30.83 - -",
    "R-CNN": "7.09 - 1.77 -",
    "Scalable BO": "6.37 27.40 1.77 -",
    "Highway Network": "7.60 32.24 - -",
    "Gen. Pool": "6.05 - 1.69 28.02",
    CONSTANT: "6.41 27.76 1.80 21.78",
    STOCHASTIC: "5.25 24.98 1.75 21.98",
}
SOURCE = "Huang et al., Table 1, as Li, Deep Learning 2, Stochastic Depth, prints it"
ABSENT = "no experiment here has ImageNet"
AUGMENTED = functools.partial(functools.partial, cifar.cell, config=cifar.AUGMENTED)
NETWORKS = {
    "Net in Net": AUGMENTED(experiment="network_in_network_cifar10"),
    "All-CNN": AUGMENTED(experiment="all_convolutional_cifar10"),
    CONSTANT: cifar.constant_depth,
    STOCHASTIC: cifar.stochastic_depth,
}
# The networks of SVHN were trained without augmentation.
ON_SVHN = {
    "Net in Net": functools.partial(
        cifar.cell, experiment="network_in_network_cifar10", config=cifar.PLAIN
    ),
    CONSTANT: functools.partial(cifar.constant_depth, augment=False),
    STOCHASTIC: functools.partial(cifar.stochastic_depth, augment=False),
}
MADE = {
    (method, column): cifar.made_on(make, dataset)
    for column, dataset, networks in (
        ("CIFAR10+", "", NETWORKS),
        ("CIFAR100+", "cifar100", NETWORKS),
        ("SVHN", "svhn_extra", ON_SVHN),
    )
    for method, make in networks.items()
    if PRINTED[method].split()[COLUMNS.index(column)] != "-"
}
GRID = PrintedGrid(COLUMNS, PRINTED, SOURCE, MADE, (CONSTANT, STOCHASTIC), ABSENT)
CELLS = GRID.cells
E3 = (
    "E3: FractalNet's Table 1 prints other values for the same networks: 27.22 and 2.01 with "
    "constant depth, 5.23 and 24.58 with stochastic depth, 7.72 for Highway Networks."
)


def build(context: TableContext) -> Table:
    notes = (
        E3,
        "E10: on ImageNet, the table itself shows stochastic depth to be worse: 21.98 and 21.78.",
        "Constant and stochastic depth have the same recipe: 110 layers, 500 epochs.",
    )
    return Table(tuple(grid_rows(GRID, context)), notes)
