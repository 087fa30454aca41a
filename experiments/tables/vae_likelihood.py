"""Variational autoencoders on binarized MNIST: minus log-likelihood of the test set, in nats.

Source: Burda et al., 2016, Table 1, as the README of nbip/IWAE lists it; pythae's reproductions
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Published, Row, Table, TableContext, published
from lecture_models.tables.trained_cells import Cell

BURDA = "Burda et al., 2016, Table 1, 5,000 samples, as the README of nbip/IWAE lists it"
PYTHAE = "the paper's figure, 200 samples, in pythae's table of reproductions"
ONE_LAYER = (("static_binarization", False),)


def _cell(what: str, printed: Published | None, config: tuple, metric: str = "") -> Cell:
    name = metric or "negative_log_likelihood"
    return Cell(what, printed, "vae_mnist", name, "less", "mnist", config)


CELLS = (
    _cell(
        "VAE, k = 1, one layer",
        published("86.76", BURDA),
        (*ONE_LAYER, ("importance_samples", 1)),
    ),
    *(
        _cell(
            f"IWAE, k = {k}, one layer",
            published(nats, BURDA),
            (*ONE_LAYER, ("importance_samples", k)),
        )
        for k, nats in ((5, "85.54"), (50, "84.78"))
    ),
    _cell(
        "VAE, static_binarization bits", published("89.9", PYTHAE), (("static_binarization", True),)
    )._replace(recipe=None),
)
ELSEWHERE = (
    *((f"VAE, k = {k}, one layer", nats) for k, nats in ((5, "86.47"), (50, "86.35"))),
    *(
        (f"IWAE, k = {k}, two layers", nats)
        for k, nats in ((1, "85.33"), (5, "83.89"), (50, "82.90"))
    ),
)


def build(context: TableContext) -> Table:
    absent = "no experiment here: k samples of the plain bound, or two stochastic layers"
    rows = (
        *trained_rows.all_rows(CELLS, trained_rows.reader(context)),
        *(Row(what, published(nats, BURDA), None, absent) for what, nats in ELSEWHERE),
    )
    notes = (
        "One latent layer of 50 units. The preset trains for 3,280 epochs and estimates on all "
        "10,000 test images, the defaults for 60 and on 1,000.",
        "Static bits are drawn once with our seed: not the file that the published figure is of.",
    )
    return Table(rows, notes)
