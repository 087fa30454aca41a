"""Speech recognition: error rates of deep networks beside Gaussian mixtures, and what is gained.

Source: the fourth lecture, Deep Learning: History, table "deep learning results" (Hinton et al.,
  2012, Deep neural networks for acoustic modeling in speech recognition)
"""

from typing import NamedTuple

from lecture_models.tables.table import Table, TableContext, TableRow, published

SOURCE = "the fourth lecture, Deep Learning: History, deep learning results"


class Task(NamedTuple):
    """Holds a row of the lecture's table.

    Attributes:
        name: the task.
        hours: hours of training data.
        network: error rate of the DNN-HMM in %, as printed.
        mixture: error rate of the GMM-HMM with the same data in %, as printed; "" if none is.
    """

    name: str
    hours: str
    network: str
    mixture: str


TASKS = (
    Task("Switchboard, test set 1", "309", "18.5", "27.4"),
    Task("Switchboard, test set 2", "309", "16.1", "23.6"),
    Task("English Broadcast News", "50", "17.5", "18.8"),
    Task("Bing Voice Search (sentences)", "24", "30.4", "36.2"),
    Task("Google Voice Input", "5,870", "12.3", ""),
    Task("YouTube", "1,400", "47.6", "52.3"),
)


def relative_gain(mixture: str, network: str) -> float:
    """Returns by how many percent of its errors the mixture's system is improved."""
    return 100.0 * (float(mixture) - float(network)) / float(mixture)


def build(context: TableContext) -> Table:
    rows = [row for task in TASKS for row in _rows(task)]
    notes = (
        "Error rates are of words, in the fourth task of whole sentences.",
        "The recordings are licensed or were never published, so nothing was trained here.",
        "The lecture prints no GMM-HMM for Google Voice Input.",
    )
    return Table(tuple(rows), notes)


def _rows(task: Task) -> list[TableRow]:
    how = f"not trained here: {task.hours} hours of speech that cannot be had freely"
    rows = [TableRow(f"{task.name}: DNN-HMM, error, %", published(task.network, SOURCE), None, how)]
    if task.mixture:
        gain = relative_gain(task.mixture, task.network)
        computed = f"from the printed values: ({task.mixture} - {task.network}) / {task.mixture}"
        rows += [
            TableRow(f"{task.name}: GMM-HMM, error, %", published(task.mixture, SOURCE), None, how),
            TableRow(f"{task.name}: fewer errors, %", None, gain, computed, decimals=1),
        ]
    return rows
