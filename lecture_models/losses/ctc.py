"""Compares frames with a sequence of words whose times are unknown.

Connectionist temporal classification: each frame names a word or the blank; a sequence of frames
spells the words that remain when repeats are merged and blanks removed. The loss is that of the sum
of the probabilities of all sequences of frames that spell the words. Graves et al., 2006.
"""

import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int

BLANK = 0  # The class of the blank; word w is class w + 1.


def ctc_nats(
    logits: Float[Array, "batch time class"],
    frames: Bool[Array, "batch time"],
    words: Int[Array, "batch word"],
    said: Bool[Array, "batch word"],
) -> Float[Array, " batch"]:
    """Returns the negative logarithm of the probability of the words.

    -log sum over all paths that spell the words of prod_t p_t(path_t): Graves et al., Eq. 3.

    Args:
        logits: of the blank, and then of each word.
        frames: which frames there are.
        words: the words from 0 on.
        said: which words there are; the others are padding.

    Returns:
        The loss of each sequence in nats. It is about 100,000 where there are too few frames, which
        `require_frames` refuses.
    """
    return optax.ctc_loss(
        logits,
        1.0 - frames.astype(logits.dtype),
        words + 1,
        1.0 - said.astype(logits.dtype),
        blank_id=BLANK,
    )


def frames_needed(words: Int[np.ndarray, " word"]) -> int:
    """Returns the smallest number of frames that can spell words.

    Args:
        words: the words.

    Returns:
        One frame for each word, and one for a blank between two equal words in a row.
    """
    return len(words) + int((words[1:] == words[:-1]).sum())


def require_frames(words: Int[np.ndarray, " word"], frames: int, name: str) -> None:
    """Checks that words fit into frames.

    Args:
        words: the words.
        frames: the number of frames.
        name: what error messages call the sequence.

    Returns:
        Nothing.

    Raises:
        ValueError: there are too few frames.
    """
    needed = frames_needed(words)
    if frames < needed:
        raise ValueError(
            f"{name} has {len(words)} words in {frames} frames; it needs at least {needed}, one "
            "for each word and one between two equal words"
        )


def collapsed(path: Int[np.ndarray, " time"]) -> Int[np.ndarray, " word"]:
    """Returns the words that a sequence of classes spells.

    Args:
        path: the class of each frame.

    Returns:
        The words: repeats are merged, then blanks removed.
    """
    kept = np.diff(path, prepend=-1) != 0
    merged = path[kept]
    return merged[merged != BLANK] - 1


def greedy_words(logits: Float[np.ndarray, "time class"], frames: int) -> Int[np.ndarray, " word"]:
    """Returns the words that the most probable class of each frame spells.

    Args:
        logits: of each frame.
        frames: the number of frames; the others are padding.

    Returns:
        The words. It is the most probable path, not always the most probable words.
    """
    return collapsed(np.asarray(logits)[:frames].argmax(axis=-1))
