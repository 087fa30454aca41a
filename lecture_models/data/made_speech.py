"""Makes words of a synthetic voice: a buzz whose two resonances glide from one vowel to another.

They stand in where no recordings are. A word is its pair of vowels; a speaker is a pitch and a size
of the vocal tract, which shifts all resonances; a take varies both, and the tempo.
"""

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.joined_words import join_words
from lecture_models.data.labeled_sounds import RATE, LabeledSound, sound_dataset

# First and second resonance in Hz of vowels of a mean speaker: Peterson and Barney, 1952, table II.
VOWELS = {"i": (270, 2_290), "a": (730, 1_090), "u": (300, 870), "e": (530, 1_840)}
WORDS = ("ia", "ai", "ue", "eu")
SPEAKERS = {"low": (95.0, 0.9), "middle": (130.0, 1.0), "high": (210.0, 1.15)}
TAKES = 18
BANDWIDTHS = (80.0, 120.0)  # Of the resonances, in Hz.


def make(seed: int = 0) -> Dataset:
    """Returns 216 words: four words, three speakers, 18 takes; the same for the same seed."""
    random = np.random.default_rng(seed)
    sounds = [
        LabeledSound(word, speaker, take, speak(random, word, *voice))
        for word in WORDS
        for speaker, voice in SPEAKERS.items()
        for take in range(TAKES)
    ]
    note = "synthetic vowels, not speech"
    return sound_dataset(sounds, Provenance("made_words", f"made here, seed {seed}", (), note))


def make_sentences(seed: int = 0) -> Dataset:
    """Returns strings of three made words, as `join_words` does."""
    return join_words(make(seed), "made_sentences", words=3, rounds=2, seed=seed)


def speak(
    random: np.random.Generator, word: str, pitch: float, size: float
) -> Float32[np.ndarray, " sample"]:
    """Returns one take of a word.

    Args:
        random: draws pitch, resonances, duration and noise of the take.
        word: two vowels.
        pitch: of the speaker, in Hz.
        size: the factor of the speaker's resonances.
    """
    length = int(RATE * random.uniform(0.22, 0.4))
    place = np.linspace(0.0, 1.0, length)
    glide = 1.0 / (1.0 + np.exp(-12.0 * (place - 0.5)))
    tone = pitch * random.uniform(0.93, 1.07) * (1.05 - 0.15 * place)
    phase = np.cumsum(tone) / RATE
    first, last = (np.array(VOWELS[vowel]) for vowel in word)
    factors = size * random.uniform(0.96, 1.04, 2)
    sound = np.zeros(length)
    for harmonic in range(1, int(0.45 * RATE / pitch)):
        frequency = harmonic * tone
        gain = np.ones(length) / harmonic
        for low, high, factor, width in zip(first, last, factors, BANDWIDTHS, strict=True):
            gain = gain * _resonance(frequency, factor * (low + glide * (high - low)), width)
        sound += gain * np.sin(2.0 * np.pi * harmonic * phase)
    sound *= np.sin(np.pi * place) ** 0.5 * random.uniform(0.3, 0.9) / np.abs(sound).max()
    return np.clip(sound + random.normal(0.0, 0.004, length), -1.0, 1.0).astype(np.float32)


def _resonance(
    frequency: Float[np.ndarray, " sample"], center: Float[np.ndarray, " sample"], width: float
) -> Float[np.ndarray, " sample"]:
    """Returns how much a resonance lets through, 1 at frequency 0."""
    return center**2 / np.hypot(center**2 - frequency**2, width * frequency)
