"""Polyphonic music: nats per frame of recurrent networks on piano rolls.

Source: Bai et al., 2018, Table 1; hyperparameters of the LSTM from Table 3
"""

from lecture_models.tables import trained_rows
from lecture_models.tables.table import Table, TableContext, TableRow, published
from lecture_models.tables.trained_cells import TrainedCell

SOURCE = "Bai et al., 2018, An empirical evaluation of generic convolutional and recurrent networks"
CELLS_OF = {
    "LSTM": (("gru", False), ("plain_rnn", False)),
    "GRU": (("gru", True), ("plain_rnn", False)),
    "RNN": (("gru", False), ("plain_rnn", True)),
}
SETS = {
    "jsb_chorales": "JSB chorales",
    "nottingham": "Nottingham",
    "piano_midi": "Piano-midi.de",
    "muse_data": "MuseData",
}
PRINTED = {
    ("jsb_chorales", "RNN"): "8.91",
    ("jsb_chorales", "GRU"): "8.43",
    ("jsb_chorales", "LSTM"): "8.45",
    ("nottingham", "RNN"): "4.05",
    ("nottingham", "GRU"): "3.46",
    ("nottingham", "LSTM"): "3.29",
}
TCN = {"jsb_chorales": "8.10", "nottingham": "3.07"}
# What Table 3 states beyond the preset `paper`, which is the LSTM's on JSB chorales.
RECIPES = {
    ("jsb_chorales", "LSTM"): (),
    ("nottingham", "LSTM"): (
        ("num_steps", 69_400),
        ("window", 1_787),
        ("features", (280, 280, 280)),
        ("forget_bias", 1.0),
        ("dropout", 0.1),
        ("learning_rate", 4e-3),
        ("clip_norm", 0.5),
    ),
}


def _cell(dataset: str, kind: str) -> TrainedCell:
    printed = PRINTED.get((dataset, kind))
    return TrainedCell(
        f"{SETS[dataset]}, {kind}",
        None if printed is None else published(printed, SOURCE),
        "music_chorales",
        "test_nats",
        "less",
        dataset,
        CELLS_OF[kind],
        recipe=RECIPES.get((dataset, kind)),
        accepts=lambda config: not config["music"],
    )


CELLS = tuple(
    _cell(dataset, kind)
    for dataset, kinds in (
        ("jsb_chorales", ("RNN", "GRU", "LSTM")),
        ("nottingham", ("RNN", "GRU", "LSTM")),
        ("piano_midi", ("LSTM",)),
        ("muse_data", ("LSTM",)),
    )
    for kind in kinds
)


def build(context: TableContext) -> Table:
    trained = trained_rows.rows_of_cells(CELLS, trained_rows.reader(context))
    rows = [
        # Runs on another of these data sets have rows of their own.
        *(row for row in trained if not any(f"data {name}" in row.label for name in SETS)),
        *(
            TableRow(f"{SETS[name]}, TCN", published(printed, SOURCE), None, "no TCN here")
            for name, printed in TCN.items()
        ),
    ]
    notes = (
        "The sum over all frames of the test pieces but the first of each, divided by their "
        "number; the keys of a frame are independent given the past. RNN-NADE and RNN-RBM "
        "(Boulanger-Lewandowski et al., 2012) model them jointly: not comparable.",
        "Bai et al. print neither which optimizer won nor its rate for the LSTM on JSB chorales, "
        "and no hyperparameters of GRU and RNN, so no run can fill these cells.",
        "Counting without a network: see results/music_chorales.md.",
    )
    return Table(tuple(rows), notes)
