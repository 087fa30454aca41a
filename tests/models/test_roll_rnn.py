import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.models.roll_rnn import RollRNN
from lecture_models.nn.recurrent_cells import gru, rnn


def made(model, key=0):
    frames = jax.random.bernoulli(jax.random.key(key), 0.3, (2, 5, model.keys)).astype(float)
    return model.init(jax.random.key(1), frames), frames


def count(model):
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 1, model.keys)))
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(shapes))


def test_the_network_of_the_paper_has_the_parameters_of_its_layers():
    # 4 (h (h + x) + h) for each layer, and the last layer.
    layers = 4 * (200 * 288 + 200) + 4 * (200 * 400 + 200)
    assert count(RollRNN((200, 200))) == layers + 201 * 88
    assert count(RollRNN((200,), gru())) == 3 * (200 * 288 + 200) + 200 + 201 * 88
    assert count(RollRNN((200,), rnn())) == 200 * 288 + 200 + 201 * 88


@pytest.mark.parametrize("features", [(4,), (4, 3)])
def test_single_steps_give_what_the_whole_sequence_gives(features):
    model = RollRNN(features, keys=6)
    variables, frames = made(model)
    _, whole = model.apply(variables, frames)
    carries = model.zero_carries(2)
    for time in range(5):
        carries, logits = model.apply(variables, carries, frames[:, time], method="step")
        np.testing.assert_allclose(logits, whole[:, time], atol=1e-5)


def test_a_later_frame_does_not_change_an_earlier_prediction():
    model = RollRNN((4,), keys=6)
    variables, frames = made(model)
    _, before = model.apply(variables, frames)
    _, after = model.apply(variables, frames.at[:, 3].set(1.0 - frames[:, 3]))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert (np.abs(before[:, 3:] - after[:, 3:]) > 1e-6).any()


def test_dropout_acts_while_training_alone():
    model = RollRNN((4,), keys=6, dropout=0.5, input_dropout=0.5)
    variables, frames = made(model)
    _, plain = model.apply(variables, frames)
    _, again = model.apply(variables, frames)
    _, dropped = model.apply(variables, frames, training=True, rngs={"dropout": jax.random.key(2)})
    np.testing.assert_array_equal(plain, again)
    assert (np.abs(plain - dropped) > 1e-3).any()
