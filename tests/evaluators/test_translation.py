import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.evaluators.translation import (
    Languages,
    align,
    nats_per_word,
    translate,
)
from lecture_models.evaluators.word_writing import END, spell
from lecture_models.models.translator import Translator

WORDS = ("<unknown>", "<start>", "<end>", "a", "b", "c", "d")
LANGUAGES = Languages(WORDS, WORDS, 6)
TEXTS = ["a b c", "d", "b b a c d a", "c a"]


@pytest.fixture(scope="module")
def trained():
    model = Translator(len(WORDS), len(WORDS), 4, 3, 5, 3, 0)
    tokens = jnp.ones((1, 2), jnp.int32)
    variables = jax.jit(model.init)(jax.random.key(3), tokens, tokens > 0, tokens)
    # Larger weights make the words that it prefers clear; a bias lets its sentences end.
    params = jax.tree.map(lambda array: 2.0 * array, variables["params"])
    params["decoder"]["head"]["bias"] = jnp.zeros(len(WORDS)).at[END].set(1.5)
    return model, params


def test_translations_do_not_depend_on_their_neighbors(trained):
    together = translate(*trained, LANGUAGES, TEXTS)
    assert [found.texts for found in together] == [
        translate(*trained, LANGUAGES, [text])[0].texts for text in TEXTS
    ]


def test_the_probability_of_a_translation_is_that_of_reading_it(trained):
    checked = 0
    for source, found in zip(TEXTS, translate(*trained, LANGUAGES, TEXTS, beam=6), strict=True):
        for text, value, ended in zip(*found, strict=True):
            words = len(text.split()) + 1
            if ended and words <= LANGUAGES.most_words:
                nats = nats_per_word(*trained, LANGUAGES, [source], [text])
                assert -value == pytest.approx(words * nats, rel=1e-3)
                checked += 1
    assert checked > 3


def test_a_wider_search_finds_no_less_probable_translation(trained):
    greedy = translate(*trained, LANGUAGES, TEXTS)
    wide = translate(*trained, LANGUAGES, TEXTS, beam=6)
    for one, other in zip(greedy, wide, strict=True):
        assert other.log_probabilities[0] >= one.log_probabilities[0] - 1e-4
        assert len(set(other.texts)) == 6


def test_unknown_words_and_empty_sentences_are_translated_too(trained):
    found = translate(*trained, LANGUAGES, ["", "zzz zzz"])
    assert len(found) == 2
    assert all("<" not in word.texts[0] for word in found)


def test_an_alignment_has_a_row_for_each_written_word(trained):
    (found,) = align(*trained, LANGUAGES, ["a zzz c"], ["b d"])
    assert found.source == ("a", "<unknown>", "c", "<end>")
    assert found.target == ("b", "d", "<end>")
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, rtol=1e-5)


def test_long_sentences_are_cut():
    assert LANGUAGES.read_source(["a " * 50]).lengths.tolist() == [7]


def test_a_sentence_ends_at_its_first_end():
    assert spell(np.array([3, 4, 2, 5]), WORDS) == "a b"
