import numpy as np
import pytest

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.musical_keys import MusicalKey, find_key, make_transposition
from lecture_models.data.ragged import Ragged

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11, 12)
MINOR_SCALE = (0, 2, 3, 5, 7, 8, 11, 12)


def melody(start, steps, repeats=1):
    """Returns a scale whose first note, third and fifth last longer."""
    lengths = [
        4 if step % 12 == 0 else 3 if number in (2, 4) else 1 for number, step in enumerate(steps)
    ]
    roll = np.zeros((sum(lengths) * repeats, 88), np.uint8)
    pitches = np.tile(np.repeat(start + np.array(steps), lengths), repeats)
    roll[np.arange(len(pitches)), pitches - 21] = 1
    return roll


@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_scale_is_found(tonic):
    assert find_key(melody(48 + tonic, MAJOR_SCALE)) == MusicalKey(tonic, False)
    assert find_key(melody(48 + tonic, MINOR_SCALE)) == MusicalKey(tonic, True)


def test_silence_has_a_key_all_the_same():
    assert find_key(np.zeros((3, 88))) == MusicalKey(0, False)
    assert MusicalKey(10, True).name == "Bb minor"


def pieces():
    rolls = [melody(60, MAJOR_SCALE)] * 2 + [melody(62, MAJOR_SCALE)] + [melody(64, MINOR_SCALE)]
    return Ragged.from_sequences(rolls)


def test_pieces_move_only_to_keys_of_other_pieces_of_their_mode():
    moves = make_transposition(pieces(), 5, key_aware=True)
    shares = [
        dict(zip(shifts.tolist(), shares.round(3).tolist(), strict=True))
        for shifts, shares in zip(moves.shifts, moves.shares, strict=True)
    ]
    # From C major: twice as often to stay as to go to D major.
    assert {shift: share for shift, share in shares[0].items() if share} == {0: 0.667, 2: 0.333}
    assert {shift: share for shift, share in shares[2].items() if share} == {-2: 0.667, 0: 0.333}
    assert {shift: share for shift, share in shares[3].items() if share} == {0: 1.0}


def test_pieces_stay_within_the_pitches_of_the_corpus():
    moves = make_transposition(pieces(), 5, key_aware=False)
    assert [shifts.tolist() for shifts in moves.shifts] == [
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
        [-2, -1, 0, 1, 2],
        [-4, -3, -2, -1, 0],
    ]
    assert all(np.allclose(shares, 1 / len(shares)) for shares in moves.shares)


def test_a_drawn_piece_is_one_of_its_transpositions():
    moves, generator = make_transposition(pieces(), 5, key_aware=True), np.random.default_rng(0)
    found = {find_key(moves(pieces()[0], 0, generator)).name for _ in range(40)}
    assert found == {"C major", "D major"}


@pytest.mark.real_data
def test_most_chorales_end_in_the_key_that_is_found(real_data):
    try:
        pieces = Library(real_data, print).load("jsb_chorales").train["frames"]
    except DataError:
        pytest.skip("JSB_Chorales.mat is absent")
    basses = [np.flatnonzero(pieces[number][-2:].any(axis=0)) for number in range(len(pieces))]
    agreeing = [
        len(keys) > 0 and find_key(pieces[number]).tonic == (keys[0] + 21) % 12
        for number, keys in enumerate(basses)
    ]
    assert np.mean(agreeing) > 0.6
