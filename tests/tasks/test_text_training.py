"""Tests that folds trained side by side are independent, and that the best network is kept."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.data import made_opinions
from lecture_models.metrics.macro_scores import SCORES
from lecture_models.models.text_classifier import ConvolutionEncoder, TextClassifier
from lecture_models.tasks import text_training
from lecture_models.tasks.text_folds import TEST, VALIDATION, make_folds, part_arrays
from lecture_models.tasks.text_training import (
    Schedule,
    fold_scores,
    init_folds,
    judge,
    make_batches,
    make_step,
)

FOLDS = make_folds(made_opinions.make(), 3, 2, 60)
MODEL = TextClassifier(
    len(FOLDS.vocabulary),
    3,
    ConvolutionEncoder((2,), 4),
    embedding=5,
    dropout=0.0,
    embedding_dropout=0.0,
)


def trained(steps, rate=0.05, every=2, **options):
    optimizer = optax.adam(rate)
    state = init_folds(MODEL, optimizer, 3, jax.random.key(0))
    step = jax.jit(
        make_step(MODEL, optimizer, FOLDS, "macro recall", Schedule(every, steps), **options)
    )
    states = []
    for number, batch in zip(range(steps), make_batches(FOLDS, 64, 0, True)(0), strict=False):
        state, _ = step(state, batch, jax.random.fold_in(jax.random.key(1), number))
        states.append(state)
    return states


def test_a_fold_learns_nothing_from_texts_of_weight_zero():
    optimizer = optax.sgd(0.1)
    state = init_folds(MODEL, optimizer, 3, jax.random.key(0))
    step = jax.jit(make_step(MODEL, optimizer, FOLDS, "macro recall", Schedule(9, 9)))
    batch = make_batches(FOLDS, 64, 0, True).batch(0)
    other = {**batch, "labels": np.where(batch["fold_weights"][:, 0] > 0, batch["labels"], 0)}
    assert (other["labels"] != batch["labels"]).any()
    found, changed = (step(state, given, jax.random.key(1))[0] for given in (batch, other))
    same = [
        jnp.array_equal(*arrays)
        for arrays in zip(
            *(jax.tree.leaves(after.networks.params) for after in (found, changed)), strict=True
        )
    ]
    assert not all(same)
    for one, two in zip(
        *(jax.tree.leaves(after.networks.params) for after in (found, changed)), strict=True
    ):
        np.testing.assert_array_equal(one[0], two[0])


def test_the_best_checked_networks_are_kept():
    states = trained(6)
    validation = part_arrays(FOLDS, VALIDATION)
    scores = {
        number: fold_scores(MODEL, states[number - 1].networks.params, validation, "macro recall")
        for number in (2, 4, 6)
    }
    best = states[-1].best
    np.testing.assert_allclose(
        best.scores, np.max([np.asarray(row) for row in scores.values()], axis=0), atol=1e-6
    )
    for fold, number in enumerate(np.asarray(best.steps)):
        kept = jax.tree.leaves(best.params)[0][fold]
        np.testing.assert_array_equal(
            kept, jax.tree.leaves(states[number - 1].networks.params)[0][fold]
        )
    np.testing.assert_array_equal(states[0].best.scores, [-1.0] * 3)


def test_texts_are_judged_by_the_network_of_their_fold(monkeypatch):
    params = trained(2)[-1].networks.params
    judged = judge(MODEL, params, FOLDS, TEST)
    assert len(judged.labels) == 900
    scores = fold_scores(MODEL, params, part_arrays(FOLDS, TEST), "accuracy")
    np.testing.assert_allclose(SCORES["accuracy"](judged.confusions), scores, atol=1e-6)
    row = 350
    fold, words = judged.folds[row], judged.texts[row]
    numbers = [FOLDS.vocabulary.index(word) if word in FOLDS.vocabulary else 0 for word in words]
    tokens = jnp.array([[n if FOLDS.known[fold, n] else 0 for n in numbers]])
    own = jax.tree.map(lambda array: array[fold], params)
    logits = MODEL.apply({"params": own}, tokens, jnp.array([len(words)]))
    np.testing.assert_allclose(judged.logits[row], logits[0], atol=1e-5)
    monkeypatch.setattr(text_training, "CHUNK", 21)
    jax.clear_caches()
    np.testing.assert_allclose(judge(MODEL, params, FOLDS, TEST).logits, judged.logits, atol=1e-5)


def test_the_last_weights_of_a_class_are_limited():
    states = trained(3, rate=0.5, max_norm=0.7)
    norms = np.linalg.norm(states[-1].networks.params["head"]["kernel"], axis=1)
    assert norms.max() < 0.7 + 1e-5
    free = np.linalg.norm(trained(3, rate=0.5)[-1].networks.params["head"]["kernel"], axis=1)
    assert free.max() > 0.8
