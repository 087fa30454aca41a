"""Tests texts as sequences of characters, on files that the test writes."""

import codecs
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from lecture_models.data import characters
from lecture_models.data.characters import UNKNOWN, encode, read_text
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.lookup import Library


def written(tmp_path, content, name="own text é.txt"):
    path = tmp_path / name
    path.write_bytes(content)
    return read_text("--text", str(path))


def joined(dataset):
    splits = (dataset.train, dataset.validation, dataset.test)
    return "".join(
        dataset.vocabularies["tokens"][token]
        for split in splits
        for token in split["tokens"].values
    )


def test_a_text_is_cut_into_nine_tenths_and_two_halves_of_the_rest(tmp_path):
    text = "abcdefghij" * 10
    dataset = written(tmp_path, text.encode())
    assert joined(dataset) == text
    lengths = [split["tokens"].lengths.tolist() for split in dataset[:3]]
    assert lengths == [[90], [5], [5]]
    assert dataset.vocabularies["tokens"] == tuple("abcdefghij")
    assert len(library_record(tmp_path).files[0].sha256) == 64


def library_record(tmp_path):
    library = Library(None, print)
    library.text("--text", str(tmp_path / "own text é.txt"))
    (record,) = library.provenance
    return record


def test_the_vocabulary_is_that_of_the_training_split(tmp_path):
    dataset = written(tmp_path, ("ab" * 45 + "abzyabzabz").encode())
    assert dataset.vocabularies["tokens"] == ("a", "b", UNKNOWN)
    assert joined(dataset).endswith(f"ab{UNKNOWN}{UNKNOWN}ab{UNKNOWN}ab{UNKNOWN}")


def test_ends_of_lines_and_the_byte_order_mark_are_made_alike(tmp_path):
    line = "one\r\ntwo\rthree\n\n"
    dataset = written(tmp_path, codecs.BOM_UTF8 + (line * 4).encode())
    assert joined(dataset) == "one\ntwo\nthree\n\n" * 4


def test_a_packed_text_of_any_script_and_a_line_of_any_length_are_read(tmp_path):
    text = "Ελληνικά 😀 " * 10_000
    dataset = written(tmp_path, gzip.compress(text.encode()), "greek.txt.gz")
    assert joined(dataset) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"short", "has 5 characters; it must have at least 40"),
        (b"good line\nbad \xe9t\xe9\n" * 9, "line 2: byte 0xe9 is not UTF-8"),
        ("a long enough text, ".encode("utf-16-le") * 9, "NUL byte at offset 1:"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(1, 255)), "line 1: byte 0x89 is not UTF-8"),
    ],
)
def test_what_is_not_text_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as error:
        written(tmp_path, content)
    assert "own text é.txt" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_does_not_exist_is_refused_by_its_flag(tmp_path):
    with pytest.raises(DataError, match="--text=.*nothing is not a file"):
        read_text("--text", str(tmp_path / "nothing"))
    with pytest.raises(DataError, match="is not a file"):
        read_text("--text", str(tmp_path))


def test_another_shakespeare_is_refused(tmp_path):
    with pytest.raises(DataAbsentError, match="does not exist"):
        characters.read_shakespeare(tmp_path)
    path = tmp_path / "text" / "tinyshakespeare" / "input.txt"
    path.parent.mkdir(parents=True)
    path.write_text("To be, or not to be")
    with pytest.raises(DataError, match="SHA-256"):
        characters.read_shakespeare(tmp_path)


def test_the_poem_that_python_ships_is_read():
    text = joined(characters.read_zen())
    assert text.startswith("The Zen of Python, by Tim Peters\n\nBeautiful is better than ugly.\n")


def test_a_character_outside_the_vocabulary_is_named():
    assert encode("ba", ("a", "b")).tolist() == [1, 0]
    with pytest.raises(DataError, match="character 'z' at place 1 of 'azb' does not occur"):
        encode("azb", ("a", "b"))
    np.testing.assert_array_equal(encode("az", ("a", UNKNOWN)), [0, 1])


def test_tinyshakespeare_has_its_published_counts():
    folder = os.environ.get("LECTURE_MODELS_DATA")
    if not folder or not Path(folder, "text", "tinyshakespeare", "input.txt").is_file():
        pytest.skip("$LECTURE_MODELS_DATA has no text/tinyshakespeare/input.txt")
    dataset = characters.read_shakespeare(Path(folder))
    assert len(dataset.vocabularies["tokens"]) == 65
    assert [split["tokens"].lengths[0] for split in dataset[:3]] == [1_003_854, 55_770, 55_770]
