"""Autoencoders beside PCA: squared error of a test image from a code of 30 numbers.

Source: Hinton and Salakhutdinov, 2006
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Row, Table, TableContext, published
from lecture_models.tables.trained_cells import Cell

SOURCE = "Hinton and Salakhutdinov, 2006, MNIST, 30 code units"
FACES = "Hinton and Salakhutdinov, 2006, Olivetti faces, 30 code units"


def _cell(what: str, printed: str, experiment: str, metric: str, *config) -> Cell:
    paper = published(printed, SOURCE) if printed else None
    return Cell(what, paper, experiment, metric, "less", "mnist", config)


def _deep(what: str, printed: str, *config) -> Cell:
    return _cell(what, printed, "deep_ae_mnist", "squared_error", ("code_dim", 30), *config)


def _has_30(config: dict) -> bool:
    return 30 in config.get("code_dims", ())


DEEP = ("hidden", (1000, 500, 250)), ("channels", ())
CELLS = (
    # Where nothing was published, or where it has no recipe as PCA, the defaults are the recipe.
    _cell("PCA", "13.87", "linear_ae_mnist", "pca_squared_error_30")._replace(
        accepts=_has_30, preset="default"
    ),
    _cell("linear autoencoder", "", "linear_ae_mnist", "squared_error_30")._replace(
        accepts=_has_30, preset="default"
    ),
    _deep("deep autoencoder, 1000-500-250", "3.00", *DEEP),
    _deep("one layer with a sigmoid", "", ("hidden", ()), ("sigmoid_code", True))._replace(
        preset="default"
    ),
    _deep("convolutions, 32-64", "", ("channels", (32, 64)))._replace(preset="default"),
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
        *trained_rows.all_rows(CELLS, trained_rows.reader(context)),
        Row("logistic PCA", published("8.01", SOURCE), None, "no experiment here", better="less"),
        *(
            Row(f"faces: {what}", published(error, FACES), None, "no experiment here")
            for what, error in (("deep autoencoder", "126"), ("PCA", "135"))
        ),
    )
    notes = (
        "Pixels are in [0, 1]; the figure is the mean over test images of the sum over pixels.",
        "The published figures are of fits to 60,000 images; PCA is fitted to as many here, the "
        "defaults of the autoencoders to 50,000, --preset=paper to all.",
        "PCA has no seed: its spread is that of arithmetic.",
    )
    return Table(rows, notes)
