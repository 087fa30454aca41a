"""Classifiers from pretrained encoders and from scratch, with few and many labels: test error in %.

Source: the lecture on autoencoders: the encoder initializes a supervised model, sometimes with
  little data
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext
from lecture_models.tables.trained_cells import TrainedCell

KINDS = {
    "scratch": "scratch",
    "ae": "autoencoder",
    "dae": "denoising autoencoder",
    "sae": "stacked autoencoder",
    "vae": "variational autoencoder",
}
COUNTS = ("100", "1000", "10000", "all")
DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def _cell(dataset: str, count: str, kind: str) -> TrainedCell:
    label = f"{DATASETS[dataset]}, {count} labels, {KINDS[kind]}"
    metric = f"error_{kind}_{count}"
    return TrainedCell(label, None, "encoder_finetune_mnist", metric, "less", dataset)


CELLS = tuple(
    _cell(dataset, count, kind) for dataset in DATASETS for count in COUNTS for kind in KINDS
)


def build(context: TableContext) -> Table:
    notes = (
        "The lecture prints no number, and no other source was confirmed; compare the rows with "
        "each other.",
        '"all" is 50,000 labels. One run fills all rows of a data set for one seed, so all kinds '
        "of encoders are trained on the same labels.",
    )
    return Table(tuple(trained_rows.rows_of_cells(CELLS, trained_rows.reader(context))), notes)
