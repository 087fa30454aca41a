"""Makes pieces in four voices from a chain of chords, where no real music is.

The rules: a piece is in one of the twelve major keys. Its chords are the triads I, ii, IV, V and
vi; which one follows which is drawn from a table, and a chord lasts one, two or four frames. The
last four chords are IV, V, I, I. The bass has the root, and the upper three voices have the notes
of the chord that lie next above the tenor's lowest pitch.
"""

import numpy as np

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.notes import KEYS, LOWEST_PITCH
from lecture_models.data.piano_rolls import Roll, roll_dataset

# Semitones above the key's first note.
CHORDS = {"I": (0, 4, 7), "ii": (2, 5, 9), "IV": (5, 9, 0), "V": (7, 11, 2), "vi": (9, 0, 4)}
# The probability of each chord, in the order above, after each chord.
FOLLOWS = (
    (0.0, 0.2, 0.3, 0.3, 0.2),
    (0.1, 0.0, 0.0, 0.9, 0.0),
    (0.3, 0.2, 0.0, 0.5, 0.0),
    (0.7, 0.0, 0.0, 0.0, 0.3),
    (0.0, 0.5, 0.4, 0.1, 0.0),
)
CADENCE = ("IV", "V", "I", "I")
LENGTHS, LENGTH_SHARES = (1, 2, 4), (0.5, 0.4, 0.1)
_SIZES = (120, 30, 30)  # Pieces of the three splits.
_BASS, _UPPER = 41, 55  # The lowest pitch of the bass, and of the other voices.


def make(seed: int = 0) -> Dataset:
    """Returns 180 pieces, the same for the same seed; a split has `frames` as real music has."""
    generator = np.random.default_rng(seed)
    parts = tuple([make_piece(generator) for _ in range(size)] for size in _SIZES)
    note = f"{sum(_SIZES)} pieces made from a chain of chords, not real music"
    return roll_dataset(parts, Provenance("made_chorales", "made by a rule", (), note))


def make_piece(generator: np.random.Generator) -> Roll:
    """Returns one piece of 12 to 24 chords."""
    names = list(CHORDS)
    chords = ["I"]
    for _ in range(int(generator.integers(7, 20))):
        following = generator.choice(len(names), p=FOLLOWS[names.index(chords[-1])])
        chords.append(names[following])
    first_note = int(generator.integers(12))
    frames = []
    for chord in (*chords, *CADENCE):
        length = int(generator.choice(LENGTHS, p=LENGTH_SHARES))
        frames += [voiced(chord, first_note)] * length
    return np.stack(frames)


def voiced(chord: str, first_note: int) -> np.ndarray:
    """Returns the 88 keys of a chord in four voices, in the key of `first_note` (0 is C)."""
    classes = [(first_note + semitones) % 12 for semitones in CHORDS[chord]]
    pitches = [_next_above(_BASS, classes[0])]
    pitches += [_next_above(_UPPER, pitch_class) for pitch_class in classes]
    keys = np.zeros(KEYS, np.uint8)
    keys[np.array(pitches) - LOWEST_PITCH] = 1
    return keys


def _next_above(pitch: int, pitch_class: int) -> int:
    return pitch + (pitch_class - pitch) % 12
