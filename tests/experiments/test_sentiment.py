"""Tests what sentiment adds to the parts that it composes."""

import dataclasses

import jax
import pytest

from experiments import sentiment
from experiments.sentiment import Config
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library

SMOKE = Config(**sentiment.SMOKE)


def build(**changes):
    return sentiment.build(dataclasses.replace(SMOKE, **changes), Library(None, print))


def trained(steps, **changes):
    experiment = build(num_steps=steps, **changes)
    state, step = jax.jit(experiment.init)(jax.random.key(0)), jax.jit(experiment.step)
    for number, batch in zip(range(steps), experiment.batches(0), strict=False):
        state, _ = step(state, batch, jax.random.fold_in(jax.random.key(1), number))
    return experiment.evaluate(state, jax.random.key(2))


@pytest.mark.slow
def test_negations_are_learned_and_explained():
    results = trained(
        150,
        folds=0,
        cnn=True,
        widths=(3,),
        filters=24,
        embedding=16,
        learning_rate=2e-2,
        dropout=0.1,
        embedding_dropout=0.0,
        batch_size=32,
        word_dropout=0.0,
        say="the film was good | the film was not good",
    )
    assert results["test_macro_recall_percent"] > 80.0  # Without order about 73.
    first, second = results["say"].split("\n")
    assert first.startswith("[positive ")
    assert second.startswith("[negative ")
    (own, linear, frequent) = results["comparison"].rows
    assert own[0] == "this CNN"
    assert float(linear[2]) == pytest.approx(results["linear_test_percent"], abs=0.01)
    assert float(frequent[2]) == pytest.approx(100.0 / 3.0, abs=0.01)
    assert "folds" not in results


@pytest.mark.slow
def test_texts_without_a_test_split_are_judged_in_ten_folds(tmp_path):
    path = tmp_path / "own.csv"
    rows = [f"{'good' if n % 2 else 'bad'} thing {n},{n % 2}" for n in range(40)]
    path.write_text("text,label\n" + "\n".join(rows))
    results = trained(
        1, csv=str(path), folds=-1, batch_size=16, cnn=True, widths=(2,), filters=3, say=""
    )
    assert [row[0] for row in results["folds"].rows] == list(range(10))
    means = [sum(row[column] for row in results["folds"].rows) / 10 for column in (1, 2)]
    assert results["test_macro_recall_percent"] == pytest.approx(means[0], abs=1e-3)
    assert results["linear_test_percent"] == pytest.approx(means[1], abs=1e-3)
    assert means[1] == 100.0
    assert "say" not in results


def test_the_test_texts_are_used_after_the_last_step_alone():
    experiment = build()
    state = jax.jit(experiment.init)(jax.random.key(0))
    results = experiment.evaluate(state, jax.random.key(1))
    assert not [name for name in results if name.startswith(("test", "comparison", "linear"))]
    assert "validation_words" in results


def test_every_protocol_names_a_score():
    for protocol in (*sentiment.PROTOCOLS.values(), sentiment.OTHERS):
        assert protocol.metric in sentiment.SCORES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folds": 2}, "--folds is 2; it must be -1, 0, or at least 3"),
        ({"widths": ()}, "must each have at least one value"),
        ({"say": "good | "}, "a sentence between | must have words"),
        ({"dropout": 1.0}, "--dropout is 1.0; it must be from 0.0 to 0.95"),
        ({"checks": 0}, "--checks is 0; it must be at least 1"),
    ],
)
def test_values_outside_their_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        Config(**changes)


def test_data_without_texts_are_refused():
    with pytest.raises(DataError, match="digits has no texts with two or more classes"):
        build(dataset="digits")
    with pytest.raises(DataError, match="--batch_size is 9999"):
        build(batch_size=9999)
