"""Draws the chunks of one long sequence for truncated back-propagation through time."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int32, Shaped

from lecture_models.data.dataset import DataError


@dataclasses.dataclass(frozen=True, eq=False)
class StreamBatches:
    """Cuts a sequence into `batch_size` long streams and walks along all of them at once.

    The chunk of a step continues the chunk of the step before in each row, so that a network's
    carry can be handed on. `batches(first_step)` yields the batches from a step on; a step always
    gets the same batch, computed from the step alone.

    A batch has `tokens`, (batch, chunk + 1), the inputs and, one place later, their targets, and
    `fresh`, bool (batch,): True where a stream begins, so that the carry must be zeros. Each epoch
    begins at an offset of its own, so that the chunks are cut at other places.

    Attributes:
        tokens: the sequence.
        batch_size: the number of streams.
        chunk: the number of elements that are predicted per step and stream.
        seed: from which the offsets are drawn.

    Raises:
        DataError: the sequence is too short for one chunk in each stream.
    """

    tokens: Shaped[np.ndarray, " element"]
    batch_size: int
    chunk: int
    seed: int

    def __post_init__(self):
        least = 2 * self.batch_size * self.chunk
        if len(self.tokens) < least:
            raise DataError(
                f"the training text has {len(self.tokens):,} characters; with --batch_size="
                f"{self.batch_size} and --chunk={self.chunk} it must have at least {least:,}"
            )

    @property
    def stream_length(self) -> int:
        """Returns the number of elements of each stream."""
        return len(self.tokens) // self.batch_size

    @property
    def steps_per_epoch(self) -> int:
        """Returns the number of chunks of a stream that fit after every offset."""
        return (self.stream_length - self.chunk) // self.chunk

    def batch(self, step: int) -> dict[str, Int32[np.ndarray, "..."] | Bool[np.ndarray, " batch"]]:
        """Returns the batch of a step."""
        epoch, position = divmod(step, self.steps_per_epoch)
        generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
        begin = int(generator.integers(self.chunk)) + position * self.chunk
        starts = np.arange(self.batch_size)[:, None] * self.stream_length + begin
        return {
            "tokens": self.tokens[starts + np.arange(self.chunk + 1)[None]],
            "fresh": np.full(self.batch_size, position == 0),
        }

    def __call__(self, first_step: int) -> Iterator[dict[str, np.ndarray]]:
        return map(self.batch, itertools.count(first_step))
