"""Reads texts with a class each: tweets, sentences of reviews, and tables of the user's own.

Each split has `texts`, an array of strings, and `labels`. Words are numbered later, because the
vocabulary is that of the training examples, which are others in each fold of a cross-validation.

Sources:

- `tweets`: 49,570 + 12,284 tweets of SemEval-2017, task 4A (Rosenthal et al., 2017), in
  `tweets-semeval2017/train.tsv.gz` and `test.tsv.gz`: part, label and text, separated by tabs.
- `tweets_emotion`: 3,257 + 374 + 1,421 tweets of SemEval-2018, task 1, as in TweetEval (Mohammad
  et al., 2018; Barbieri et al., 2020), in `tweets-emotion/`: one tweet a line, and one class a
  line.
- `rt_polarity`: 5,331 positive and as many negative sentences of film reviews (Pang and Lee, 2005),
  in `text/rt-polarity/`, one a line, in the encoding cp1252. It has no test split of its own.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lecture_models.data.archives import read_unpacked
from lecture_models.data.csv_cells import read_csv
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.files import local_path

SENTIMENTS = ("negative", "neutral", "positive")
PERIOD = 10  # Every tenth example is held out where a data set has no split of its own.
LEAST_EXAMPLES = 20  # Of a user's own table.

_TWEETS = {"train": 49_570, "test": 12_284}
_EMOTIONS = {"train": 3_257, "val": 374, "test": 1_421}
_POLARITY = {"neg": 5_331, "pos": 5_331}


def read_tweets(data_dir: Path) -> Dataset:
    """Returns the tweets of SemEval-2017; every tenth training tweet is a validation example.

    Raises:
        DataAbsentError: the files do not exist.
        DataError: a file is damaged, or a line has no known label or no text.
    """
    folder = _folder(data_dir, "tweets-semeval2017")
    splits, files = {}, []
    for name, count in _TWEETS.items():
        path = folder / f"{name}.tsv.gz"
        lines, file = _lines(path)
        if lines[0] != "part\tlabel\ttext":
            raise DataError(f"{path}, line 1 is {lines[0][:60]!r}; it must be part, label, text")
        rows = [_tweet(path, number, line) for number, line in enumerate(lines[1:], 2)]
        _check_count(path, len(rows), count)
        splits[name] = labeled_texts(*zip(*rows, strict=True))
        files.append(file)
    held_out = np.arange(len(splits["train"])) % PERIOD == PERIOD - 1
    train, validation = (splits["train"].select(chosen) for chosen in (~held_out, held_out))
    provenance = Provenance("tweets", "original files", tuple(files))
    return Dataset(train, validation, splits["test"], SENTIMENTS, provenance)


def _tweet(path: Path, number: int, line: str) -> tuple[str, int]:
    cells = line.split("\t", 2)  # A text may have tabs.
    if len(cells) != 3:
        raise DataError(f"{path}, line {number} has {len(cells)} cells; it must have 3")
    if cells[1] not in SENTIMENTS:
        known = ", ".join(SENTIMENTS)
        raise DataError(f"{path}, line {number} has the label {cells[1]!r}; it must be {known}")
    return _text(path, number, cells[2]), SENTIMENTS.index(cells[1])


def read_emotions(data_dir: Path) -> Dataset:
    """Returns TweetEval's tweets of four emotions, in its own three splits.

    Raises:
        DataAbsentError: the files do not exist.
        DataError: a file is damaged, or a line has no known class or no text.
    """
    folder = _folder(data_dir, "tweets-emotion")
    names, file = _lines(folder / "mapping.txt")
    classes = tuple(line.partition("\t")[2].strip() for line in names)
    splits, files = [], [file]
    for name, count in _EMOTIONS.items():
        texts_path, labels_path = (folder / f"{name}_{kind}.txt.gz" for kind in ("text", "labels"))
        texts, texts_file = _lines(texts_path)
        labels, labels_file = _lines(labels_path)
        _check_count(texts_path, len(texts), count)
        _check_count(labels_path, len(labels), count)
        for number, label in enumerate(labels, 1):
            if label.strip() not in map(str, range(len(classes))):
                raise DataError(
                    f"{labels_path}, line {number} is {label!r}; it must be 0 to {len(classes) - 1}"
                )
        texts = [_text(texts_path, number, text) for number, text in enumerate(texts, 1)]
        splits.append(labeled_texts(texts, [int(label) for label in labels]))
        files += [texts_file, labels_file]
    provenance = Provenance("tweets_emotion", "original files", tuple(files))
    return Dataset(*splits, classes, provenance)


def read_polarity(data_dir: Path) -> Dataset:
    """Returns the sentences of film reviews, which are split by their place in the files.

    Raises:
        DataAbsentError: the files do not exist.
        DataError: a file is damaged, or a line has no text.
    """
    folder = _folder(data_dir, "text/rt-polarity")
    texts, labels, files = [], [], []
    for label, (name, count) in enumerate(_POLARITY.items()):
        path = folder / f"rt-polarity.{name}"
        lines, file = _lines(path, "cp1252")
        _check_count(path, len(lines), count)
        texts += [_text(path, number, line) for number, line in enumerate(lines, 1)]
        labels += [label] * count
        files.append(file)
    note = "no test split of its own"
    provenance = Provenance("rt_polarity", "original files", tuple(files), note)
    return _by_place(labeled_texts(texts, labels), ("negative", "positive"), provenance)


def read_text_table(flag: str, name: str) -> Dataset:
    """Returns a user's own texts from a CSV or TSV file whose columns include `text` and `label`.

    Args:
        flag: the flag that names the file, for error messages.
        name: the path of the file.

    Raises:
        DataError: the file cannot be read, or lacks a column; a text or a label is empty; or there
            are fewer than two classes, fewer than `LEAST_EXAMPLES` texts or a class of one text.
    """
    path = local_path(flag, name)
    if not path.is_file():
        raise DataError(f"{flag}={name} is not a file")
    lines, file = read_csv(path)
    columns = [cell.lower() for cell in lines[0].cells] if lines else []
    if not {"text", "label"} <= set(columns):
        named = ", ".join(columns)[:80] or "nothing"
        raise DataError(f"{path}, line 1 names {named}; two columns must be named text and label")
    text_column, label_column = columns.index("text"), columns.index("label")
    texts = [_text(path, line.number, line.cells[text_column]) for line in lines[1:]]
    for line in lines[1:]:
        if not line.cells[label_column]:
            raise DataError(f"{path}, line {line.number} has no label")
    names = [line.cells[label_column] for line in lines[1:]]
    classes, labels, counts = np.unique(names, return_inverse=True, return_counts=True)
    if len(classes) < 2 or len(texts) < LEAST_EXAMPLES or counts.min() < 2:
        raise DataError(
            f"{path} has {len(texts)} texts of {len(classes)} classes, the rarest with "
            f"{counts.min() if len(counts) else 0}; it must have at least {LEAST_EXAMPLES} texts "
            "of 2 classes, with 2 of each"
        )
    note = "no test split of its own"
    provenance = Provenance(path.name, "own texts", (file,), note)
    return _by_place(labeled_texts(texts, labels), tuple(map(str, classes)), provenance)


def labeled_texts(texts: Sequence[str], labels: Sequence[int] | np.ndarray) -> Split:
    """Returns a split of texts and their class indices."""
    array = np.empty(len(texts), object)
    array[:] = texts
    return Split({"texts": array, "labels": np.asarray(labels, np.int32)})


def _by_place(split: Split, classes: tuple[str, ...], provenance: Provenance) -> Dataset:
    """Returns a data set whose tenth of each ten examples tests, and whose ninth validates."""
    place = np.arange(len(split)) % PERIOD
    parts = place < PERIOD - 2, place == PERIOD - 2, place == PERIOD - 1
    return Dataset(*(split.select(part) for part in parts), classes, provenance)


def _folder(data_dir: Path, name: str) -> Path:
    if not (data_dir / name).is_dir():
        raise DataAbsentError(f"{name} does not exist in {data_dir}")
    return data_dir / name


def _lines(path: Path, encoding: str = "utf-8") -> tuple[list[str], DataFile]:
    """Returns the lines of a file without their ends, and the file for the provenance.

    Only LF and CR LF end a line: a text may have other characters that end lines elsewhere.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist, although its folder does; fetch it again")
    content, file = read_unpacked(path)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not {encoding}"
        ) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if not lines[-1] else lines, file


def _text(path: Path, number: int, text: str) -> str:
    if "\0" in text:
        raise DataError(f"{path}, line {number} has a NUL character; it must be text")
    if not text.strip():
        raise DataError(f"{path}, line {number} has no text")
    return text.strip()


def _check_count(path: Path, count: int, expected: int) -> None:
    if count != expected:
        raise DataError(
            f"{path} has {count:,} texts or labels; it must have {expected:,}: fetch it again"
        )
