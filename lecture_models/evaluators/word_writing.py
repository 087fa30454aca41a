"""Lets a trained encoder and decoder write sentences, and reads how it sees given ones."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lecture_models.data.words import count_words, make_vocabulary, split_sentence
from lecture_models.models.attention_decoder import Decoding
from lecture_models.nn.beam_search import Hypotheses, search
from lecture_models.steps.descent import Params

UNKNOWN, START, END = 0, 1, 2  # The first words of every vocabulary here.
MARKS = ("<start>", "<end>")


def written_vocabulary(texts: Iterable[str], least: int) -> tuple[str, ...]:
    """Returns the words of sentences that are written word by word.

    Args:
        texts: the training sentences.
        least: how often a word must occur to have a number of its own.

    Returns:
        UNKNOWN, START and END, then the words, the most frequent first.
    """
    unknown, *words = make_vocabulary(count_words(map(split_sentence, texts)), least)
    return (unknown, *MARKS, *words)


def spell(tokens: Int[np.ndarray, " time"], vocabulary: tuple[str, ...]) -> str:
    """Returns the sentence that tokens spell, up to the first END.

    Args:
        tokens: numbers of words.
        vocabulary: the words of numbers 0, 1, ...

    Returns:
        The words, with blanks between them.
    """
    words = []
    for token in tokens:
        if token == END:
            break
        words.append(vocabulary[token])
    return " ".join(words)


def shifted(target: Int[Array, "batch time"]) -> Int[Array, "batch time"]:
    """Puts START before the words of each sentence, and leaves the last word out.

    Args:
        target: the sentences that a decoder is to write.

    Returns:
        What it reads while it writes them.
    """
    start = jnp.full_like(target[:, :1], START)
    return jnp.concatenate([start, target[:, :-1]], axis=1)


@functools.partial(jax.jit, static_argnames=("model", "steps", "beam", "length_penalty"))
def write(
    model: Any,
    params: Params,
    inputs: Sequence[Array],
    steps: int,
    beam: int = 1,
    length_penalty: float = 0.0,
) -> Hypotheses:
    """Returns the most probable sentences about each input; see `nn.beam_search.search`.

    Args:
        model: a module with the methods `read(*inputs)` and `step(decoding, tokens)`.
        params: its parameters.
        inputs: what it reads, with the rows along the first axis.
        steps: the number of words after which a sentence is cut off.
        beam: the number of sentences that are kept for each row; 1 takes the most probable word
            each time.
        length_penalty: see `search`.

    Returns:
        The sentences, without UNKNOWN.
    """
    variables = {"params": params}
    decoding = model.apply(variables, *inputs, method="read")
    source = jax.tree.map(lambda array: jnp.repeat(array, beam, axis=0), decoding.source)

    def advance(carry, tokens):
        return model.apply(variables, Decoding(carry, source), tokens, method="step")

    forbidden = (UNKNOWN, START)
    return search(advance, decoding.carry, START, END, steps, beam, length_penalty, forbidden)


@functools.partial(jax.jit, static_argnames="model")
def reread(
    model: Any, params: Params, inputs: Sequence[Array], target: Int[Array, "batch time"]
) -> tuple[Float[Array, "batch time"], Float[Array, "batch time place"]]:
    """Returns the surprisal of each word of given sentences in nats, and where the model looked.

    Args:
        model: a module; `model.apply(variables, *inputs, words)` returns logits and weights.
        params: its parameters.
        inputs: what it reads.
        target: the sentences, each with END, padded.

    Returns:
        -ln p of each word, given those before it, and the weights of the attention; those of the
        padding mean nothing.
    """
    logits, weights = model.apply({"params": params}, *inputs, shifted(target))
    log_probability = jax.nn.log_softmax(logits)
    chosen = jnp.take_along_axis(log_probability, target[..., None], axis=-1)[..., 0]
    return -chosen, weights
