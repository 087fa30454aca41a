"""Tests what char_rnn adds to the parts that it composes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import char_rnn
from experiments.char_rnn import CarriedState, Config
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.models.token_rnn import TokenRNN

SMOKE = Config(**char_rnn.SMOKE)


def build(**changes):
    return char_rnn.build(dataclasses.replace(SMOKE, **changes), Library(None, print))


def test_a_step_reads_on_from_the_carried_state():
    experiment = build(dropout=0.0, learning_rate=0.0)
    model = TokenRNN(len(Library(None, print).load("zen").vocabularies["tokens"]), (8,))
    state = experiment.init(jax.random.key(0))
    step = jax.jit(experiment.step)
    first, second = experiment.batches.batch(0), experiment.batches.batch(1)
    for batch in (first, second):
        state, metrics = step(state, batch, jax.random.key(1))
    both = np.concatenate([first["tokens"], second["tokens"][:, 1:]], axis=1)
    variables = {"params": state.network.params}
    carries, logits = model.apply(variables, jnp.asarray(both[:, :-1]))
    for ours, expected in zip(
        jax.tree.leaves(state.carries), jax.tree.leaves(carries), strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    log_probability = np.asarray(jax.nn.log_softmax(logits))[:, 8:]
    nats = -np.take_along_axis(log_probability, both[:, 9:, None], axis=2).mean()
    assert float(metrics["nats"]) == pytest.approx(nats, abs=1e-5)


def test_a_new_epoch_begins_with_an_empty_state():
    experiment = build(learning_rate=0.0, dropout=0.0)
    state = experiment.init(jax.random.key(0))
    full = CarriedState(state.network, jax.tree.map(jnp.ones_like, state.carries))
    batch = experiment.batches.batch(experiment.batches.steps_per_epoch)
    assert batch["fresh"].all()
    step = jax.jit(experiment.step)
    for one, other in zip(
        jax.tree.leaves(step(full, batch, jax.random.key(1))[0].carries),
        jax.tree.leaves(step(state, batch, jax.random.key(1))[0].carries),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_the_schedule_of_char_rnn_falls_after_ten_epochs():
    config = Config(**char_rnn.PAPER)
    optimizer = char_rnn.make_optimizer(config, 4)
    params = {"weight": jnp.zeros(3)}
    state, update = optimizer.init(params), jax.jit(optimizer.update)
    gradient = {"weight": jnp.full(3, 1e-2)}
    sizes = []
    for _ in range(120):
        updates, state = update(gradient, state)
        sizes.append(float(updates["weight"][0]))
    # RMSProp's mean of squares has settled, and ten epochs of 4 steps are long over.
    assert sizes[119] / sizes[115] == pytest.approx(0.97, rel=0.02)
    assert sizes[119] / sizes[79] == pytest.approx(0.97**10, rel=0.05)


def test_bad_inputs_are_refused_before_the_training(tmp_path):
    with pytest.raises(DataError, match="character 'Z' at place 1 of 'aZ' does not occur"):
        build(prompt="aZ", text=written(tmp_path, "a house of words\n" * 30))
    with pytest.raises(DataError, match="with --batch_size=4 and --chunk=8 it must have at least"):
        build(text=written(tmp_path, "a house of words\n" * 3))
    with pytest.raises(DataError, match="--dataset=digits is not a text"):
        build(dataset="digits")


def written(tmp_path, text):
    path = tmp_path / "text.txt"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperatures": (0.5, -1.0)}, "--temperatures is -1.0; it must be at least 0"),
        ({"nucleus": 0.0}, "--nucleus is 0.0; it must be from 0.01 to 1.0"),
        ({"chunk": 1}, "--chunk is 1; it must be at least 2"),
        ({"features": ()}, "must each have at least one value"),
    ],
)
def test_values_outside_their_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**changes)


def test_the_samples_continue_the_prompt(tmp_path):
    experiment = build(
        text=written(tmp_path, "a house of words\n" * 30), prompt="a house", one_to_many=True
    )
    state = experiment.init(jax.random.key(0))
    results = experiment.evaluate(state, jax.random.key(1))
    samples = [text for name, text in results.items() if name.startswith("sample_")]
    assert len(samples) == len(SMOKE.temperatures) + 2
    for sample in samples:
        assert sample.split("]\n")[1].startswith("a house")
        assert len(sample.split("]\n")[1]) == len("a house") + SMOKE.sample_length
    rows = results["one_to_many"].rows
    assert [row[0] for row in rows] == [
        repr(character) for character in sorted(set("a house of words\n"))
    ]
    both = (results["validation_nats"] + results["test_nats"]) / 2.0
    assert results["held_out_nats"] == pytest.approx(both, rel=0.01)
