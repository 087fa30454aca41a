"""Losses and penalties of a DCGAN on MNIST: the same generator, about the same time for each.

Source: none; the losses are those of the papers that results/dcgan_mnist.md names
"""

import statistics
from typing import Any, NamedTuple

from experiments import dcgan_mnist
from lecture_models.evaluators.gan import MIN_COVERED_SHARE
from lecture_models.runs.results import FinishedRun, Measurement
from lecture_models.tables import trained_cells, trained_rows
from lecture_models.tables.table import Extra, Table, TableContext, TableRow
from lecture_models.tables.trained_cells import TrainedCell

CLASSES = 10
METRIC = "frechet_distance"


class Game(NamedTuple):
    """Describes a row: its label, and the fields in which it differs from the others.

    The number of steps makes up for the cost of a step, as measured in one process.
    """

    label: str
    fields: dict[str, Any]


# All rows but the second have no batch normalization in D, because a penalty of each image's slope
# needs that. Short runs leave out the support vector machines.
COMMON = {"gradient_penalty": 0.0, "probe_images": 0, "num_steps": 1_500}
HINGE = {"loss": "hinge", "spectral_norm": True}
GAMES = (
    Game("non-saturating", {}),
    Game("non-saturating, batch norm in D", {"batch_norm": True}),
    Game("non-saturating, R1 (as in the defaults)", {"gradient_penalty": 0.5}),
    Game("least squares", {"loss": "least_squares"}),
    Game("hinge, spectral norm", HINGE),
    Game("hinge, spectral norm, D's rate x 4", HINGE | {"discriminator_rate_ratio": 4.0}),
    Game(
        "Wasserstein, weights clipped",
        {"loss": "wasserstein", "weight_clip": 0.01, "critic_steps": 5, "num_steps": 500},
    ),
    Game(
        "Wasserstein, slope penalty (WGAN-GP)",
        {"loss": "wasserstein", "slope_penalty": 10.0, "critic_steps": 5, "num_steps": 300},
    ),
)


def cell_of(game: Game) -> TrainedCell:
    """Returns the runs that fill a row."""
    default = dcgan_mnist.Config()
    options = {*COMMON, *(name for other in GAMES for name in other.fields)}
    fields = {name: getattr(default, name) for name in sorted(options)} | COMMON | game.fields
    config = tuple(fields.items())
    return TrainedCell(
        game.label, None, "dcgan_mnist", METRIC, "less", "mnist", config, preset="default"
    )


CELLS = tuple(cell_of(game) for game in GAMES)


def extras(runs: list[FinishedRun], like: Measurement) -> tuple[Extra, ...]:
    """Returns the further properties of a row, of the runs that fill it."""

    def of_runs(values: list[float]) -> Measurement:
        spread = statistics.stdev(values) if len(values) > 1 else None
        return like._replace(mean=statistics.fmean(values), std=spread, count=len(values))

    modes = [run.metrics["eval/modes_covered"] for run in runs]
    collapsed = sum(covered < MIN_COVERED_SHARE * CLASSES for covered in modes)
    seconds = [
        run.config["num_steps"] / run.steps_per_second for run in runs if run.steps_per_second
    ]
    return (
        Extra("KID", of_runs([run.metrics["eval/kernel_distance"] for run in runs])),
        Extra("modes of 10", of_runs(modes), 1),
        Extra("alarms", f"{collapsed} of {len(runs)}"),
        Extra("steps", runs[0].config["num_steps"]),
        *([Extra("training, s", of_runs(seconds), 0)] if seconds else []),
    )


def build(context: TableContext) -> Table:
    runs = trained_rows.reader(context)("dcgan_mnist")
    rows: list[TableRow] = []
    for cell in CELLS:
        for row in trained_cells.cell_rows(cell, runs, trained_rows.module_of):
            if isinstance(row.ours, Measurement):
                own = [run for run in runs if run.name in row.ours.runs]
                row = row._replace(extras=extras(own, row.ours))
            rows.append(row)
    notes = (
        "Ours is the Frechet distance on the features of the shipped classifier, of 10,000 samples "
        "against 10,000 test images.",
        "Few steps, so that a row takes about two minutes of one core: the table compares how fast "
        "the games are learned, not how they end.",
        "An alarm: samples of fewer than 8 digits.",
    )
    return Table(tuple(rows), notes)
