"""Every generative model of MNIST here: nats, distances of samples, modes, times and parameters.

Source: the lecture's taxonomy, explicit, approximate and implicit density; the papers of the rows
"""

import statistics
from typing import NamedTuple

from lecture_models.runs.results import FinishedRun, Measurement, measurements
from lecture_models.tables import trained_cells, trained_rows
from lecture_models.tables.table import (
    Extra,
    PublishedValue,
    Table,
    TableContext,
    TableRow,
    published,
)
from lecture_models.tables.trained_cells import TrainedCell

PIXEL_RNN = "van den Oord et al., 2016, Pixel recurrent neural networks, fixed bits of Larochelle"
BURDA = "Burda et al., 2016, Table 1, bits drawn anew, as the README of nbip/IWAE lists it"
REPOSITORY = "README of EugenHotaj/pytorch-generative, bits drawn anew"
EXACT = "exact"
ESTIMATE = "estimate of 5,000 importance samples"
BASELINES = "density_baselines_mnist"
SPEED = "generative_speed"


class Model(NamedTuple):
    """Describes a row.

    Attributes:
        cell: the runs that fill it, and the metric of its nats, or of its quality if it has none.
        likelihood: "exact", how it was estimated, or "none".
        printed: a published value in nats; None for none.
        prefix: the beginning of the names of its other metrics.
        speed: its name in `generative_speed`; "" if it draws no samples.
    """

    cell: TrainedCell
    likelihood: str
    printed: PublishedValue | None
    prefix: str
    speed: str


def _cell(label: str, experiment: str, metric: str, *config) -> TrainedCell:
    return TrainedCell(label, None, experiment, metric, "less", "mnist", config, preset="default")


def _baseline(label: str, name: str, speed: str) -> Model:
    cell = _cell(label, BASELINES, f"{name}_negative_log_likelihood")
    return Model(cell, EXACT, None, f"{name}_", speed)


NATS = "negative_log_likelihood"
MODELS = (
    _baseline("independent Bernoulli pixels", "independent", "independent"),
    _baseline("mixture of Bernoullis", "mixture", "mixture"),
    _baseline("kernel density of bits", "kernel", ""),
    Model(_cell("MADE", BASELINES, NATS), EXACT, published("84.87", REPOSITORY), "", "made"),
    Model(
        _cell("PixelCNN", "pixelcnn_mnist", NATS, ("gated", False)),
        EXACT,
        published("81.30", PIXEL_RNN),
        "",
        "pixelcnn",
    ),
    Model(
        _cell("gated PixelCNN", "pixelcnn_mnist", NATS, ("gated", True)),
        EXACT,
        published("81.50", REPOSITORY),
        "",
        "gated",
    ),
    Model(
        _cell("PixelRNN, Row LSTM", "pixelrnn_mnist", NATS, ("layer", "row_lstm")),
        EXACT,
        None,
        "",
        "row_lstm",
    ),
    Model(
        _cell("PixelRNN, Diagonal BiLSTM", "pixelrnn_mnist", NATS, ("layer", "diagonal_bilstm")),
        EXACT,
        published("79.20", PIXEL_RNN),
        "",
        "diagonal_bilstm",
    ),
    Model(
        _cell("VAE", "vae_mnist", NATS, ("importance_samples", 1)),
        ESTIMATE,
        published("86.76", BURDA),
        "",
        "vae",
    ),
    Model(
        _cell("IWAE, k = 5", "vae_mnist", NATS, ("importance_samples", 5)),
        ESTIMATE,
        published("85.54", BURDA),
        "",
        "vae",
    ),
    Model(_cell("GAN", "gan_mnist", "frechet_distance"), "none", None, "", "gan"),
    Model(
        _cell(
            *("DCGAN", "dcgan_mnist", "frechet_distance"),
            *(("conditional", False), ("probe_images", 1_000)),  # Not the runs of `gan_losses`.
        ),
        "none",
        None,
        "",
        "dcgan",
    ),
    Model(_cell("linear autoencoder", "linear_ae_mnist", "squared_error_30"), "none", None, "", ""),
)
CELLS = tuple(model.cell for model in MODELS)
SCORES = (("Frechet", "frechet_distance", 2), ("KID", "kernel_distance", 2))


def summarize(values: list[float], like: Measurement) -> Measurement | None:
    """Returns mean and spread of values of the runs of a measurement; None without values."""
    if not values:
        return None
    spread = statistics.stdev(values) if len(values) > 1 else None
    return like._replace(mean=statistics.fmean(values), std=spread, count=len(values))


def extras(model: Model, runs: list[FinishedRun], like: Measurement, speed: list[FinishedRun]):
    """Returns the further properties of a row: of its runs, and of the runs of `generative_speed`.

    Args:
        model: the row.
        runs: the runs that fill it.
        like: their nats.
        speed: the runs of `generative_speed`.
    """

    def of_runs(metric: str) -> Measurement | None:
        names = f"eval/{model.prefix}{metric}"
        return summarize([run.metrics[names] for run in runs if names in run.metrics], like)

    def of_speed(metric: str) -> Measurement | None:
        measured = [found for _, found in measurements(speed, f"{model.speed}_{metric}")]
        return measured[-1] if measured and model.speed else None

    seconds = [
        run.config["num_steps"] / run.steps_per_second
        for run in runs
        if run.steps_per_second and not model.prefix
    ]
    modes, parameters = of_runs("modes_covered"), of_speed("parameters")
    return (
        Extra("likelihood", model.likelihood),
        *(Extra(name, of_runs(metric), decimals) for name, metric, decimals in SCORES),
        Extra("modes of 10", modes, 1),
        Extra("training, s", summarize(seconds, like) or of_speed("seconds_to_fit"), 1),
        Extra("1,000 samples, s", of_speed("seconds_per_1000_samples")),
        Extra("parameters", None if parameters is None else round(parameters.mean)),
    )


def rows_of(model: Model, runs: list[FinishedRun], speed: list[FinishedRun]) -> list[TableRow]:
    """Returns the rows of a model, one for each protocol that was run."""
    rows = []
    for row in trained_cells.cell_rows(model.cell, runs, trained_rows.module_of):
        if isinstance(row.ours, Measurement):
            own = [run for run in runs if run.name in row.ours.runs]
            row = row._replace(
                ours="none" if model.likelihood == "none" else row.ours,
                extras=extras(model, own, row.ours, speed),
            )
        rows.append(row._replace(published=model.printed, gap=model.printed is not None))
    return rows


def build(context: TableContext) -> Table:
    runs_of = trained_rows.reader(context)
    rows = [
        row
        for model in MODELS
        for row in rows_of(model, runs_of(model.cell.experiment), runs_of(SPEED))
    ]
    notes = (
        "Nats are of test images as bits that are drawn once, the same for all rows; exact values "
        "are means over 10,000 test images, estimates over 1,000.",
        "Published values have other bits, more training and larger networks; they are not bars.",
        "Frechet and KID are computed on the features of the shipped classifier, against test "
        "images in gray. Bernoulli, mixture, kernels, MADE, VAE and both GANs draw 10,000 samples, "
        "the pixel networks 1,000, which raises Frechet but not KID. VAE and GANs show gray "
        "values, the others bits.",
        "Training times have the load of their day's machine; a step of all models in one process "
        "and the times of samples are those of generative_speed.",
    )
    return Table(tuple(rows), notes)
