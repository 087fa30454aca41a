"""Speech recognition: error rates of deep networks beside Gaussian mixtures, and what is gained.

Source: the fourth lecture, Deep Learning: History, table "deep learning results" (Hinton et al.,
  2012, Deep neural networks for acoustic modeling in speech recognition); below it, run here, the
  same kinds of systems on spoken digits
"""

from typing import Any, NamedTuple

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext, TableRow, number, published
from lecture_models.tables.trained_cells import TrainedCell

Fields = tuple[tuple[str, Any], ...]

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

MIXTURES, NETWORKS, ERROR = "mixture_error_percent", "network_error_percent", "error_percent"
# The settings that were chosen for unknown speakers.
FOR_UNKNOWN = (("pitch", 0.15), ("tempo", 0.2), ("loudest_noise", 20.0), ("num_steps", 2_100))


def _digits(
    protocol: str, label: str, experiment: str, metric: str, config: Fields, recipe: Fields = ()
) -> TrainedCell:
    config = (*config, ("leave_speakers_out", protocol == UNKNOWN))
    name = f"spoken digits, {protocol}: {label}, error, %"
    return TrainedCell(
        name, None, experiment, metric, "less", "fsdd", config, recipe=recipe, preset="default"
    )


KNOWN, UNKNOWN = "known speakers", "each speaker unknown"
LSTM, SPECTRUM = (("lstm", True),), (("lstm", False), ("waveform", False))
CELLS = (
    *(
        _digits(protocol, label, "spoken_digits_hmm", metric, (), recipe)
        for protocol, recipe in ((KNOWN, ()), (UNKNOWN, (("num_steps", 2_400),)))
        for label, metric in (("GMM-HMM", MIXTURES), ("DNN-HMM", NETWORKS))
    ),
    _digits(KNOWN, "LSTM", "spoken_digits", ERROR, LSTM, (("num_steps", 500),)),
    _digits(KNOWN, "convolutions", "spoken_digits", ERROR, SPECTRUM),
    _digits(UNKNOWN, "convolutions", "spoken_digits", ERROR, SPECTRUM, FOR_UNKNOWN),
)


def relative_gain(mixture: str, network: str) -> float:
    """Returns by how many percent of its errors the mixture's system is improved."""
    return 100.0 * (float(mixture) - float(network)) / float(mixture)


def build(context: TableContext) -> Table:
    rows = [row for task in TASKS for row in _rows(task)]
    runs_of = trained_rows.reader(context)
    digits = [row for cell in CELLS for row in trained_rows.rows_of_cells([cell], runs_of)]
    rows += [*digits, *_gains(digits)]
    notes = (
        "Error rates are of words, in the fourth task of whole sentences.",
        "The recordings of these tasks are licensed or were never published, so nothing was "
        "trained on them here.",
        "Spoken digits are those of the Free Spoken Digit Dataset. The mixtures' alignments teach "
        "the DNN-HMM, as in the paper; the other networks need none.",
        "The lecture prints no GMM-HMM for Google Voice Input.",
    )
    return Table(tuple(rows), notes)


def _gains(digits: list[TableRow]) -> list[TableRow]:
    """Returns the gain of each network over the mixtures of its protocol, where both were run."""
    gains = []
    for protocol in (KNOWN, UNKNOWN):
        own = [row for row in digits if protocol in row.label and row.ours is not None]
        mixtures = [row for row in own if ": GMM-HMM," in row.label]
        for row in own:
            if not mixtures or row in mixtures:
                continue
            errors = number(mixtures[0].ours), number(row.ours)
            label = row.label.replace(", error, %", ", fewer errors than GMM-HMM, %")
            how = f"({errors[0]:.2f} - {errors[1]:.2f}) / {errors[0]:.2f}"
            gain = relative_gain(str(errors[0]), str(errors[1]))
            gains.append(TableRow(label, None, gain, how, decimals=1))
    return gains


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
