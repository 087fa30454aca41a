"""Classifiers from pre-trained encoders and from scratch, on few labels and many: test error, %.

Source: the lecture on autoencoders: the encoder initializes a supervised model, sometimes with
  small data
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext
from lecture_models.tables.trained_cells import Cell

KINDS = {
    "scratch": "scratch",
    "ae": "autoencoder",
    "dae": "denoising autoencoder",
    "sae": "stacked autoencoder",
    "vae": "variational autoencoder",
}
COUNTS = ("100", "1000", "10000", "all")
DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def _cell(dataset: str, count: str, kind: str) -> Cell:
    what = f"{DATASETS[dataset]}, {count} labels, {KINDS[kind]}"
    metric = f"error_{kind}_{count}"
    return Cell(what, None, "encoder_finetune_mnist", metric, "less", dataset)


CELLS = tuple(
    _cell(dataset, count, kind) for dataset in DATASETS for count in COUNTS for kind in KINDS
)


def build(context: TableContext) -> Table:
    notes = (
        "The lecture prints no number, and no figure of another source is confirmed here: the rows "
        "compare with each other.",
        "All labels are 50,000. One run is a whole table for one seed, so that a column's kinds "
        "had the same labels.",
    )
    return Table(tuple(trained_rows.all_rows(CELLS, trained_rows.reader(context))), notes)
