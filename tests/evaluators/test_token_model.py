"""Tests reading and writing with a language model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.evaluators import token_model
from lecture_models.evaluators.token_model import read_tokens, write_tokens
from lecture_models.models.token_rnn import TokenRNN, reset_where
from lecture_models.nn.sampling import SamplingRule

MODEL = TokenRNN(6, (7, 5))


@pytest.fixture(scope="module")
def params():
    params = MODEL.init(jax.random.key(0), jnp.zeros((1, 1), jnp.int32))["params"]
    return jax.tree.map(lambda leaf: 1.5 * leaf, params)


def tokens_of(count):
    return np.random.default_rng(count).integers(0, 6, count).astype(np.int32)


def test_each_stretch_is_read_after_its_context_and_counted_once(params, monkeypatch):
    for name, value in (("ROWS", 3), ("CHUNK", 16), ("CONTEXT", 4)):
        monkeypatch.setattr(token_model, name, value)
    before, tokens = tokens_of(9), tokens_of(50)
    reading = read_tokens(MODEL, params, before, tokens, keep_states=True)
    assert reading.nats.shape == (50,)
    assert reading.states.shape == (50, 5)
    whole = np.concatenate([before[-4:], tokens])
    for first in (0, 17, 34):
        stretch = whole[first : first + 4 + 17]
        _, logits = MODEL.apply({"params": params}, jnp.asarray(stretch[None, :-1]))
        log_probability = np.asarray(jax.nn.log_softmax(logits))[0]
        expected = -log_probability[np.arange(len(stretch) - 1), stretch[1:]][3:]
        np.testing.assert_allclose(reading.nats[first : first + 17], expected, atol=1e-5)


def test_states_need_not_be_kept(params):
    before, tokens = tokens_of(9), tokens_of(50)
    kept, plain = (read_tokens(MODEL, params, before, tokens, keep) for keep in (True, False))
    np.testing.assert_array_equal(kept.nats, plain.nats)
    assert plain.states.shape == (50, 0)


def test_nothing_to_read_is_refused(params):
    with pytest.raises(ValueError, match=r"there are 0 \+ 3 tokens"):
        read_tokens(MODEL, params, tokens_of(0), tokens_of(3))


def test_writing_at_temperature_zero_takes_the_most_probable_token(params):
    prompts = np.array([[1, 2, 3], [4, 0, 5]], np.int32)
    written = write_tokens(MODEL, params, prompts, 5, SamplingRule(0.0), jax.random.key(0))
    text = prompts
    for place in range(5):
        _, logits = MODEL.apply({"params": params}, jnp.asarray(text))
        following = np.asarray(logits[:, -1].argmax(-1), np.int32)
        assert written[:, place].tolist() == following.tolist()
        text = np.concatenate([text, following[:, None]], axis=1)


def test_an_empty_prompt_is_refused(params):
    with pytest.raises(ValueError, match="the prompts are empty"):
        write_tokens(
            MODEL, params, np.zeros((1, 0), np.int32), 2, SamplingRule(), jax.random.key(0)
        )


def test_a_fresh_stream_forgets_and_the_others_do_not():
    carries = jax.tree.map(jnp.ones_like, MODEL.zero_carries(2))
    for carry in jax.tree.leaves(reset_where(jnp.array([True, False]), carries)):
        np.testing.assert_array_equal(carry.sum(1), [0.0, carry.shape[1]])
