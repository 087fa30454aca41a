"""Stochastic depth: survival probability of each block, expected depth, training time saved.

Source: Huang et al., 2016, figure 2, Tables 1 and 2, as Li, Deep Learning 2 prints them
"""

import re

from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.nn.stochastic_depth import expected_depth
from lecture_models.tables.table import Table, TableContext, TableRow, published

FIGURE_2 = "Li, Deep Learning 2, Stochastic Depth, figure 2: p_0 = 1, p_L = 0.5"
HOURS = {
    "CIFAR10+": ("20h 42m", "15h 7m"),
    "CIFAR100+": ("20h 51m", "15h 20m"),
    "SVHN": ("33h 43m", "25h 33m"),
}
# Table 1: test error with constant and with stochastic depth, in %.
ERRORS = {
    "CIFAR10+": (6.41, 5.25),
    "CIFAR100+": (27.76, 24.98),
    "SVHN": (1.80, 1.75),
    "ImageNet": (21.78, 21.98),
}
E10 = "E10: on ImageNet, stochastic depth is worse in the paper's own table"


def build(context: TableContext) -> Table:
    net = cifar_resnet(110, final_survival=0.5)
    survival = net.survival
    last = len(survival)
    depth = expected_depth(survival)
    rows = [
        TableRow(
            f"p_{number}",
            published("0.5", FIGURE_2) if number == last else None,
            probability,
            "field of the network",
            decimals=4,
        )
        for number, probability in enumerate(survival, start=1)
    ]
    rows += [
        TableRow(
            "number of blocks L of the network of 110 layers", None, last, "field of the network"
        ),
        TableRow("expected depth, blocks", None, depth, "sum of the p_l"),
        TableRow(
            "blocks dropped on average, %",
            None,
            100 * (1 - depth / last),
            "from the expected depth",
        ),
        *(_saving(name, *hours) for name, hours in HOURS.items()),
        *(_gain(name, *errors) for name, errors in ERRORS.items()),
    ]
    notes = (
        "p_l = 1 - (l / L)(1 - p_L); the input, l = 0, is never dropped.",
        "Times and errors are those of the paper; none were measured here.",
    )
    return Table(tuple(rows), notes)


def _saving(name: str, constant: str, stochastic: str) -> TableRow:
    saved = 100 * (1 - minutes(stochastic) / minutes(constant))
    how = f"from Table 2: {stochastic} instead of {constant}"
    return TableRow(f"training time saved on {name}, %", None, saved, how)


def minutes(printed: str) -> int:
    """Returns the minutes of a time such as "20h 42m"."""
    hours, minutes = map(int, re.fullmatch(r"(\d+)h (\d+)m", printed).groups())
    return 60 * hours + minutes


def _gain(name: str, constant: float, stochastic: float) -> TableRow:
    change = stochastic - constant
    how = f"from Table 1: {stochastic:.2f} - {constant:.2f}"
    erratum = E10 if change > 0 else ""
    return TableRow(
        f"change of the error on {name}, percentage points", None, change, how, erratum=erratum
    )
