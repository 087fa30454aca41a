import numpy as np
import pytest

from experiments import spoken_sentences as experiment
from lecture_models.metrics.word_errors import WordErrors
from lecture_models.tasks.sentence_training import Heard, Sentences


@pytest.fixture
def judged():
    samples = np.random.default_rng(0).normal(0.0, 0.1, (3, 2_000)).astype(np.float32)
    words = np.array([[0, 1], [1, 1], [0, 0]], np.int32)
    return Sentences(samples, np.full(3, 2_000, np.int32), words, np.array([2, 2, 1], np.int32))


@pytest.fixture
def heard():
    paths = np.array([[1, 0, 2, 0], [2, 2, 2, 2], [1, 1, 0, 0]])
    logits = (9.0 * np.eye(3)[paths]).astype(np.float32)
    return Heard([np.array([0, 1]), np.array([1]), np.array([0])], logits, np.full(3, 4, np.int32))


class State:
    params = None


def test_errors_transcripts_and_players_agree(judged, heard):
    evaluate = experiment.make_evaluate(
        experiment.Config(), ("no", "yes"), judged, lambda params: heard
    )
    results = evaluate(State, None)
    assert results["word_error_percent"] == pytest.approx(20.0)  # One of five words is missing.
    assert results["sentence_error_percent"] == pytest.approx(100.0 / 3)
    assert results["transcripts"].rows == (("no yes", "no yes"), ("yes yes", "yes"), ("no", "no"))
    assert results["wrong_0"].caption == "said: yes yes; heard: yes"
    assert [name for name in results if name.startswith("right_")] == ["right_0", "right_1"]
    assert np.asarray(results["alignment"].pixels).shape == (3, 640, 640, 3)


def test_the_table_counts_each_kind_of_error():
    table = experiment.error_table(WordErrors(1, 2, 3, 40), wrong=4, sentences=9)
    assert [row[1] for row in table.rows] == [40, 1, 2, 3, 9, 4]


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="--features must have at least one value"):
        experiment.Config(features=())
    with pytest.raises(ValueError, match="--tempo is 2.0; it must be from 0.0 to 1.0"):
        experiment.Config(tempo=2.0)
