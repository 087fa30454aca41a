import dataclasses

import mido
import pytest

from experiments import music_chorales
from experiments.music_chorales import Config
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library

SMOKE = Config(**music_chorales.SMOKE)


def build(**changes):
    return music_chorales.build(dataclasses.replace(SMOKE, **changes), Library(None, print))


def test_only_one_kind_of_cell_can_be_asked_for():
    with pytest.raises(ValueError, match="--gru and --plain_rnn are both given; there is one kind"):
        Config(gru=True, plain_rnn=True)
    cells = [
        music_chorales.make_model(Config(**{name: True})).cell.name for name in ("gru", "plain_rnn")
    ]
    assert cells == ["GRU", "RNN"]
    assert music_chorales.make_model(Config()).cell.name == "LSTM"


def test_data_that_are_no_rolls_are_refused():
    with pytest.raises(DataError, match="--dataset=zen has no piano rolls"):
        build(dataset="zen")


def test_a_prompt_must_be_music(tmp_path):
    with pytest.raises(DataError, match="--prompt=.* is not a file; it must be a MIDI file"):
        build(prompt=str(tmp_path / "none.mid"))
    path = tmp_path / "silent.mid"
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(path)
    with pytest.raises(DataError, match="silent.mid has no notes to read"):
        build(prompt=str(path))


def test_the_papers_optimizer_has_a_rate_that_can_fall():
    optimizer = music_chorales.make_optimizer(Config(**music_chorales.PAPER))
    assert float(optimizer.init({"weight": 1.0})[-1].factor) == 1.0
    assert not hasattr(music_chorales.make_optimizer(Config()).init({"weight": 1.0})[-1], "factor")
