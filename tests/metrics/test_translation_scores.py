import math

import pytest

from lecture_models.metrics.translation_scores import bleu, score_texts

SENTENCE = "the quick brown fox jumps over the lazy dog"


def test_equal_texts_score_one_hundred_in_any_case():
    found = score_texts([SENTENCE.upper()], [(SENTENCE,)])
    assert found.bleu == pytest.approx(100.0)
    assert found.chrf == pytest.approx(100.0)
    assert "case:lc" in found.signature
    assert "tok:13a" in found.signature


def test_bleu_alone_is_the_same_bleu():
    texts, references = ["a dog runs home now"], [("the dog runs home now", "a dog walks home")]
    assert bleu(texts, references) == score_texts(texts, references).bleu


def test_an_empty_text_scores_nothing():
    assert score_texts([""], [(SENTENCE,)]).bleu == 0.0


def test_a_text_that_is_too_short_pays_the_brevity_penalty():
    found = score_texts(["the quick brown fox"], [(SENTENCE,)])
    assert found.brevity_penalty == pytest.approx(math.exp(1 - 9 / 4))
    assert found.bleu == pytest.approx(100.0 * found.brevity_penalty)


def test_bleu_of_low_orders_by_hand():
    # 8 of 9 words and 6 of 8 pairs occur in the reference.
    found = score_texts(["the quick brown fox jumps over the lazy cat"], [(SENTENCE,)])
    assert found.bleu_of_order(1) == pytest.approx(100.0 * 8 / 9)
    assert found.bleu_of_order(2) == pytest.approx(100.0 * math.sqrt(8 / 9 * 7 / 8))
    assert found.bleu_of_order(4) == pytest.approx(found.bleu)


def test_the_best_of_several_references_counts():
    one = score_texts([SENTENCE], [("something else entirely here", SENTENCE)])
    assert one.bleu == pytest.approx(100.0)


def test_references_must_be_as_many_for_each_text():
    with pytest.raises(ValueError, match="each text needs equally many"):
        score_texts(["a", "b"], [("a",), ("b", "c")])
    with pytest.raises(ValueError, match="each text needs equally many"):
        score_texts([], [])
