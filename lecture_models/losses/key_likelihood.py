"""Measures how probable the keys of a frame of a piano roll are: one value per frame."""

import optax
from jaxtyping import Array, Float

Frames = Float[Array, "batch time key"]


def frame_nats(logits: Frames, frames: Float[Array, "..."]) -> Float[Array, "batch time"]:
    """Returns the negative log-likelihood of each frame, whose keys are independent.

    -sum_k x_k log p_k + (1 - x_k) log(1 - p_k), p = sigmoid(logits)

    Args:
        logits: the logit of each key.
        frames: 1 for keys that are down, 0 for others.

    Returns:
        One value per frame in nats, lower is better; 88 log 2 = 61.0 for logits of 0 and 88 keys.
        Bai et al., 2018, `music_test.py`.

    Raises:
        ValueError: the shapes differ.
    """
    if logits.shape != frames.shape:
        raise ValueError(f"logits have shape {logits.shape}; frames have {frames.shape}")
    return optax.sigmoid_binary_cross_entropy(logits, frames).sum(axis=-1)
