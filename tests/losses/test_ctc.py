import itertools

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from lecture_models.losses.ctc import (
    collapsed,
    ctc_nats,
    frames_needed,
    greedy_words,
    require_frames,
)


def path_of(text):
    """Returns classes: - is the blank, a and b are words 0 and 1."""
    return np.array(["-ab".index(letter) for letter in text])


def spell(words):
    return "".join("ab"[word] for word in words)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("aa-ab", "aab"),
        ("a-a-", "aa"),
        ("----", ""),
        ("aaaa", "a"),
        ("-ab-ba", "abba"),
        ("ab", "ab"),
    ],
)
def test_repeats_are_merged_before_blanks_are_removed(path, words):
    assert spell(collapsed(path_of(path))) == words


@pytest.mark.parametrize("words", [(0, 1), (1, 0), (0, 0), (1, 1)])
def test_the_loss_is_the_sum_over_all_alignments(words):
    logits = np.random.default_rng(0).normal(size=(4, 3))
    probabilities = scipy.special.softmax(logits, axis=1)
    total = sum(
        np.prod(probabilities[np.arange(4), path])
        for path in itertools.product(range(3), repeat=4)
        if tuple(collapsed(np.array(path))) == words
    )
    nats = ctc_nats(
        jnp.asarray(logits[None], jnp.float32),
        jnp.ones((1, 4), bool),
        jnp.array([words]),
        jnp.ones((1, 2), bool),
    )
    assert float(nats[0]) == pytest.approx(-np.log(total), rel=1e-5)


def test_padding_of_frames_and_words_changes_nothing():
    logits = np.random.default_rng(1).normal(size=(1, 6, 3)).astype(np.float32)
    frames = jnp.asarray(np.arange(6)[None] < 4)
    padded = ctc_nats(
        jnp.asarray(logits), frames, jnp.array([[1, 0, 0]]), jnp.array([[True, False, False]])
    )
    short = ctc_nats(
        jnp.asarray(logits[:, :4]), frames[:, :4], jnp.array([[1]]), jnp.array([[True]])
    )
    assert float(padded[0]) == pytest.approx(float(short[0]), rel=1e-6)


def test_two_equal_words_need_a_blank_between_them():
    assert frames_needed(np.array([0, 1, 1, 1, 0])) == 7
    require_frames(np.array([0, 0]), 3, "it")
    with pytest.raises(ValueError, match="sentence 3 has 2 words in 2 frames; it needs at least 3"):
        require_frames(np.array([0, 0]), 2, "sentence 3")
    few = ctc_nats(
        jnp.zeros((1, 2, 3)), jnp.ones((1, 2), bool), jnp.array([[0, 0]]), jnp.ones((1, 2), bool)
    )
    assert float(few[0]) > 1e4


def test_the_greedy_path_ends_with_the_frames():
    logits = 5.0 * np.eye(3)[path_of("a-abb")]
    assert spell(greedy_words(logits, 5)) == "aab"
    assert spell(greedy_words(logits, 3)) == "aa"
