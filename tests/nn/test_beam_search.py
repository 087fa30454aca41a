import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.nn.beam_search import search

START, END, WORDS, STEPS = 0, 1, 4, 4


def advance_by(table):
    """Returns a model whose logits depend on the last word and on the number of words so far."""

    def advance(memory, tokens):
        logits = table[memory, tokens]
        return memory + 1, logits

    return advance


def table_of(seed):
    return jax.random.normal(jax.random.key(seed), (STEPS + 1, WORDS, WORDS)) * 2.0


def log_probability(table, tokens):
    """Returns ln p of a sequence up to its end, by hand."""
    total, last = 0.0, START
    for step, token in enumerate(tokens):
        total += float(jax.nn.log_softmax(table[step, last])[token])
        last = token
        if token == END:
            break
    return total


def all_sequences():
    """Returns every sequence that ends, or that is cut off after STEPS words."""
    found = set()
    for tokens in itertools.product(range(WORDS), repeat=STEPS):
        cut = tokens.index(END) + 1 if END in tokens else STEPS
        found.add(tokens[:cut])
    return sorted(found)


def run(table, beam, **options):
    memory = jnp.zeros(2, jnp.int32)
    return search(advance_by(table), memory, START, END, STEPS, beam, **options)


def test_a_beam_of_one_takes_the_most_probable_word_each_time():
    table = table_of(0)
    found = run(table, 1)
    last, expected = START, []
    for step in range(STEPS):
        last = int(table[step, last].argmax()) if last != END else END
        expected.append(last)
    assert found.tokens[0, 0].tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_as_wide_as_all_sequences_finds_the_best_one(seed):
    table = table_of(seed)
    found = run(table, 40)
    best = max(all_sequences(), key=lambda tokens: log_probability(table, tokens))
    length = int(found.lengths[0, 0])
    assert tuple(found.tokens[0, 0, :length].tolist()) == best
    assert float(found.log_probabilities[0, 0]) == pytest.approx(
        log_probability(table, best), abs=1e-4
    )


def test_the_sequences_are_different_and_fall_in_score():
    found = run(table_of(1), 5)
    rows = {
        tuple(row[:length])
        for row, length in zip(found.tokens[0].tolist(), found.lengths[0], strict=True)
    }
    assert len(rows) == 5
    assert bool((jnp.diff(found.scores[0]) <= 0).all())


def test_each_probability_is_that_of_its_sequence():
    table = table_of(2)
    found = run(table, 5)
    for row, value in zip(found.tokens[0].tolist(), found.log_probabilities[0], strict=True):
        assert float(value) == pytest.approx(log_probability(table, row), abs=1e-4)


def test_after_its_end_a_sequence_has_nothing_but_ends():
    found = run(table_of(3), 5)
    tokens, lengths = np.asarray(found.tokens), np.asarray(found.lengths)
    after = np.arange(STEPS) >= lengths[..., None]
    assert (tokens[after] == END).all()


def test_without_a_penalty_short_sequences_win_and_with_one_long_ones_may():
    # Each word ends the sequence with the probability 0.4.
    logits = (
        jnp.full((WORDS,), -jnp.inf).at[jnp.array([END, 2])].set(jnp.log(jnp.array([0.4, 0.6])))
    )
    table = jnp.broadcast_to(logits, (STEPS + 1, WORDS, WORDS))
    short = run(table, 4, length_penalty=0.0)
    long = run(table, 4, length_penalty=1.0)
    assert int(short.lengths[0, 0]) == 1
    assert int(long.lengths[0, 0]) == STEPS


def test_a_forbidden_word_never_occurs():
    table = table_of(4).at[..., 3].add(10.0)
    assert 3 in run(table, 2).tokens.tolist()[0][0]
    assert not bool((run(table, 2, forbidden=(3,)).tokens == 3).any())


def test_sentences_do_not_mix():
    memory = jnp.array([0, 1])
    together = search(advance_by(table_of(5)), memory, START, END, 3, 3)
    alone = search(advance_by(table_of(5)), memory[1:], START, END, 3, 3)
    np.testing.assert_array_equal(together.tokens[1], alone.tokens[0])
