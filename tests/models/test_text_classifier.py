"""Tests that texts are classified regardless of their padding, as by plain sums over windows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.text_classifier import (
    ConvolutionEncoder,
    RecurrentEncoder,
    TextClassifier,
)

ENCODERS = {
    "lstm": RecurrentEncoder((5,)),
    "mean": RecurrentEncoder((5,), mean=True),
    "both": RecurrentEncoder((4, 3), bidirectional=True),
    "cnn": ConvolutionEncoder((1, 3, 5), 4),
}
TOKENS = jnp.array([[3, 1, 4, 1, 5], [2, 6, 0, 0, 0]])
LENGTHS = jnp.array([5, 2])


def network(name):
    model = TextClassifier(7, 3, ENCODERS[name], 6, scale=1.0)
    return model, jax.jit(model.init)(jax.random.key(0), TOKENS, LENGTHS)


@pytest.mark.parametrize("name", ENCODERS)
def test_padding_changes_nothing(name):
    model, variables = network(name)
    logits = model.apply(variables, TOKENS, LENGTHS)
    longer = jnp.pad(TOKENS, ((0, 0), (0, 4)), constant_values=5)
    np.testing.assert_allclose(model.apply(variables, longer, LENGTHS), logits, atol=1e-6)
    alone = model.apply(variables, TOKENS[1:, :2], LENGTHS[1:])
    np.testing.assert_allclose(alone, logits[1:], atol=1e-6)
    gradient = jax.grad(
        lambda embedded: model.apply(variables, embedded, LENGTHS, method="classify").sum()
    )(model.apply(variables, longer, method="embed"))
    assert np.isfinite(gradient).all()
    assert not np.asarray(gradient)[1, 2:].any()
    assert np.asarray(gradient)[1, :2].any()


@pytest.mark.parametrize("name", ENCODERS)
def test_the_order_of_words_matters(name):
    model, variables = network(name)
    turned = model.apply(variables, TOKENS[:1, ::-1], LENGTHS[:1])
    logits = model.apply(variables, TOKENS[:1], LENGTHS[:1])
    assert float(jnp.abs(turned - logits).max()) > 1e-4


def test_a_bag_of_words_has_no_order():
    model = TextClassifier(7, 3, ConvolutionEncoder((1,), 4), 6, scale=1.0)
    variables = model.init(jax.random.key(0), TOKENS, LENGTHS)
    logits = model.apply(variables, TOKENS[:1], LENGTHS[:1])
    turned = model.apply(variables, TOKENS[:1, ::-1], LENGTHS[:1])
    np.testing.assert_allclose(turned, logits, atol=1e-6)


def test_convolutions_are_the_maxima_over_sliding_windows():
    model, variables = network("cnn")
    params = jax.tree.map(np.asarray, variables["params"])
    features = []
    for width in (1, 3, 5):
        kernel, bias = (params["encoder"][f"{kind}_{width}"] for kind in ("kernel", "bias"))
        rows = []
        for tokens, length in zip(np.asarray(TOKENS), np.asarray(LENGTHS), strict=True):
            words = params["words"]["embedding"][tokens[:length]]
            border = np.zeros((width - 1, 6))
            words = np.concatenate([border, words, border])
            windows = [words[begin : begin + width] for begin in range(len(words) - width + 1)]
            sums = [np.einsum("wd,wdf->f", window, kernel) + bias for window in windows]
            rows.append(np.maximum(sums, 0.0).max(axis=0))
        features.append(np.array(rows))
    expected = np.concatenate(features, axis=1) @ params["head"]["kernel"] + params["head"]["bias"]
    np.testing.assert_allclose(model.apply(variables, TOKENS, LENGTHS), expected, atol=1e-5)


def test_all_training_words_are_dropped_where_the_share_is_one():
    model, variables = network("lstm")
    dropping = TextClassifier(7, 3, ENCODERS["lstm"], 6, 0.0, 0.0, word_dropout=1.0)
    logits = dropping.apply(
        variables, TOKENS, LENGTHS, training=True, rngs={"dropout": jax.random.key(1)}
    )
    unknown = model.apply(variables, jnp.zeros_like(TOKENS), LENGTHS)
    np.testing.assert_allclose(logits, unknown, atol=1e-6)
