"""Variational autoencoders on binarized MNIST: negative log-likelihood of the test set in nats.

Source: Burda et al., 2016, Table 1, as the README of nbip/IWAE lists it; pythae's reproductions
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import PublishedValue, Table, TableContext, TableRow, published
from lecture_models.tables.trained_cells import TrainedCell

BURDA = "Burda et al., 2016, Table 1, 5,000 samples, as the README of nbip/IWAE lists it"
PYTHAE = "the paper's value, 200 samples, as pythae's table of reproductions lists it"
ONE_LAYER = (("static_binarization", False),)


def _cell(
    label: str, printed: PublishedValue | None, config: tuple, metric: str = ""
) -> TrainedCell:
    name = metric or "negative_log_likelihood"
    return TrainedCell(label, printed, "vae_mnist", name, "less", "mnist", config)


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
        "VAE, static binarization", published("89.9", PYTHAE), (("static_binarization", True),)
    )._replace(recipe=None),
)
NOT_HERE = (
    *((f"VAE, k = {k}, one layer", nats) for k, nats in ((5, "86.47"), (50, "86.35"))),
    *(
        (f"IWAE, k = {k}, two layers", nats)
        for k, nats in ((1, "85.33"), (5, "83.89"), (50, "82.90"))
    ),
)


def build(context: TableContext) -> Table:
    absent = "no experiment here averages the ELBO over k samples or has two stochastic layers"
    rows = (
        *trained_rows.rows_of_cells(CELLS, trained_rows.reader(context)),
        *(TableRow(label, published(nats, BURDA), None, absent) for label, nats in NOT_HERE),
    )
    notes = (
        "One latent layer has 50 units. --preset=paper trains for 3,280 epochs and estimates on "
        "all 10,000 test images; the defaults train for 60 epochs and estimate on 1,000.",
        "Static binarization is drawn once with our seed; the published value has another draw.",
    )
    return Table(rows, notes)
