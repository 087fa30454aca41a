"""FractalNet, Table 1: test error on CIFAR-100, CIFAR-10 and SVHN in %.

Source: Larsson et al., 2016, Table 1, as Li, Deep Learning 2, Fractal Net, prints it
"""

import functools

from lecture_models.tables import cifar_cells as cifar
from lecture_models.tables.printed_grid import PrintedGrid, grid_rows
from lecture_models.tables.table import Table, TableContext

COLUMNS = ("C100", "C100+", "C100++", "C10", "C10+", "C10++", "SVHN")
PRINTED = {
    "Network in Network": "35.68 - - 10.41 8.81 - 2.35",
    "Generalized Pooling": "32.37 - - 7.62 6.05 - 1.69",
    "Recurrent CNN": "31.75 - - 8.69 7.09 - 1.77",
    "Competitive Multi-scale": "27.56 - - 6.87 - - 1.76",
    "FitNet": "- 35.04 - - 8.39 - 2.42",
    "Deeply Supervised": "- 34.57 - 9.69 7.97 - 1.92",
    "All-CNN": "- 33.71 - 9.08 7.25 4.41 -",
    "Highway Network": "- 32.39 - - 7.72 - -",
    "ELU": "- 24.28 - - 6.55 - -",
    "Scalable BO": "- - 27.04 - - 6.37 1.77",
    "Fractional Max-Pooling": "- - 26.32 - - 3.47 -",
    "FitResNet (LSUV)": "- 27.66 - - 5.84 - -",
    "ResNet": "- - - - 6.61 - -",
    "ResNet, constant depth": "44.76 27.22 - 13.63 6.41 - 2.01",
    "ResNet, stochastic depth": "37.80 24.58 - 11.66 5.23 - 1.75",
    "ResNet, identity mapping": "- 22.68 - - 4.69 - -",
    "ResNet in ResNet": "- 22.90 - - 5.01 - -",
    "FractalNet": "35.34 23.30 22.85 10.18 5.22 5.11 2.01",
    "FractalNet+dropout/drop-path": "28.20 23.73 23.36 7.33 4.60 4.59 1.87",
    "Deepest column alone": "29.05 24.32 23.60 7.27 4.68 4.63 1.89",
}
SOURCE = "Larsson et al., Table 1, as Li, Deep Learning 2, Fractal Net, prints it"
OWN = ("FractalNet", "FractalNet+dropout/drop-path", "Deepest column alone")
ABSENT = "no experiment here has the augmentation ++, which the slides do not define"
E3 = (
    "E3: Table 1 of Stochastic Depth prints other values for the same networks: 27.76 and 1.80 "
    "with constant depth, 5.25 and 24.98 with stochastic depth, 7.60 for Highway Networks."
)


# Column -> whether images are augmented, and another data set than CIFAR-10.
MADE_COLUMNS = {
    "C100": (False, "cifar100"),
    "C100+": (True, "cifar100"),
    "C10": (False, ""),
    "C10+": (True, ""),
    "SVHN": (False, "svhn_extra"),
}


def _networks(augment: bool) -> dict:
    """Returns what makes the cell of each method that is an experiment here."""
    config = cifar.AUGMENTED if augment else cifar.PLAIN
    convolutional = functools.partial(functools.partial, cifar.cell, config=config)
    return {
        "Network in Network": convolutional(experiment="network_in_network_cifar10"),
        "All-CNN": convolutional(experiment="all_convolutional_cifar10"),
        "ResNet, constant depth": functools.partial(cifar.constant_depth, augment=augment),
        "ResNet, stochastic depth": functools.partial(cifar.stochastic_depth, augment=augment),
        OWN[0]: functools.partial(cifar.fractalnet, augment=augment),
        OWN[1]: functools.partial(cifar.drop_path, augment=augment),
        OWN[2]: functools.partial(cifar.drop_path, augment=augment, deepest=True),
    }


def _made() -> dict:
    return {
        (method, column): cifar.made_on(make, dataset)
        for column, (augment, dataset) in MADE_COLUMNS.items()
        for method, make in _networks(augment).items()
        if PRINTED[method].split()[COLUMNS.index(column)] != "-"
    }


GRID = PrintedGrid(COLUMNS, PRINTED, SOURCE, _made(), OWN, ABSENT)
CELLS = GRID.cells


def build(context: TableContext) -> Table:
    notes = (
        E3,
        "+ is augmentation by translation and mirroring, ++ by more. The deepest column is a part "
        "of the network with drop-path, so its rows come from the same runs.",
        "The values of ResNet with constant and stochastic depth are those of Huang et al.; 6.61 "
        "and 4.69 are printed without a depth.",
    )
    return Table(tuple(grid_rows(GRID, context)), notes)
