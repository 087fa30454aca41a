"""Reads and writes sequences with a recurrent language model, in constant memory."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int, Int32, Key

from lecture_models.models.token_rnn import TokenRNN
from lecture_models.nn.recurrent_stack import Carries
from lecture_models.nn.sampling import SamplingRule, draw_tokens
from lecture_models.steps.descent import Params

ROWS = 32  # Stretches that are read side by side.
CONTEXT = 200  # Tokens that each stretch but the first reads in advance, which are not counted.
CHUNK = 256  # Steps per call of the compiled loop, which bounds the memory.


class Reading(NamedTuple):
    """Holds what a model computed while it read tokens.

    Attributes:
        nats: the surprisal -ln p of each token, given all tokens before it in its stretch.
        states: by token, the memory of each feature of the top layer after it was read, squashed
            to [-1, 1] by tanh; with 0 features if they were not kept.
    """

    nats: Float32[np.ndarray, " token"]
    states: Float32[np.ndarray, "token feature"]


def read_tokens(
    model: TokenRNN,
    params: Params,
    before: Int32[np.ndarray, " earlier"],
    tokens: Int32[np.ndarray, " token"],
    keep_states: bool = False,
) -> Reading:
    """Reads a sequence of any length.

    The sequence is cut into `ROWS` stretches that are read side by side. Each begins with the
    `CONTEXT` tokens before it, so that its first tokens are predicted from a state that is as good
    as that of one single reading. Every token is counted once.

    Args:
        model: the model.
        params: its parameters.
        before: at least one token that precedes the sequence.
        tokens: the sequence.
        keep_states: whether the states are returned.

    Returns:
        The surprisals in nats, and the states.

    Raises:
        ValueError: `before` or `tokens` is empty.
    """
    if not (len(before) and len(tokens)):
        raise ValueError(f"there are {len(before)} + {len(tokens)} tokens; each needs at least 1")
    context = min(CONTEXT, len(before))
    whole = np.concatenate([before[-context:], tokens])
    length = -(-len(tokens) // ROWS)
    steps = context + length - 1
    padded_steps = -(-steps // CHUNK) * CHUNK
    places = np.arange(ROWS)[:, None] * length + np.arange(padded_steps + 1)[None]
    rows = whole[np.minimum(places, len(whole) - 1)]
    carries = model.zero_carries(ROWS)
    nats, states = [], []
    for first in range(0, padded_steps, CHUNK):
        chunk = rows[:, first : first + CHUNK + 1].T
        carries, (surprisal, memory) = _read_chunk(model, params, carries, chunk, keep_states)
        nats.append(np.asarray(surprisal))
        states.append(np.asarray(memory))
    counted = slice(context - 1, steps)
    by_row = [np.concatenate(chunks)[counted].swapaxes(0, 1) for chunks in (nats, states)]
    flat = [array.reshape(ROWS * length, *array.shape[2:])[: len(tokens)] for array in by_row]
    return Reading(*flat)


@functools.partial(jax.jit, static_argnames=("model", "keep_states"))
def _read_chunk(model, params, carries, tokens, keep_states):
    def step(carries, pair):
        now, following = pair
        carries, logits = model.apply({"params": params}, carries, now, method="step")
        log_probability = jax.nn.log_softmax(logits)
        chosen = jnp.take_along_axis(log_probability, following[:, None], axis=1)[:, 0]
        memory = jnp.tanh(carries[-1][-1])
        return carries, (-chosen, memory if keep_states else memory[:, :0])

    return jax.lax.scan(step, carries, (tokens[:-1], tokens[1:]))


def write_tokens(
    model: TokenRNN,
    params: Params,
    prompts: Int[np.ndarray, "row prompt"],
    count: int,
    rule: SamplingRule,
    key: Key[Array, ""],
) -> Int32[np.ndarray, "row token"]:
    """Draws the continuations of prompts.

    Args:
        model: the model.
        params: its parameters.
        prompts: at least one token for each row.
        count: the number of tokens to draw for each row.
        rule: how tokens are drawn.
        key: the key of the draws.

    Returns:
        The drawn tokens, without the prompts.

    Raises:
        ValueError: the prompts are empty.
    """
    if not prompts.shape[1]:
        raise ValueError("the prompts are empty; they must have at least one token")
    return np.asarray(_write(model, params, jnp.asarray(prompts), count, rule, key))


@functools.partial(jax.jit, static_argnames=("model", "count", "rule"))
def _write(model, params, prompts, count: int, rule: SamplingRule, key):
    variables = {"params": params}
    carries, logits = model.apply(variables, prompts, model.zero_carries(len(prompts)))

    def step(carry: tuple[Carries, Array], key):
        carries, logits = carry
        tokens = draw_tokens(key, logits, rule)
        return model.apply(variables, carries, tokens, method="step"), tokens

    _, tokens = jax.lax.scan(step, (carries, logits[:, -1]), jax.random.split(key, count))
    return tokens.T
