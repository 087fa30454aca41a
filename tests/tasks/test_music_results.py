import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.made_chorales import make
from lecture_models.data.midi_files import parse_midi
from lecture_models.data.notes import notes_roll
from lecture_models.data.ragged import Ragged
from lecture_models.models.roll_rnn import RollRNN
from lecture_models.tasks.music_results import (
    Pace,
    Sampling,
    before_and_after,
    counting_baselines,
    samples,
    sounds_and_scores,
    transposed_table,
)

MODEL = RollRNN((3,))


@pytest.fixture(scope="module")
def params():
    return MODEL.init(jax.random.key(0), jnp.zeros((1, 1, 88)))["params"]


@pytest.fixture(scope="module")
def dataset():
    return make()


def test_no_pair_of_frames_reaches_from_one_piece_into_the_next():
    pieces = Ragged.from_sequences([np.full((3, 2), 1), np.full((2, 2), 2)])
    before, after = before_and_after(pieces)
    assert before[:, 0].tolist() == [1, 1, 2]
    assert after[:, 0].tolist() == [1, 1, 2]


def test_last_states_say_more_than_shares(dataset):
    last, share = counting_baselines(dataset.train["frames"], dataset.test["frames"]).values()
    assert last.per_frame < share.per_frame < 88 * np.log(2)
    assert last.frames.tolist() == (dataset.test["frames"].lengths - 1).tolist()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "last", "share"), [("jsb_chorales", 10.49, 11.09), ("nottingham", 5.15, 10.26)]
)
def test_counting_costs_on_published_sets_what_was_computed_elsewhere(real_data, name, last, share):
    try:
        found = Library(real_data, print).load(name)
    except DataError:
        pytest.skip(f"{name} is absent")
    counted = counting_baselines(found.train["frames"], found.test["frames"])
    assert [round(nats.per_frame, 2) for nats in counted.values()] == [last, share]


def test_a_sound_is_moved_and_cut_to_half_a_minute(dataset, tmp_path):
    roll = np.tile(dataset.test["frames"][0], (10, 1))
    made = sounds_and_scores("a", roll, Pace(1.0, 0.5, shift=-12), "words")
    assert sorted(made) == ["a", "a_score"]
    assert len(made["a"].samples) / made["a"].rate == pytest.approx(30.0, abs=0.2)
    notes = parse_midi(made["a_score"].content, tmp_path / "a.mid").notes
    assert (notes_roll(notes)[:, :-12] == roll[:60, 12:]).all()


def test_samples_stand_beside_a_real_piece_and_noise(params, dataset):
    sampling = Sampling(2, 5, 1.0)
    made = samples(MODEL, params, dataset, sampling, Pace(1.0, 0.1), jax.random.key(0))
    names = ("real", "sample_0", "sample_1", "noise")
    assert sorted(made) == sorted([*names, *(f"{name}_score" for name in names), "rolls"])
    for name in names:
        assert np.sqrt(np.mean(np.square(made[name].samples))) > 0.01


def test_a_sample_begins_with_the_users_own_piece(params, dataset, tmp_path):
    prompt = dataset.test["frames"][3][:4]
    sampling = Sampling(1, 3, 1.0, prompt)
    made = samples(MODEL, params, dataset, sampling, Pace(1.0, 0.1), jax.random.key(0))
    notes = parse_midi(made["sample_0_score"].content, tmp_path / "a.mid").notes
    assert (notes_roll(notes)[:4] == prompt).all()
    assert made["sample_0"].caption.endswith("continues your piece")


def test_only_pieces_that_stay_on_the_piano_are_transposed(params):
    low, middle = np.zeros((3, 88), np.uint8), np.zeros((3, 88), np.uint8)
    low[:, 1], middle[:, 40] = 1, 1
    table = transposed_table(MODEL, params, Ragged.from_sequences([low, middle]))
    assert [(row[0], row[2]) for row in table.rows] == [(-2, 1), (-1, 2), (0, 2), (1, 2), (2, 2)]
