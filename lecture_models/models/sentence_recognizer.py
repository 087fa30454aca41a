"""Hears words in a sentence: for each moment the logits of the blank and of each word."""

import flax.linen as nn
from jaxtyping import Array, Bool, Float

from lecture_models.nn.recurrent_stack import RecurrentStack
from lecture_models.nn.time_convolution import TimeConvolution, thinned


class SentenceRecognizer(nn.Module):
    """Convolves frames to a quarter of their number, and reads these in both directions.

    Attributes:
        words: the number of words.
        filters: of both convolutions, over five frames with stride 2.
        features: of each layer of the LSTM, in each direction.
        dropout: the share of the LSTM's inputs and outputs that is dropped while training.
    """

    words: int
    filters: int = 64
    features: tuple[int, ...] = (96,)
    dropout: float = 0.3

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "batch time feature"],
        mask: Bool[Array, "batch time"],
        training: bool = False,
    ) -> tuple[Float[Array, "batch moment class"], Bool[Array, "batch moment"]]:
        """Returns the logits of each moment, the blank first, and which moments there are."""
        values = inputs
        for _ in range(2):
            values = nn.relu(TimeConvolution(self.filters, 5, 2)(values * mask[..., None]))
            mask = thinned(mask, 2)
        drop = nn.Dropout(self.dropout, deterministic=not training)
        stack = RecurrentStack(self.features, bidirectional=True, dropout=self.dropout)
        _, outputs = stack(drop(values), None, mask, training)
        return nn.Dense(self.words + 1)(drop(outputs)), mask


def moments(frames: int) -> int:
    """Returns the number of moments of so many frames.

    Args:
        frames: the number of frames.

    Returns:
        A quarter of them, rounded up.
    """
    return -(-frames // 4)
