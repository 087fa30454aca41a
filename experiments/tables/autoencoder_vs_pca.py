"""Autoencoders and PCA: squared error of a test image reconstructed from a code of 30 numbers.

Source: Hinton and Salakhutdinov, 2006
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext, TableRow, published
from lecture_models.tables.trained_cells import TrainedCell

SOURCE = "Hinton and Salakhutdinov, 2006, MNIST, 30 code units"
FACES = "Hinton and Salakhutdinov, 2006, Olivetti faces, 30 code units"


def _cell(label: str, printed: str, experiment: str, metric: str, *config) -> TrainedCell:
    paper = published(printed, SOURCE) if printed else None
    return TrainedCell(label, paper, experiment, metric, "less", "mnist", config)


def _deep(label: str, printed: str, *config) -> TrainedCell:
    return _cell(label, printed, "deep_ae_mnist", "squared_error", ("code_dim", 30), *config)


def _has_code_of_30(config: dict) -> bool:
    return 30 in config.get("code_dims", ())


DEEP = ("hidden", (1000, 500, 250)), ("channels", ())
CELLS = (
    # Without a published value, and for PCA, which has no training, the defaults are the recipe.
    _cell("PCA", "13.87", "linear_ae_mnist", "pca_squared_error_30")._replace(
        accepts=_has_code_of_30, preset="default"
    ),
    _cell("linear autoencoder", "", "linear_ae_mnist", "squared_error_30")._replace(
        accepts=_has_code_of_30, preset="default"
    ),
    _deep("deep autoencoder, 1000-500-250", "3.00", *DEEP),
    _deep("one layer with a sigmoid", "", ("hidden", ()), ("sigmoid_code", True))._replace(
        preset="default"
    ),
    _deep("convolutional autoencoder, 32-64", "", ("channels", (32, 64)))._replace(
        preset="default"
    ),
    _cell(
        "stacked autoencoder, 500-30",
        "",
        "stacked_ae_mnist",
        "squared_error",
        ("hidden", (500, 30)),
    )._replace(preset="default"),
)


def build(context: TableContext) -> Table:
    rows = (
        *trained_rows.rows_of_cells(CELLS, trained_rows.reader(context)),
        TableRow(
            "logistic PCA", published("8.01", SOURCE), None, "no experiment here", better="less"
        ),
        *(
            TableRow(f"faces: {label}", published(error, FACES), None, "no experiment here")
            for label, error in (("deep autoencoder", "126"), ("PCA", "135"))
        ),
    )
    notes = (
        "Pixels are in [0, 1]; the error is summed over pixels and averaged over test images.",
        "The published models were fitted to 60,000 images. Here PCA and --preset=paper use as "
        "many, the defaults of the autoencoders 50,000.",
        "PCA does not depend on the seed: its spread comes from floating-point arithmetic.",
    )
    return Table(rows, notes)
