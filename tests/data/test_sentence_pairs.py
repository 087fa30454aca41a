import gzip

import pytest

from lecture_models.data import sentence_pairs
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.made_number_names import english, german, make
from lecture_models.data.sentence_pairs import read_multi30k, read_own_pairs
from lecture_models.data.words import split_sentence

LINES = [f"satz {number}" for number in range(30)]


def write(folder, source=LINES, target=LINES, end="\n"):
    paths = folder / "source.txt", folder / "target.txt"
    for path, lines in zip(paths, (source, target), strict=True):
        path.write_bytes((end.join(lines) + end).encode())
    return ",".join(map(str, paths))


def test_lines_stay_together_and_each_tenth_tests(tmp_path):
    dataset = read_own_pairs("--pairs", write(tmp_path, target=[line.upper() for line in LINES]))
    assert [len(split) for split in dataset[:3]] == [24, 3, 3]
    assert list(dataset.test["source_texts"]) == ["satz 9", "satz 19", "satz 29"]
    assert list(dataset.test["target_texts"]) == ["SATZ 9", "SATZ 19", "SATZ 29"]


def test_windows_ends_of_lines_and_a_byte_order_mark_are_no_text(tmp_path):
    dataset = read_own_pairs("--pairs", write(tmp_path, ["\ufeffeins", *LINES[1:]], end="\r\n"))
    assert dataset.train["source_texts"][0] == "eins"
    assert not any("\r" in text for text in dataset.train["target_texts"])


def test_pairs_without_text_are_skipped_and_counted(tmp_path):
    dataset = read_own_pairs("--pairs", write(tmp_path, ["", "  ", *LINES[2:]]))
    assert sum(len(split) for split in dataset[:3]) == 28
    assert dataset.provenance.note == "2 pairs without text skipped"


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (LINES, LINES[1:], "has 30 lines and .* has 29 lines; line by line"),
        (LINES[:19], LINES[:19], "has 19 pairs with text on both sides; at least 20"),
        (["\0", *LINES[1:]], LINES, "NUL byte at offset 0"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, source, target, message):
    with pytest.raises(DataError, match=message):
        read_own_pairs("--pairs", write(tmp_path, source, target))


def test_names_of_files_are_checked(tmp_path):
    with pytest.raises(DataError, match="it must be two files, SOURCE,TARGET"):
        read_own_pairs("--pairs", "one.txt")
    with pytest.raises(DataError, match="none.txt is not a file"):
        read_own_pairs("--pairs", f"{tmp_path / 'none.txt'},{tmp_path / 'none.txt'}")


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path):
    names = write(tmp_path)
    (tmp_path / "source.txt").write_bytes(b"eins\nzw\xff\n")
    with pytest.raises(DataError, match="line 2: byte 0xff is not UTF-8"):
        read_own_pairs("--pairs", names)


def test_multi30k_has_as_many_lines_as_published(tmp_path, monkeypatch):
    with pytest.raises(DataAbsentError, match="does not exist"):
        read_multi30k("de", "en", tmp_path)
    monkeypatch.setattr(sentence_pairs, "COUNTS", {"train": 2, "val": 1, "test_2016_flickr": 1})
    folder = tmp_path / sentence_pairs.FOLDER
    folder.mkdir(parents=True)
    for name, count in sentence_pairs.COUNTS.items():
        for language in ("de", "en"):
            lines = "".join(f"{language} {number}\n" for number in range(count))
            (folder / f"{name}.{language}.gz").write_bytes(gzip.compress(lines.encode()))
    dataset = read_multi30k("de", "en", tmp_path)
    assert list(dataset.train["source_texts"]) == ["de 0", "de 1"]
    assert list(dataset.test["target_texts"]) == ["en 0"]
    assert len(dataset.provenance.files) == 6
    (folder / "val.en.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    with pytest.raises(DataError, match="val.en.gz has 2 lines; it must have 1"):
        read_multi30k("de", "en", tmp_path)


@pytest.mark.parametrize(
    ("number", "source", "target"),
    [
        (2, "zwei", "two"),
        (21, "ein und zwanzig", "twenty one"),
        (101, "ein hundert eins", "one hundred one"),
        (1_001, "ein tausend eins", "one thousand one"),
        (
            345_612,
            "drei hundert fünf und vierzig tausend sechs hundert zwölf",
            "three hundred forty five thousand six hundred twelve",
        ),
    ],
)
def test_numbers_are_written_out(number, source, target):
    assert german(number) == source
    assert english(number) == target


def test_made_pairs_share_no_number_between_splits():
    dataset = make()
    seen = [{text.rsplit(" ", 2)[0] for text in split["target_texts"]} for split in dataset[:3]]
    assert len(set.union(*seen)) == sum(map(len, seen))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man's T-shirt, no. 5.", ["a", "man's", "t-shirt", ",", "no", ".", "5", "."]),
        ("Um 10:30 für 1.000,50", ["um", "10:30", "für", "1.000,50"]),
        ("„So\u200b!“", ["„", "so", "!", "“"]),
        ("", []),
    ],
)
def test_a_sentence_is_cut_into_words(text, words):
    assert split_sentence(text) == words


def test_a_sentence_has_the_same_n_grams_for_bleu_before_and_after():
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    cut = Tokenizer13a()
    for text in ("two dog's tails, 3.5 meters long!", "a well-known man (left) says: don't."):
        assert cut(text) == cut(" ".join(split_sentence(text)))
