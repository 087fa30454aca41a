"""Reads a text as a sequence of characters, of which the last tenth is held out.

Sources: tinyshakespeare, 1,115,394 characters of Shakespeare's plays, is
`text/tinyshakespeare/input.txt` of github.com/karpathy/char-rnn. The Zen of Python, 857 characters
by Tim Peters, ships with Python and needs no file. A user's own text is any UTF-8 file.

The training split is the first 90% of the text, as in nanoGPT, whose validation split is the rest.
Here the first half of the rest is the validation split and the second half the test split. Each
split holds one example, whose `tokens` are the characters of the whole part in their order.
"""

import ast
import codecs
import importlib.util
import platform
from pathlib import Path

import numpy as np
from jaxtyping import Int32

from lecture_models.data.archives import read_file, read_unpacked
from lecture_models.data.dataset import (
    DataAbsentError,
    DataError,
    DataFile,
    Dataset,
    Provenance,
    Split,
)
from lecture_models.data.ragged import Ragged
from lecture_models.files import local_path

UNKNOWN = "\ufffd"  # Stands for all characters that the training split lacks.
TRAIN_SHARE = 0.9
MIN_CHARACTERS = 40  # Each held-out part then has two, so that there is something to predict.

_SHAKESPEARE = Path("text", "tinyshakespeare", "input.txt")
_SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def read_shakespeare(data_dir: Path) -> Dataset:
    """Returns tinyshakespeare.

    Raises:
        DataAbsentError: the file does not exist.
        DataError: the file is not the published one.
    """
    path = data_dir / _SHAKESPEARE
    if not path.is_file():
        raise DataAbsentError(f"{_SHAKESPEARE} does not exist in {data_dir}")
    content, file = read_file(path)
    if file.sha256 != _SHAKESPEARE_SHA256:
        raise DataError(
            f"{path} has SHA-256 {file.sha256}; it must be {_SHAKESPEARE_SHA256}; delete it and "
            "fetch it again, or read it as your own text"
        )
    return _dataset("tinyshakespeare", "original files", decode(content, path), file)


def read_zen() -> Dataset:
    """Returns the Zen of Python, a poem that ships with Python.

    Raises:
        DataAbsentError: this Python came without it.
    """
    spec = importlib.util.find_spec("this")
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise DataAbsentError("this Python has no source file of the Zen of Python")
    source, file = read_file(Path(spec.origin))
    literals = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    text = codecs.decode(max(literals, key=len), "rot13") + "\n"
    origin = f"embedded in Python {platform.python_version()}"
    return _dataset("zen", origin, text, file, f"a poem of {len(text)} characters")


def read_text(flag: str, name: str) -> Dataset:
    """Returns a user's own text, which may be packed by gzip.

    Args:
        flag: the flag that names the file, for error messages.
        name: the path of the file.

    Raises:
        DataError: the file does not exist, is empty, is not UTF-8 text or has less than
            `MIN_CHARACTERS` characters.
    """
    path = local_path(flag, name)
    if not path.is_file():
        raise DataError(f"{flag}={name} is not a file")
    content, file = read_unpacked(path)
    return _dataset(path.name, "own text", decode(content, path), file)


def decode(content: bytes, path: Path) -> str:
    """Returns the text of a UTF-8 file; all ends of lines become one newline character.

    A byte order mark at the beginning is skipped.

    Args:
        content: the bytes of the file.
        path: the file that error messages name.

    Raises:
        DataError: a byte is not UTF-8, or is NUL, which no text has.
    """
    if b"\0" in content:
        raise DataError(
            f"{path} has a NUL byte at offset {content.index(0):,}: it is a binary file or UTF-16; "
            "it must be text in UTF-8"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line:,}: byte 0x{content[error.start]:02x} is not UTF-8; the file must "
            "be text in UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encode(text: str, vocabulary: tuple[str, ...]) -> Int32[np.ndarray, " character"]:
    """Returns the ids of characters; those of characters outside the vocabulary are of UNKNOWN.

    Raises:
        DataError: a character is outside a vocabulary that lacks UNKNOWN.
    """
    ids = {character: number for number, character in enumerate(vocabulary)}
    unknown = ids.get(UNKNOWN)
    if unknown is None:
        for place, character in enumerate(text):
            if character not in ids:
                raise DataError(
                    f"character {character!r} at place {place:,} of {text[:40]!r} does not occur "
                    "in the training text"
                )
    return np.array([ids.get(character, unknown) for character in text], np.int32)


def _dataset(name: str, source: str, text: str, file: DataFile, note: str = "") -> Dataset:
    if len(text) < MIN_CHARACTERS:
        raise DataError(
            f"{file.path} has {len(text)} characters; it must have at least {MIN_CHARACTERS}"
        )
    end = int(TRAIN_SHARE * len(text))
    middle = (end + len(text)) // 2
    parts = text[:end], text[end:middle], text[middle:]
    return text_dataset(parts, Provenance(name, source, (file,), note))


def text_dataset(parts: tuple[str, str, str], provenance: Provenance) -> Dataset:
    """Returns texts for training, validation and test as one sequence of characters each.

    The vocabulary is that of the training text, with `UNKNOWN` if the others have more characters.
    """
    vocabulary = tuple(sorted(set(parts[0])))
    if set("".join(parts[1:])) - set(vocabulary) and UNKNOWN not in vocabulary:
        vocabulary = (*vocabulary, UNKNOWN)
    train, validation, test = (
        Split({"tokens": Ragged.from_sequences([encode(part, vocabulary)])}) for part in parts
    )
    return Dataset(train, validation, test, (), provenance, {"tokens": vocabulary})
