"""Tests how texts are explained by their words, and the baselines that count words."""

import jax
import numpy as np
import optax

from lecture_models.data import made_opinions
from lecture_models.models.text_classifier import RecurrentEncoder, TextClassifier
from lecture_models.tasks.text_folds import TEST, make_folds
from lecture_models.tasks.text_results import counting_baselines, explain, word_picture
from lecture_models.tasks.text_training import init_folds, judge

FOLDS = make_folds(made_opinions.make(), 3, 2, 60)
MODEL = TextClassifier(len(FOLDS.vocabulary), 3, RecurrentEncoder((4,)), embedding=5)
PARAMS = init_folds(MODEL, optax.sgd(0.1), 3, jax.random.key(0)).networks.params
TEXTS = [["the", "film", "was", "good"], ["unheard", "words"], ["not"] * 30]


def test_a_text_is_explained_as_if_it_were_alone():
    logits, contributions = explain(MODEL, PARAMS, FOLDS, TEXTS)
    assert [len(row) for row in contributions] == [4, 2, 30]
    for number, text in enumerate(TEXTS):
        alone, (own,) = explain(MODEL, PARAMS, FOLDS, [text])
        np.testing.assert_allclose(alone[0], logits[number], atol=1e-6)
        np.testing.assert_allclose(own, contributions[number], atol=1e-6)
    many, _ = explain(MODEL, PARAMS, FOLDS, TEXTS * 5)
    np.testing.assert_allclose(many, np.tile(logits, (5, 1)), atol=1e-6)


def test_the_first_fold_explains_with_the_words_that_it_knows():
    judged = judge(MODEL, PARAMS, FOLDS, TEST)
    logits, _ = explain(MODEL, PARAMS, FOLDS, list(judged.texts[:5]))
    np.testing.assert_allclose(logits, judged.logits[:5], atol=1e-5)
    picture = word_picture(MODEL, PARAMS, FOLDS, TEXTS, np.array([0, 1, 2]))
    assert np.ptp(np.asarray(picture.pixels)) > 1.0


def test_counting_beats_the_most_frequent_class():
    judged = judge(MODEL, PARAMS, FOLDS, TEST)
    linear, frequent = counting_baselines(FOLDS, judged, "accuracy", balanced=False).values()
    shares = [row.confusions.trace(axis1=1, axis2=2).sum() / 900 for row in (linear, frequent)]
    assert shares[1] == np.bincount(FOLDS.labels).max() / 900
    assert shares[0] > shares[1] + 0.2
