"""Generative adversarial networks: Parzen-window log-likelihood of the test set in nats.

Source: Goodfellow et al., 2014, Table 1
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext, TableRow, published
from lecture_models.tables.trained_cells import TrainedCell

SOURCE = "Goodfellow et al., 2014, Table 1, MNIST; ± is the standard error over images"
FACES = "Goodfellow et al., 2014, Table 1, TFD"
METRIC = "parzen_log_likelihood"
MNIST = (("DBN", "138", 2.0), ("Stacked CAE", "121", 1.6), ("Deep GSN", "214", 1.1))
TFD = (
    ("DBN", "1909", 66.0),
    ("Stacked CAE", "2110", 50.0),
    ("Deep GSN", "1890", 29.0),
    ("Adversarial nets", "2057", 26.0),
)
CELLS = (
    TrainedCell(
        "Adversarial nets",
        published("225", SOURCE, spread=2.0),
        "gan_mnist",
        METRIC,
        "more",
        "mnist",
        decimals=1,
    ),
    TrainedCell("VAE", None, "vae_mnist", METRIC, "more", "mnist", decimals=1),
)


def build(context: TableContext) -> Table:
    absent = "no experiment here"
    rows = (
        *(
            TableRow(label, published(nats, SOURCE, spread=spread), None, absent)
            for label, nats, spread in MNIST
        ),
        *trained_rows.rows_of_cells(CELLS, trained_rows.reader(context)),
        *(
            TableRow(f"TFD: {label}", published(nats, FACES, spread=spread), None, absent)
            for label, nats, spread in TFD
        ),
    )
    notes = (
        "As in the authors' code, 10,000 samples in [0, 1] are used and the bandwidth is chosen on "
        "validation images. Our spread is over seeds, the published one over images.",
        "The estimate has a high variance and favors smooth samples: 10,000 training images "
        "score 241.2.",
    )
    return Table(rows, notes)
