"""Reads sentences and their translations from two files whose lines belong together.

Each split has `source_texts` and `target_texts`, arrays of strings. Words are numbered later,
because the vocabularies are those of the training sentences.

Source: Multi30k, task 1 (Elliott et al., 2016 and 2017): 29,000, 1,014 and 1,000 descriptions of
photos, each in English, German and French, in `text/multi30k/train.de.gz` and so on.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lecture_models.data.archives import read_unpacked
from lecture_models.data.characters import decode
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.data.listing import count_of
from lecture_models.files import local_path

FOLDER = Path("text", "multi30k")
COUNTS = {"train": 29_000, "val": 1_014, "test_2016_flickr": 1_000}
PERIOD = 10  # Two of ten pairs of a user's own files are held out.
LEAST_PAIRS = 20  # Of a user's own files.


class Text(NamedTuple):
    """Holds the lines of a file, and the file for the provenance."""

    lines: list[str]
    file: DataFile


def sentence_pairs(source: list[str], target: list[str]) -> Split:
    """Returns a split of sentences and their translations."""
    arrays = {}
    for name, sentences in (("source_texts", source), ("target_texts", target)):
        arrays[name] = np.empty(len(sentences), object)
        arrays[name][:] = sentences
    return Split(arrays)


def read_multi30k(source: str, target: str, data_dir: Path) -> Dataset:
    """Returns Multi30k in its own three splits, as `multi30k_{source}_{target}`.

    Args:
        source: the language to translate from: de, en or fr.
        target: the language to translate to.
        data_dir: the data folder.

    Raises:
        DataAbsentError: the folder does not exist.
        DataError: a file is missing, damaged or has another number of lines than the published one.
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        raise DataAbsentError(f"{FOLDER} does not exist in {data_dir}")
    splits, files = [], []
    for name, count in COUNTS.items():
        paths = [folder / f"{name}.{language}.gz" for language in (source, target)]
        texts = [_read_lines(path) for path in paths]
        for path, text in zip(paths, texts, strict=True):
            if len(text.lines) != count:
                raise DataError(
                    f"{path} has {count_of(len(text.lines), 'line')}; it must have {count:,}: "
                    "fetch it again"
                )
        splits.append(_pairs(*texts))
        files += [text.file for text in texts]
    provenance = Provenance(f"multi30k_{source}_{target}", "original files", tuple(files))
    return Dataset(*splits, (), provenance)


def read_own_pairs(flag: str, names: str) -> Dataset:
    """Returns a user's own sentences; of ten pairs the ninth validates and the tenth tests.

    Args:
        flag: the flag that names the files, for error messages.
        names: the paths of the two files, separated by a comma: first the one to translate from.

    Raises:
        DataError: there are not two files, a file cannot be read, the files differ in their number
            of lines, or fewer than `LEAST_PAIRS` pairs have text on both sides.
    """
    parts = [part.strip() for part in names.split(",")]
    if len(parts) != 2 or not all(parts):
        raise DataError(f"{flag} is {names!r}; it must be two files, SOURCE,TARGET")
    paths = [local_path(flag, part) for part in parts]
    for path, part in zip(paths, parts, strict=True):
        if not path.is_file():
            raise DataError(f"{flag}: {part} is not a file")
    texts = [_read_lines(path) for path in paths]
    if len(texts[0].lines) != len(texts[1].lines):
        counts = " and ".join(
            f"{path} has {count_of(len(text.lines), 'line')}"
            for path, text in zip(paths, texts, strict=True)
        )
        raise DataError(f"{counts}; line by line they must be translations of each other")
    split = _pairs(*texts)
    if len(split) < LEAST_PAIRS:
        raise DataError(
            f"{flag} has {count_of(len(split), 'pair')} with text on both sides; at least "
            f"{LEAST_PAIRS} are needed"
        )
    empty = len(texts[0].lines) - len(split)
    note = f"{count_of(empty, 'pair')} without text skipped" if empty else ""
    files = tuple(text.file for text in texts)
    provenance = Provenance(" to ".join(path.name for path in paths), "own texts", files, note)
    place = np.arange(len(split)) % PERIOD
    chosen = (place < PERIOD - 2, place == PERIOD - 2, place == PERIOD - 1)
    return Dataset(*(split.select(part) for part in chosen), (), provenance)


def _pairs(source: Text, target: Text) -> Split:
    """Returns the pairs of lines that both have text."""
    kept = [
        (one, other)
        for one, other in zip(source.lines, target.lines, strict=True)
        if one.strip() and other.strip()
    ]
    return sentence_pairs([one for one, _ in kept], [other for _, other in kept])


def _read_lines(path: Path) -> Text:
    """Returns the lines of a file; a newline at the end of the file begins no further line."""
    if not path.is_file():
        raise DataError(f"{path} does not exist, although its folder does; fetch it again")
    content, file = read_unpacked(path)
    return Text(decode(content, path).removesuffix("\n").split("\n"), file)


MULTI30K = {
    f"multi30k_{source}_{target}": functools.partial(read_multi30k, source, target)
    for source in ("de", "en", "fr")
    for target in ("de", "en", "fr")
    if source != target
}
