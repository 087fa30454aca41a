"""Stochastic depth: the chance of each block, the expected depth, the time saved.

Source: Huang et al., 2016, figure 2, Tables 1 and 2, as Li, Deep Learning 2 prints them
"""

import re

from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.nn.stochastic_depth import expected_depth
from lecture_models.tables.table import Row, Table, TableContext, published

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
E10 = "E10: on ImageNet stochastic depth is worse in its own table"


def build(context: TableContext) -> Table:
    net = cifar_resnet(110, final_survival=0.5)
    survival = net.survival
    last = len(survival)
    depth = expected_depth(survival)
    rows = [
        Row(
            f"p_{number}",
            published("0.5", FIGURE_2) if number == last else None,
            chance,
            "the network's own field",
            decimals=4,
        )
        for number, chance in enumerate(survival, start=1)
    ]
    rows += [
        Row("blocks L of the network of 110 layers", None, last, "the network's own field"),
        Row("expected depth, blocks", None, depth, "sum of the p_l"),
        Row("blocks left out on average, %", None, 100 * (1 - depth / last), "from that sum"),
        *(_saving(name, *hours) for name, hours in HOURS.items()),
        *(_gain(name, *errors) for name, errors in ERRORS.items()),
    ]
    notes = (
        "p_l = 1 - (l / L)(1 - p_L): the input, l = 0, is always there.",
        "Times and errors are the paper's; nothing of them was run here.",
    )
    return Table(tuple(rows), notes)


def _saving(name: str, constant: str, stochastic: str) -> Row:
    saved = 100 * (1 - minutes(stochastic) / minutes(constant))
    how = f"from Table 2: {stochastic} in place of {constant}"
    return Row(f"training time saved on {name}, %", None, saved, how)


def minutes(printed: str) -> int:
    hours, minutes = map(int, re.fullmatch(r"(\d+)h (\d+)m", printed).groups())
    return 60 * hours + minutes


def _gain(name: str, constant: float, stochastic: float) -> Row:
    change = stochastic - constant
    how = f"from Table 1: {stochastic:.2f} less {constant:.2f}"
    erratum = E10 if change > 0 else ""
    return Row(f"change of the error on {name}, points", None, change, how, erratum=erratum)
