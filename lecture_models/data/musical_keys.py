"""Finds the key of a piece and moves pieces to other keys of the same corpus.

A piece that is played some keys higher is as good a piece, but a corpus does not have all keys: the
chorales of Bach keep to few sharps and flats, and to the ranges of voices. So a piece is moved only
to a key in which another piece of the same mode stands, and only within the pitches of the corpus.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from lecture_models.data.notes import KEYS, LOWEST_PITCH, transposed, used_keys
from lecture_models.data.ragged import Ragged

# How well each pitch class, from the tonic on, fits a major and a minor key in listening tests:
# Krumhansl and Kessler, 1982.
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


class MusicalKey(NamedTuple):
    """Describes a key: its tonic, 0 for C up to 11 for B, and whether it is minor."""

    tonic: int
    minor: bool

    @property
    def name(self) -> str:
        return f"{_NAMES[self.tonic]} {'minor' if self.minor else 'major'}"


def find_key(roll: Shaped[np.ndarray, "frame key"]) -> MusicalKey:
    """Returns the key whose profile correlates most with how long each pitch class sounds.

    C major for a roll in which all pitch classes sound equally long, or none does.
    """
    sounding = np.bincount(
        (np.arange(KEYS) + LOWEST_PITCH) % 12, np.asarray(roll, float).sum(axis=0), 12
    )
    best, found = 1e-9, MusicalKey(0, False)
    for minor, profile in ((False, MAJOR), (True, MINOR)):
        for tonic in range(12):
            expected = np.roll(profile, tonic)
            fit = float(((sounding - sounding.mean()) * (expected - expected.mean())).sum())
            fit /= float(expected.std())
            if fit > best:
                best, found = fit, MusicalKey(tonic, minor)
    return found


@dataclasses.dataclass(frozen=True, eq=False)
class Transposition:
    """Moves each piece of a corpus by a number of keys that is drawn anew for each epoch.

    Attributes:
        shifts: by piece, the allowed numbers of keys.
        shares: by piece, their probabilities.
    """

    shifts: tuple[Int64[np.ndarray, " _shift"], ...]
    shares: tuple[Float64[np.ndarray, " _shift"], ...]

    def __call__(
        self, roll: Shaped[np.ndarray, "frame key"], number: int, generator: np.random.Generator
    ) -> Shaped[np.ndarray, "frame key"]:
        """Returns piece `number` moved by one of its shifts."""
        return transposed(roll, int(generator.choice(self.shifts[number], p=self.shares[number])))


def make_transposition(pieces: Ragged, most: int, key_aware: bool) -> Transposition:
    """Returns the shifts of each piece, from -`most` to `most`, within the pitches of the corpus.

    Args:
        pieces: the training pieces.
        most: the largest number of keys.
        key_aware: whether a shift is as probable as the key to which it leads is frequent among
            pieces of the same mode; otherwise all shifts are equally probable.
    """
    rolls = [pieces[number] for number in range(len(pieces))]
    keys = [find_key(roll) for roll in rolls]
    compass = np.flatnonzero(used_keys(pieces.values))
    shifts, shares = [], []
    for roll, key in zip(rolls, keys, strict=True):
        own = np.flatnonzero(used_keys(roll))
        low, high = (
            (compass[0] - own[0], compass[-1] - own[-1]) if len(own) else (0, 0)
        )  # Silence stays as it is.
        allowed = np.arange(max(-most, low), min(most, high) + 1)
        weights = np.ones(len(allowed))
        if key_aware:
            targets = [key._replace(tonic=int(key.tonic + shift) % 12) for shift in allowed]
            weights = np.array([keys.count(target) for target in targets], float)
        shifts.append(allowed)
        shares.append(weights / weights.sum())
    return Transposition(tuple(shifts), tuple(shares))
