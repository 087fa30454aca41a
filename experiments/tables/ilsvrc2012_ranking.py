"""ILSVRC 2012: the four best teams, and the lead of the only deep network among them.

Source: the fourth lecture, Deep Learning: History, "Object recognition over 1,000,000 images and
  1,000 categories"
"""

from lecture_models.tables.table import Table, TableContext, TableRow, published

SOURCE = "the fourth lecture, Deep Learning: History, Object recognition"
NOT_TRAINED = "not trained here: 1.2 million images"
# Team and top-5 error on the test images, as printed; the first one is a deep network, AlexNet.
TEAMS = (
    ("University of Toronto", "0.15315"),
    ("University of Tokyo", "0.26172"),
    ("University of Oxford", "0.26979"),
    ("Xerox and INRIA", "0.27058"),
)


def build(context: TableContext) -> Table:
    first, *others = (float(error) for _, error in TEAMS)
    rows = [
        TableRow(f"rank {rank}: {team}, error", published(error, SOURCE), None, NOT_TRAINED)
        for rank, (team, error) in enumerate(TEAMS, start=1)
    ]
    computed = "from the printed values"
    rows += [
        TableRow("lead of rank 1 over rank 2", None, others[0] - first, computed, decimals=5),
        TableRow(
            "rank 1: fewer errors than rank 2, %",
            None,
            100.0 * (1.0 - first / others[0]),
            computed,
            decimals=1,
        ),
        TableRow(
            "distance from rank 2 to rank 4", None, others[-1] - others[0], computed, decimals=5
        ),
    ]
    notes = (
        "The lecture does not say so: an image counts as an error if its class is not among the "
        "five that the system names.",
        "The shapes and parameters of the first rank's network are in alexnet_shapes; pretrained "
        "networks of this project are judged in pretrained_accuracy.",
    )
    return Table(tuple(rows), notes)
