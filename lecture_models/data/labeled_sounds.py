"""Holds sounds with a word, a speaker and a take each, named `{word}_{speaker}_{take}.wav`.

So the Free Spoken Digit Dataset names its files, and its official split is the default one: takes 0
to 4 of each word and speaker test, all others train, of which takes 5 to 9 validate.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from lecture_models.data import archives
from lecture_models.data.dataset import DataError, DataFile, Dataset, Provenance, Split
from lecture_models.data.film import natural_order
from lecture_models.data.picture import shown
from lecture_models.data.ragged import Ragged
from lecture_models.data.wav import OTHER_ENDINGS, read_sound
from lecture_models.files import local_path

RATE = 8_000  # Samples per second of every sound of a data set.
TEST_TAKES, VALIDATION_TAKES = range(5), range(5, 10)
_NAME = re.compile(r"([^_]+)_(.+)_(\d{1,9})")


class LabeledSound(NamedTuple):
    """Holds a sound at RATE, the word it is, who speaks, and the number of the recording."""

    word: str
    speaker: str
    take: int
    samples: Float32[np.ndarray, " sample"]


def sound_dataset(sounds: Sequence[LabeledSound], provenance: Provenance) -> Dataset:
    """Returns sounds as a data set in the official split of the Free Spoken Digit Dataset.

    Args:
        sounds: the sounds.
        provenance: their source.

    Returns:
        Splits with `samples`, a `Ragged` of floats in [-1, 1] at RATE; `labels`, `speakers`, whose
        names are in the vocabularies; and `takes`.

    Raises:
        DataError: there are fewer than two words, or a split has no sound.
    """
    words = sorted({sound.word for sound in sounds}, key=natural_order)
    speakers = sorted({sound.speaker for sound in sounds}, key=natural_order)
    takes = np.array([sound.take for sound in sounds], np.int32)
    test, validation = np.isin(takes, TEST_TAKES), np.isin(takes, VALIDATION_TAKES)
    parts = {"training": ~(test | validation), "validation": validation, "test": test}
    name = provenance.dataset
    if len(words) < 2:
        raise DataError(f"the sounds of {name} have {len(words)} words; there must be at least 2")
    if empty := [part for part, chosen in parts.items() if not chosen.any()]:
        raise DataError(
            f"{name} has no {empty[0]} sounds: takes 0 to 4 test, 5 to 9 validate, and later ones "
            f"train; it has takes {takes.min()} to {takes.max()}"
        )
    everything = Split(
        {
            "samples": Ragged.from_sequences([sound.samples for sound in sounds]),
            "labels": np.array([words.index(sound.word) for sound in sounds], np.int32),
            "speakers": np.array([speakers.index(sound.speaker) for sound in sounds], np.int32),
            "takes": takes,
        }
    )
    splits = (everything.select(chosen) for chosen in parts.values())
    return Dataset(*splits, tuple(words), provenance, {"speakers": tuple(speakers)})


def read_labeled_sounds(flag: str, name: str) -> Dataset:
    """Returns the sounds of a folder, with all folders in it, or of a tar archive.

    Args:
        flag: the flag that names it, for messages.
        name: its path.

    Raises:
        DataError: there is no such folder or file, a file is not a WAV file or not named
            {word}_{speaker}_{take}.wav, or `sound_dataset` refuses the sounds.
    """
    path = local_path(flag, name)
    contents, files = sound_files(flag, path)
    sounds = parse_sounds(contents, shown(path))
    note = f"{len(sounds)} own sounds at {RATE} Hz"
    return sound_dataset(sounds, Provenance("own sounds", shown(path), files, note))


def sound_files(flag: str, path: Path) -> tuple[list[tuple[str, bytes]], tuple[DataFile, ...]]:
    """Returns the names and bytes of the WAV files of a folder or a tar archive, sorted.

    Args:
        flag: the flag that names it, for messages.
        path: the folder, or the archive, which may be packed as .gz.

    Raises:
        DataError: there is neither, a file has another audio format, or there is no WAV file.
    """
    if path.is_dir():
        files = [
            file
            for file in sorted(path.rglob("*"), key=lambda file: natural_order(str(file)))
            if file.is_file() and not file.name.startswith(".")
        ]
        _refuse_others(file.name for file in files)
        read = [
            (file.name, *archives.read_file(file))
            for file in files
            if file.suffix.lower() == ".wav"
        ]
        contents = [(name, content) for name, content, _ in read]
        records = tuple(record for _, _, record in read)
    elif path.is_file():
        packed, record = archives.read_unpacked(path)
        contents, records = wav_members(packed, path), (record,)
    else:
        raise DataError(
            f"{flag}={shown(path)} does not exist; it must be a folder or a tar archive "
            "of WAV files"
        )
    if not contents:
        raise DataError(f"{flag}={shown(path)} holds no WAV files")
    return contents, records


def wav_members(content: bytes, path: Path) -> list[tuple[str, bytes]]:
    """Returns the names and bytes of the WAV files of a tar archive, sorted by name.

    Raises:
        DataError: the archive is damaged, or holds a file of another audio format.
    """
    members = [
        (name.rpartition("/")[2], data)
        for name, data in archives.tar_files(content, path)
        if not name.rpartition("/")[2].startswith(".")
    ]
    _refuse_others(name for name, _ in members)
    chosen = [member for member in members if member[0].lower().endswith(".wav")]
    return sorted(chosen, key=lambda member: natural_order(member[0]))


def parse_sounds(contents: Iterable[tuple[str, bytes]], where: str) -> list[LabeledSound]:
    """Returns the sounds of WAV files that are named {word}_{speaker}_{take}.wav.

    Args:
        contents: the names and the bytes of the files.
        where: what holds them, for messages.

    Raises:
        DataError: a name lacks a part, or a file cannot be read.
    """
    return list(_parsed(contents, where))


def _parsed(contents, where: str) -> Iterator[LabeledSound]:
    for name, content in contents:
        match = _NAME.fullmatch(name[: -len(".wav")])
        if not match:
            raise DataError(
                f"{where}: {shown(name)} must be named WORD_SPEAKER_TAKE.wav, such as 7_ann_0.wav"
            )
        word, speaker, take = match.groups()
        samples = read_sound(content, f"{where}: {shown(name)}", RATE)
        yield LabeledSound(word, speaker, int(take), samples)


def _refuse_others(names: Iterable[str]) -> None:
    for name in names:
        ending = f".{name.rpartition('.')[2].lower()}"
        if ending in OTHER_ENDINGS:
            raise DataError(
                f"{shown(name)} is not a WAV file; convert it, as by ffmpeg -i FILE out.wav"
            )
