import itertools

import jax
import numpy as np
import optax
import pytest

from lecture_models.data.made_chorales import make
from lecture_models.data.window_batches import WindowBatches
from lecture_models.evaluators.piano_rolls import read_pieces
from lecture_models.models.roll_rnn import RollRNN
from lecture_models.steps.best_so_far import scale_by_factor
from lecture_models.tasks.roll_training import Checks, init_rolls, make_step

MODEL = RollRNN((6,))
STEPS = 24


def train(checks, learning_rate=3e-2, steps=STEPS):
    """Returns the state after training on made chorales, all metrics, and the validation pieces."""
    dataset = make()
    optimizer = optax.chain(optax.adam(learning_rate), scale_by_factor())
    validation = dataset.validation["frames"][:4]
    batches = WindowBatches(dataset.train["frames"][:12], 4, 16, seed=0)
    step = jax.jit(make_step(MODEL, optimizer, validation, checks))
    state = init_rolls(MODEL, optimizer, 4, jax.random.key(0))
    metrics = []
    for number, batch in enumerate(itertools.islice(batches(0), steps)):
        state, found = step(state, batch, jax.random.fold_in(jax.random.key(1), number))
        metrics.append({name: float(value) for name, value in found.items()})
    return state, metrics, validation


@pytest.fixture(scope="module")
def trained():
    return train(Checks(5, STEPS, lower_rate=False))


def test_training_lowers_the_nats(trained):
    _, metrics, _ = trained
    assert metrics[0]["nats"] == pytest.approx(88 * np.log(2), rel=0.05)
    assert metrics[-1]["nats"] < 0.6 * metrics[0]["nats"]


def test_the_network_is_checked_when_due_and_after_the_last_step(trained):
    _, metrics, _ = trained
    values = [found["validation_nats"] for found in metrics]
    changes = [
        step for step in range(1, STEPS + 1) if step == 1 or values[step - 1] != values[step - 2]
    ]
    assert changes == [1, 5, 10, 15, 20, STEPS]
    assert values[0] == pytest.approx(88 * np.log(2))


def test_the_best_network_has_the_nats_that_were_found(trained):
    state, metrics, validation = trained
    assert float(state.best.loss) == min(found["validation_nats"] for found in metrics)
    read = read_pieces(MODEL, state.best.params, validation).per_frame
    assert read == pytest.approx(float(state.best.loss), rel=1e-5)


@pytest.mark.slow
def test_the_rate_falls_only_if_asked_to():
    # So high a rate that the validation loss rises again and again.
    lowered, kept = (
        train(Checks(1, 30, lower_rate), learning_rate=2.0, steps=30)[0]
        for lower_rate in (True, False)
    )
    factors = [float(state.network.optimizer_state[-1].factor) for state in (lowered, kept)]
    assert factors[0] <= 0.1
    assert factors[1] == 1.0
