"""Generative adversarial nets: Parzen-window log-likelihood of the test set, in nats.

Source: Goodfellow et al., 2014, Table 1
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Row, Table, TableContext, published
from lecture_models.tables.trained_cells import Cell

SOURCE = "Goodfellow et al., 2014, Table 1, MNIST; spread is the standard error over images"
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
    Cell(
        "Adversarial nets",
        published("225", SOURCE, spread=2.0),
        "gan_mnist",
        METRIC,
        "more",
        "mnist",
        decimals=1,
    ),
    Cell("VAE", None, "vae_mnist", METRIC, "more", "mnist", decimals=1),
)


def build(context: TableContext) -> Table:
    absent = "no experiment here"
    rows = (
        *(
            Row(what, published(nats, SOURCE, spread=spread), None, absent)
            for what, nats, spread in MNIST
        ),
        *trained_rows.all_rows(CELLS, trained_rows.reader(context)),
        *(
            Row(f"TFD: {what}", published(nats, FACES, spread=spread), None, absent)
            for what, nats, spread in TFD
        ),
    )
    notes = (
        "10,000 samples in [0, 1], the bandwidth chosen on validation images, as the authors' "
        "code; our spread is over seeds, another thing than the published one.",
        "The estimate has a high variance and favors smooth samples: 10,000 training images "
        "score 241.2.",
    )
    return Table(rows, notes)
