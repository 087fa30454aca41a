"""Searches for the most probable sequences of a model that predicts one token after the other."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Memory = Any  # A pytree of arrays with the rows along the first axis.
Advance = Callable[
    [Memory, Int[Array, " row"]], tuple[Memory, Float[Array, "row token"]]
]  # (memory, tokens) -> memory, logits


class Hypotheses(NamedTuple):
    """Holds the sequences that a search kept, the best first.

    Attributes:
        tokens: the tokens after the start; `end` follows a sequence up to the last step.
        lengths: the number of tokens of each, with its `end` where it has one.
        log_probabilities: ln p of each sequence, in nats.
        scores: the log probabilities after the penalty of length, by which they are ordered.
    """

    tokens: Int[Array, "sentence beam time"]
    lengths: Int[Array, "sentence beam"]
    log_probabilities: Float[Array, "sentence beam"]
    scores: Float[Array, "sentence beam"]


class _Beam(NamedTuple):
    memory: Memory
    last: Int[Array, "sentence beam"]
    log_probabilities: Float[Array, "sentence beam"]
    lengths: Int[Array, "sentence beam"]
    ended: Array


def search(
    advance: Advance,
    memory: Memory,
    start: int,
    end: int,
    steps: int,
    beam: int = 1,
    length_penalty: float = 0.0,
    forbidden: tuple[int, ...] = (),
) -> Hypotheses:
    """Searches the `beam` best sequences of each sentence; with a beam of 1 it is greedy.

    A sequence that has ended keeps its probability and competes with those that go on; the search
    takes `steps` steps, whatever they say. Scores are ln p / length^length_penalty: 0 prefers short
    sequences, 1 compares the means over tokens. Wu et al., 2016, Google's neural machine
    translation system, section 7.

    Args:
        advance: `advance(memory, tokens)` returns the memory after one more token in each row, and
            the logits of the next one; rows are sentences times beam.
        memory: the memory before the first token, with one row for each sentence.
        start: the token that begins all sequences.
        end: the token that ends a sequence.
        steps: the number of tokens after which a sequence is cut off.
        beam: the number of sequences that are kept for each sentence.
        length_penalty: the exponent above.
        forbidden: tokens that no sequence may have.

    Returns:
        The sequences, those that have ended or were cut off.
    """
    memory = jax.tree.map(lambda array: jnp.repeat(array, beam, axis=0), memory)
    sentences = len(jax.tree.leaves(memory)[0]) // beam
    # All rows of a sentence are the same at first: only one of them may be continued.
    first = jnp.where(jnp.arange(beam) == 0, 0.0, -jnp.inf)
    state = _Beam(
        memory,
        jnp.full((sentences, beam), start),
        jnp.tile(first, (sentences, 1)),
        jnp.zeros((sentences, beam), jnp.int32),
        jnp.zeros((sentences, beam), bool),
    )

    def step(state: _Beam, _):
        after, logits = advance(state.memory, state.last.reshape(-1))
        choices = jax.nn.log_softmax(logits)
        choices = choices.at[:, jnp.array(forbidden, jnp.int32)].set(-jnp.inf)
        choices = choices.reshape(sentences, beam, -1)
        return _extend(state, after, choices, end, length_penalty)

    state, (tokens, parents) = jax.lax.scan(step, state, None, length=steps)
    return Hypotheses(
        _trace_back(tokens, parents),
        state.lengths,
        state.log_probabilities,
        state.log_probabilities / jnp.maximum(state.lengths, 1) ** length_penalty,
    )


def _extend(state: _Beam, after: Memory, choices: Array, end: int, length_penalty: float):
    """Returns the best sequences with one more token, and for each its token and its parent."""
    sentences, beam, vocabulary = choices.shape
    # A sequence that has ended has one continuation: another `end`, which costs nothing.
    only_end = jnp.where(jnp.arange(vocabulary) == end, 0.0, -jnp.inf)
    choices = jnp.where(state.ended[..., None], only_end[None, None], choices)
    total = state.log_probabilities[..., None] + choices
    lengths = state.lengths + ~state.ended
    scores = total / jnp.maximum(lengths, 1)[..., None] ** length_penalty
    _, best = jax.lax.top_k(scores.reshape(sentences, -1), beam)
    parents, tokens = best // vocabulary, best % vocabulary

    def chosen(array):
        return jnp.take_along_axis(array, parents, axis=1)

    rows = (jnp.arange(sentences)[:, None] * beam + parents).reshape(-1)
    extended = _Beam(
        jax.tree.map(lambda array: array[rows], after),
        tokens,
        jnp.take_along_axis(total.reshape(sentences, -1), best, axis=1),
        chosen(lengths),
        chosen(state.ended) | (tokens == end),
    )
    return extended, (tokens, parents)


def _trace_back(tokens: Array, parents: Array) -> Int[Array, "sentence beam time"]:
    """Returns the sequences that end in the last beam, from each step's tokens and parents."""

    def back(rows, pair):
        tokens, parents = pair
        return jnp.take_along_axis(parents, rows, axis=1), jnp.take_along_axis(tokens, rows, axis=1)

    _, sentences, beam = tokens.shape
    last_rows = jnp.tile(jnp.arange(beam), (sentences, 1))
    _, by_time = jax.lax.scan(back, last_rows, (tokens, parents), reverse=True)
    return jnp.moveaxis(by_time, 0, -1)
