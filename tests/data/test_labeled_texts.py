"""Tests the readers of texts with classes, on files that the test writes and on the real ones."""

import gzip

import numpy as np
import pytest

from lecture_models.data import labeled_texts, made_opinions
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.lookup import Library


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(labeled_texts, "_TWEETS", {"train": 20, "test": 2})
    monkeypatch.setattr(labeled_texts, "_EMOTIONS", {"train": 3, "val": 1, "test": 1})
    monkeypatch.setattr(labeled_texts, "_POLARITY", {"neg": 10, "pos": 10})


def packed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))


def tweets(tmp_path, train=None):
    rows = [f"2013train\tneutral\ttweet {number}" for number in range(20)]
    head = "part\tlabel\ttext\n"
    packed(tmp_path / "tweets-semeval2017/train.tsv.gz", head + "\n".join(train or rows) + "\n")
    packed(
        tmp_path / "tweets-semeval2017/test.tsv.gz",
        f"{head}t\tpositive\ta\ttab and \u2028 \r\nt\tnegative\tbad\r\n",
    )
    return labeled_texts.read_tweets(tmp_path)


def test_every_tenth_tweet_validates_and_tabs_belong_to_a_text(tmp_path, small):
    dataset = tweets(tmp_path)
    assert dataset.validation["texts"].tolist() == ["tweet 9", "tweet 19"]
    assert len(dataset.train) == 18
    assert dataset.test["texts"].tolist() == ["a\ttab and", "bad"]
    assert [dataset.classes[label] for label in dataset.test.labels] == ["positive", "negative"]
    assert [file.path.name for file in dataset.provenance.files] == ["train.tsv.gz", "test.tsv.gz"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2013train\tgood\twell", "line 2 has the label 'good'; it must be negative, neutral"),
        ("2013train\tneutral", "line 2 has 2 cells; it must have 3"),
        ("2013train\tneutral\t ", "line 2 has no text"),
        ("2013train\tneutral\ta\0b", "line 2 has a NUL character"),
        ("2013train\tneutral\tonly", "has 1 texts or labels; it must have 20: fetch it again"),
    ],
)
def test_damaged_tweets_are_refused_with_file_and_line(tmp_path, small, row, message):
    with pytest.raises(DataError, match=f"train.tsv.gz(, | ){message}"):
        tweets(tmp_path, [row])


def test_absent_and_cut_off_data_are_told_apart(tmp_path, small):
    with pytest.raises(DataAbsentError, match="tweets-semeval2017 does not exist in"):
        labeled_texts.read_tweets(tmp_path)
    tweets(tmp_path)
    path = tmp_path / "tweets-semeval2017/test.tsv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="test.tsv.gz is cut off"):
        labeled_texts.read_tweets(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="test.tsv.gz does not exist, although its folder does"):
        labeled_texts.read_tweets(tmp_path)


def emotions(tmp_path, labels="0\n1\n1\n"):
    folder = tmp_path / "tweets-emotion"
    for name, count in (("train", 3), ("val", 1), ("test", 1)):
        packed(folder / f"{name}_text.txt.gz", f"{name} text\n" * count)
        packed(folder / f"{name}_labels.txt.gz", labels if count == 3 else "1\n")
    (folder / "mapping.txt").write_text("0\tanger\n1\tjoy\n")
    return labeled_texts.read_emotions(tmp_path)


def test_emotions_keep_their_own_splits(tmp_path, small):
    dataset = emotions(tmp_path)
    assert dataset.classes == ("anger", "joy")
    assert dataset.train.labels.tolist() == [0, 1, 1]
    assert dataset.validation["texts"].tolist() == ["val text"]
    with pytest.raises(DataError, match="train_labels.txt.gz, line 3 is '2'; it must be 0 to 1"):
        emotions(tmp_path, "0\n1\n2\n")


def test_reviews_are_read_in_their_encoding(tmp_path, small):
    folder = tmp_path / "text/rt-polarity"
    folder.mkdir(parents=True)
    (folder / "rt-polarity.neg").write_bytes(b"so\x85 bad \n" * 10)
    (folder / "rt-polarity.pos").write_bytes("d\u00e9j\u00e0 vu\n".encode("cp1252") * 10)
    dataset = labeled_texts.read_polarity(tmp_path)
    assert set(dataset.train["texts"]) == {"so\u2026 bad", "d\u00e9j\u00e0 vu"}
    assert [len(split) for split in dataset[:3]] == [16, 2, 2]
    (folder / "rt-polarity.pos").write_bytes(b"well\n\x81\n")
    with pytest.raises(DataError, match="rt-polarity.pos, line 2: byte 0x81 is not cp1252"):
        labeled_texts.read_polarity(tmp_path)


def own(tmp_path, content, name="own texts é.csv"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return Library(None, print).labeled_texts("--csv", str(path))


def test_own_texts_are_found_by_the_names_of_the_columns(tmp_path):
    rows = [f'{number},{"yes" if number % 2 else "no"},"text, {number}"' for number in range(20)]
    dataset = own(tmp_path, "id,Label,text\r\n" + "\r\n".join(rows))
    assert dataset.classes == ("no", "yes")
    assert dataset.test["texts"].tolist() == ["text, 9", "text, 19"]
    assert dataset.test.labels.tolist() == [1, 1]
    dataset = own(tmp_path, "text\tlabel\n" + "a b\tx\nc d\ty\n" * 10, "t.tsv")
    assert len(dataset.train) == 16


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("words,class\na,b\n", "line 1 names words, class; two columns must be named text"),
        ("text,label\n,b\n", "line 2 has no text"),
        ("text,label\na,\n", "line 2 has no label"),
        ("text,label\na,b\nc\n", "line 3 has 1 cells; it must have 2"),
        ("text,label\n" + "a,b\n" * 30, "has 30 texts of 1 classes, the rarest with 30; it must"),
        ("text,label\n", "has 0 texts of 0 classes"),
    ],
)
def test_bad_tables_are_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        own(tmp_path, content)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"--csv=.*none.csv is not a file"):
        Library(None, print).labeled_texts("--csv", str(tmp_path / "none.csv"))


def test_made_opinions_need_the_order_of_words():
    dataset = made_opinions.make()
    assert [len(split) for split in dataset[:3]] == [600, 100, 200]
    np.testing.assert_array_equal(dataset.train["texts"], made_opinions.make().train["texts"])
    negated = [" not " in text for text in dataset.train["texts"]]
    assert 0.3 < np.mean(negated) < 0.5
    for text, label in zip(dataset.train["texts"], dataset.train.labels, strict=True):
        if " good" in text:
            assert dataset.classes[label] == ("negative" if " not " in text else "positive")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "sizes", "classes"),
    [
        ("tweets", (44_613, 4_957, 12_284), (6_957, 19_946, 17_710)),
        ("tweets_emotion", (3_257, 374, 1_421), (1_400, 708, 294, 855)),
        ("rt_polarity", (8_530, 1_066, 1_066), (4_265, 4_265)),
    ],
)
def test_the_real_data_have_their_published_sizes(real_data, name, sizes, classes):
    if not (real_data / "tweets-semeval2017").is_dir():
        pytest.skip("the texts are absent")
    dataset = Library(real_data, print).load(name)
    assert tuple(len(split) for split in dataset[:3]) == sizes
    assert tuple(np.bincount(dataset.train.labels)) == classes
