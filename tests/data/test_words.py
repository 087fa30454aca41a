"""Tests how texts are cut into words and words are numbered."""

import pytest

from lecture_models.data.words import (
    UNKNOWN,
    count_words,
    make_vocabulary,
    number_words,
    split_words,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop!", ["do", "n't", "stop", "!"]),
        ("It\u2019s Anna's", ["it", "'s", "anna", "'s"]),
        ("@User_1 see https://t.co/a?b=1#c", ["@user_1", "see", "http"]),
        ("#Happy http", ["#", "happy", "http"]),
        ("fine :-) <3 ;P", ["fine", ":-)", "<3", ";p"]),
        ("sooooooo", ["sooo"]),
        ("co-writer 9.5", ["co", "-", "writer", "9", ".", "5"]),
        ("été \u2764\ufe0f\U0001f602", ["été", "\u2764", "\U0001f602"]),
        ("a\tb\u00a0c\x85d", ["a", "b", "c", "d"]),
        ("  ", []),
    ],
)
def test_a_text_is_cut_into_words(text, words):
    assert split_words(text) == words


def test_no_more_words_are_read_than_asked_for():
    assert split_words("so " * 100_000, 3) == ["so"] * 3
    assert len(split_words("x" * 100_000)[0]) == 3


def test_rare_words_are_unknown():
    texts = [["a", "b", "a"], ["b", "c"]]
    vocabulary = make_vocabulary(count_words(texts), 2)
    assert vocabulary == (UNKNOWN, "a", "b")
    tokens = number_words([*texts, ["new"], []], vocabulary)
    assert [tokens[text].tolist() for text in range(4)] == [[1, 2, 1], [2, 0], [0], [0]]
