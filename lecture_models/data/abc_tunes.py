"""Reads Irish folk tunes in ABC notation as characters, split by tunes.

Source: 804 tunes, `irish.abc` of github.com/aamini/introtodeeplearning. The file lists hornpipes,
jigs, reels and others one kind after the other, so the tunes are shuffled, always the same way:
nine tenths are for training, and of the rest one half each for validation and test. What only says
where a tune stood is left out: its number becomes `X:1`, and the line `Z:` is dropped.
"""

from pathlib import Path

import numpy as np

from lecture_models.data.abc_notation import split_tunes
from lecture_models.data.archives import read_file
from lecture_models.data.characters import TRAIN_SHARE, decode, text_dataset
from lecture_models.data.dataset import DataAbsentError, DataError, Dataset, Provenance
from lecture_models.data.picture import shown
from lecture_models.files import local_path

FEWEST_TUNES = 10
_IRISH = Path("text", "irish-abc", "irish.abc")
_IRISH_SHA256 = "df3782d5f7b5a2f4c66aa7c13f13008d5f48757b3f5f51620cd6c1ceb2c53023"
_MADE = 300  # Tunes.
_SCALE = "CDEFGABcdefgab"  # In D major, where F and C are sharp without a sign.


def read_irish(data_dir: Path) -> Dataset:
    """Returns the Irish tunes; a split holds one text, as those of `characters` do.

    Raises:
        DataAbsentError: the file does not exist.
        DataError: the file is not the published one.
    """
    path = data_dir / _IRISH
    if not path.is_file():
        raise DataAbsentError(f"{_IRISH} does not exist in {data_dir}")
    content, file = read_file(path)
    if file.sha256 != _IRISH_SHA256:
        raise DataError(
            f"{path} has SHA-256 {file.sha256}; it must be {_IRISH_SHA256}; delete it and fetch it "
            "again, or read it as your own tunes"
        )
    tunes = plain_tunes(decode(content, path))
    return tune_dataset(tunes, Provenance("irish_abc", "original files", (file,)))


def read_tunes(flag: str, name: str) -> Dataset:
    """Returns a user's own tunes in ABC notation.

    Args:
        flag: the flag that names the file, for messages.
        name: the path of the file.

    Raises:
        DataError: the file does not exist, is not UTF-8, or has fewer than `FEWEST_TUNES` tunes.
    """
    path = local_path(flag, name)
    if not path.is_file():
        raise DataError(f"{flag}={shown(path)} is not a file; it must hold tunes in ABC notation")
    content, file = read_file(path)
    tunes = plain_tunes(decode(content, path))
    if len(tunes) < FEWEST_TUNES:
        raise DataError(
            f"{path} has {len(tunes)} tunes, blocks of lines that begin with X:; it must have at "
            f"least {FEWEST_TUNES}"
        )
    return tune_dataset(tunes, Provenance(path.name, "own tunes", (file,)))


def make_tunes(seed: int = 0) -> Dataset:
    """Returns tunes made by a rule, the same for the same seed.

    A tune is in D major and has eight bars of eighth notes, in 4/4 or 6/8. Each note is at most two
    steps of the scale from the one before, the last is a long D, and no bar has a wrong length.
    """
    generator = np.random.default_rng(seed)
    tunes = [_made_tune(generator, number) for number in range(_MADE)]
    note = f"{_MADE} tunes made by a rule, not real music"
    return tune_dataset(tunes, Provenance("made_tunes", "made by a rule", (), note))


def plain_tunes(text: str) -> list[str]:
    """Returns the tunes of a text, without what only says where a tune stood.

    A block of lines that does not begin with `X:` is not a tune, and is left out.
    """
    tunes = []
    for block in split_tunes(text):
        first, *others = block.splitlines()
        if first.startswith("X:"):
            kept = [line.rstrip() for line in others if not line.startswith("Z:")]
            tunes.append("\n".join(["X:1", *kept]))
    return tunes


def tune_dataset(tunes: list[str], provenance: Provenance) -> Dataset:
    """Returns tunes as a data set of characters; a tune ends with an empty line."""
    order = np.random.Generator(np.random.Philox(key=[0, 0])).permutation(len(tunes))
    end = int(TRAIN_SHARE * len(tunes))
    middle = (end + len(tunes)) // 2
    parts = order[:end], order[end:middle], order[middle:]
    texts = ("".join(f"{tunes[number]}\n\n" for number in part) for part in parts)
    train, validation, test = texts
    return text_dataset((train, validation, test), provenance)


def _made_tune(generator: np.random.Generator, number: int) -> str:
    meter, beats = (("4/4", 8), ("6/8", 6))[number % 2]
    place, bars = 1, []
    for _ in range(7):
        notes = []
        for _ in range(beats):
            place = int(np.clip(place + generator.integers(-2, 3), 0, len(_SCALE) - 1))
            notes.append(_SCALE[place])
        bars.append("".join(notes))
    bars.append(f"D{beats}")
    music = "\n".join("|".join(bars[first : first + 4]) + "|" for first in (0, 4))
    return f"X:1\nT:Made {number}\nM:{meter}\nL:1/8\nK:D Major\n{music}]"
