"""Holds sounds of whole sentences: samples and the words that are said, in order."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance, Split
from lecture_models.data.film import natural_order
from lecture_models.data.labeled_sounds import RATE, sound_files
from lecture_models.data.picture import shown
from lecture_models.data.ragged import Ragged
from lecture_models.data.wav import read_sound
from lecture_models.files import local_path

FOLDER, ARCHIVE = "yesno", "waves_yesno.tar.gz"
YES_NO = {"0": "no", "1": "yes"}
# Kaldi's recipe for yesno trains on 31 of 60 sentences; 6 of these validate, where one asks for it.
TRAINED, SENTENCES, VALIDATED = 31, 60, 6


class SoundSentence(NamedTuple):
    """Holds a sound at RATE and its words."""

    words: tuple[str, ...]
    samples: Float32[np.ndarray, " sample"]


def sentence_split(sentences: Sequence[SoundSentence], vocabulary: tuple[str, ...]) -> Split:
    """Returns sentences as `samples` and `words`, both `Ragged`.

    Args:
        sentences: the sentences.
        vocabulary: all words.
    """
    numbers = {word: number for number, word in enumerate(vocabulary)}
    words = [[numbers[word] for word in sentence.words] for sentence in sentences]
    return Split(
        {
            "samples": Ragged.from_sequences([sentence.samples for sentence in sentences]),
            "words": Ragged.from_sequences(words, np.int32),
        }
    )


def sentence_dataset(sentences: Sequence[SoundSentence], provenance: Provenance) -> Dataset:
    """Returns sentences in the split of Kaldi's recipe: the first 31 of 60 train, the others test.

    Args:
        sentences: the sentences, in their order.
        provenance: their source.

    Raises:
        DataError: there are fewer than 6 sentences or 2 words, or a test sentence has a word that
            no training sentence has.
    """
    count = round(len(sentences) * TRAINED / SENTENCES)
    vocabulary = tuple(
        sorted(
            {word for sentence in sentences[:count] for word in sentence.words}, key=natural_order
        )
    )
    if len(sentences) < 6 or len(vocabulary) < 2:
        raise DataError(
            f"{provenance.dataset} has {len(sentences)} sentences and {len(vocabulary)} words in "
            "the first half; there must be at least 6 sentences and 2 words"
        )
    for sentence in sentences[count:]:
        if unknown := [word for word in sentence.words if word not in vocabulary]:
            raise DataError(
                f"{provenance.dataset}: the word {unknown[0]!r} is in a test sentence, but in none "
                f"of the first {count}, which train"
            )
    held = max(1, round(count * VALIDATED / TRAINED))
    ends = (0, count - held, count, len(sentences))
    splits = (
        sentence_split(sentences[begin:end], vocabulary) for begin, end in itertools.pairwise(ends)
    )
    return Dataset(*splits, (), provenance, {"words": vocabulary})


def read_yesno(data_dir: Path) -> Dataset:
    """Returns the 60 sentences of eight Hebrew words, yes and no, by one speaker.

    Source: OpenSLR 1; the name of a file is its text, 1 for yes and 0 for no.

    Raises:
        DataAbsentError: there is no archive.
        DataError: a file is damaged, or its name is not a text.
    """
    path = data_dir / FOLDER / ARCHIVE
    if not path.exists():
        raise DataAbsentError(f"{FOLDER}/{ARCHIVE} does not exist in {data_dir}")
    contents, files = sound_files("--data_dir", path)
    sentences = [
        _sentence(name, content, str(path))._replace(words=_yes_no(name, str(path)))
        for name, content in contents
    ]
    note = "" if len(sentences) == SENTENCES else f"{len(sentences)} of the 60 sentences"
    return sentence_dataset(sentences, Provenance("yesno", f"WAV files, {RATE} Hz", files, note))


def read_sentences(flag: str, name: str) -> Dataset:
    """Returns the user's sentences: WAV files whose names are their words, joined by underscores.

    What follows a hyphen is left out, so that a sentence may be said twice: open_the_door-2.wav.

    Args:
        flag: the flag that names the folder or tar archive, for messages.
        name: its path.

    Raises:
        DataError: there is no such folder or file, or `sentence_dataset` refuses its sentences.
    """
    path = local_path(flag, name)
    contents, files = sound_files(flag, path)
    sentences = [_sentence(name, content, shown(path)) for name, content in contents]
    note = f"{len(sentences)} own sentences at {RATE} Hz"
    return sentence_dataset(sentences, Provenance("own sentences", shown(path), files, note))


def _sentence(name: str, content: bytes, where: str) -> SoundSentence:
    words = tuple(word for word in name[: -len(".wav")].partition("-")[0].split("_") if word)
    if not words:
        raise DataError(
            f"{where}: the name of {shown(name)} has no words; name it one_two_three.wav"
        )
    return SoundSentence(words, read_sound(content, f"{where}: {shown(name)}", RATE))


def _yes_no(name: str, where: str) -> tuple[str, ...]:
    digits = name[: -len(".wav")].split("_")
    if not set(digits) <= YES_NO.keys():
        raise DataError(f"{where}: {shown(name)} must be named by 0 and 1, such as 0_1_1.wav")
    return tuple(YES_NO[digit] for digit in digits)
