import numpy as np
import pytest

from lecture_models.data.notes import Note, notes_roll, roll_notes, transposed


def roll_of(*pairs, frames=6):
    roll = np.zeros((frames, 88), np.uint8)
    for frame, key in pairs:
        roll[frame, key] = 1
    return roll


def test_a_key_that_stays_down_is_one_note():
    roll = roll_of((0, 39), (1, 39), (2, 39), (4, 39), (2, 43))
    assert roll_notes(roll) == [Note(0, 3, 60), Note(2, 3, 64), Note(4, 5, 60)]


def test_a_roll_without_notes_has_none():
    assert roll_notes(np.zeros((3, 88))) == []


def test_notes_and_roll_are_inverse():
    roll = roll_of((0, 0), (1, 0), (3, 87), (4, 87), (5, 12))
    assert (notes_roll(roll_notes(roll)) == roll).all()


def test_a_roll_begins_with_its_first_note_and_times_are_rounded():
    notes = [Note(2.0, 2.9, 60), Note(3.1, 3.2, 21)]
    roll = notes_roll(notes, frames_per_unit=2.0)
    assert np.argwhere(roll).tolist() == [[0, 39], [1, 39], [2, 0]]


def test_a_short_note_is_down_for_one_frame():
    assert notes_roll([Note(0.1, 0.2, 60)]).sum() == 1


def test_pitches_outside_of_the_piano_are_refused():
    with pytest.raises(ValueError, match="a note has the pitch 109; it must be from 21 to 108"):
        notes_roll([Note(0, 1, 109)])
    with pytest.raises(ValueError, match="there are no notes; there must be at least 1"):
        notes_roll([])


def test_transposition_shifts_all_keys():
    roll = roll_of((0, 10), (1, 20))
    assert (transposed(roll, 5) == roll_of((0, 15), (1, 25))).all()
    assert (transposed(transposed(roll, -10), 10) == roll).all()
    with pytest.raises(ValueError, match="keys 10 to 20 cannot be moved by -11 keys: a note would"):
        transposed(roll, -11)
