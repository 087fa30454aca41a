"""Turns piano rolls into notes and back.

A roll says for each frame of time and each of the 88 keys of a piano whether the key is down; key 0
is the lowest A, pitch 21 of MIDI, and key 87 the highest C, pitch 108.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

KEYS = 88
LOWEST_PITCH = 21
HIGHEST_PITCH = LOWEST_PITCH + KEYS - 1


class Note(NamedTuple):
    """Holds a note.

    Attributes:
        start: when it begins, in frames or beats, whatever its owner counts.
        end: when it ends, in the same unit, after `start`.
        pitch: MIDI's number of the pitch; 60 is the middle C, and 12 are an octave.
    """

    start: float
    end: float
    pitch: int


def roll_notes(roll: Shaped[np.ndarray, "frame key"]) -> list[Note]:
    """Returns the notes of a roll, in frames; a key that stays down is one note.

    A roll does not say where a key is struck again at once, so such notes are joined.

    Args:
        roll: 0 or 1, or False or True; 88 keys.
    """
    down = np.asarray(roll, bool)
    edges = np.diff(np.pad(down, ((1, 1), (0, 0))).astype(np.int8), axis=0)
    notes = []
    for key in np.flatnonzero(down.any(axis=0)):
        starts, ends = (np.flatnonzero(edges[:, key] == sign) for sign in (1, -1))
        notes += [
            Note(int(start), int(end), int(key) + LOWEST_PITCH)
            for start, end in zip(starts, ends, strict=True)
        ]
    return sorted(notes)


def notes_roll(notes: Sequence[Note], frames_per_unit: float = 1.0) -> UInt8[np.ndarray, "frame k"]:
    """Returns the roll of notes whose pitches the piano has, from the first of them on.

    A note is down from the frame nearest to its start up to that nearest to its end, and for one
    frame at least.

    Args:
        notes: one or more notes.
        frames_per_unit: frames per unit of the notes' times.

    Raises:
        ValueError: there is no note, or a pitch is not on the piano.
    """
    if not notes:
        raise ValueError("there are no notes; there must be at least 1")
    spans = []
    for note in notes:
        if not LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH:
            raise ValueError(
                f"a note has the pitch {note.pitch}; it must be from {LOWEST_PITCH} to "
                f"{HIGHEST_PITCH}"
            )
        first = int(np.floor(note.start * frames_per_unit + 0.5))
        last = int(np.floor(note.end * frames_per_unit + 0.5))
        spans.append((first, max(last, first + 1), note.pitch - LOWEST_PITCH))
    begin = min(first for first, _, _ in spans)
    roll = np.zeros((max(last for _, last, _ in spans) - begin, KEYS), np.uint8)
    for first, last, key in spans:
        roll[first - begin : last - begin, key] = 1
    return roll


def transposed(roll: Shaped[np.ndarray, "frame key"], shift: int) -> Shaped[np.ndarray, "frame k"]:
    """Returns a roll that is played `shift` keys higher, or lower if it is negative.

    Args:
        roll: the roll.
        shift: keys, that is semitones.

    Raises:
        ValueError: a note would leave the piano.
    """
    used = used_keys(roll)
    if used.any():
        first, last = np.flatnonzero(used)[[0, -1]]
        if first + shift < 0 or last + shift >= roll.shape[1]:
            raise ValueError(
                f"a roll of the keys {first} to {last} cannot be moved by {shift} keys: a note "
                "would leave the piano"
            )
    return np.roll(roll, shift, axis=1)


def used_keys(roll: Shaped[np.ndarray, "frame key"]) -> Bool[np.ndarray, " key"]:
    """Returns which keys are ever down."""
    return np.asarray(roll, bool).any(axis=0)
