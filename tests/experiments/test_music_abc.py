import dataclasses

import numpy as np
import pytest

from experiments import music_abc
from experiments.music_abc import Config
from lecture_models.data.abc_tunes import make_tunes
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.evaluators.abc_scores import score_tunes
from lecture_models.tasks.character_model import held_out

SMOKE = Config(**music_abc.SMOKE)
TUNE = "X:1\nT:{}\nM:4/4\nL:1/8\nK:C\nC8|D8|E8|"


def test_texts_that_are_no_tunes_are_refused():
    config = dataclasses.replace(SMOKE, dataset="zen")
    with pytest.raises(DataError, match="zen has no tunes in ABC notation among its test"):
        music_abc.build(config, Library(None, print))
    config = dataclasses.replace(SMOKE, dataset="made_chorales")
    with pytest.raises(DataError, match="--dataset=made_chorales is not a text"):
        music_abc.build(config, Library(None, print))


def test_a_table_of_n_grams_writes_tunes():
    parts = held_out(make_tunes(), "made_tunes")
    tunes = music_abc.count_tunes(dataclasses.replace(SMOKE, sample_length=400), parts)
    assert len(tunes) == SMOKE.num_samples
    assert tunes == music_abc.count_tunes(dataclasses.replace(SMOKE, sample_length=400), parts)
    assert score_tunes(tunes).valid_percent > 90.0


def test_only_valid_tunes_are_played():
    texts = ["no tune", TUNE.format("One"), "", TUNE.format("Two"), TUNE.format("Three")]
    played = music_abc.played_tunes(texts, 2, "tune", "written")
    assert sorted(played) == sorted(
        f"tune_{number}{end}" for number in (0, 1) for end in ("", "_score", "_text")
    )
    assert played["tune_1"].caption == 'written: "Two"'
    samples = played["tune_0"].samples
    assert len(samples) / played["tune_0"].rate == pytest.approx(6.0, abs=0.1)
    assert np.sqrt(np.mean(np.square(samples))) > 0.05
