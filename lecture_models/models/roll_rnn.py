"""Defines a recurrent model of piano rolls: it predicts each frame from all frames before it."""

import flax.linen as nn
from jaxtyping import Array, Float

from lecture_models.nn.recurrent import Mask
from lecture_models.nn.recurrent_cells import Cell, lstm
from lecture_models.nn.recurrent_stack import Carries, RecurrentStack

Frames = Float[Array, "batch time key"]


class RollRNN(nn.Module):
    """Maps the frames so far to the logits of each key in the next one, independent given the past.

    It is the recurrent baseline of Bai et al., 2018: recurrent layers and one linear layer.
    `model.apply(variables, frames, carries, mask, training)` returns the carries after the last
    frame and the logits after each; `method="step"` takes one frame.

    Attributes:
        features: the number of features of each recurrent layer.
        cell: the cell of all layers.
        keys: the number of keys.
        dropout: the share of outputs of each layer that are dropped while training; the key is
            `dropout`.
        input_dropout: the share of the keys' states in the input that are dropped while training.
    """

    features: tuple[int, ...]
    cell: Cell = lstm()
    keys: int = 88
    dropout: float = 0.0
    input_dropout: float = 0.0

    def setup(self):
        self.stack = RecurrentStack(self.features, self.cell, dropout=self.dropout)
        self.drop = nn.Dropout(self.dropout)
        self.drop_input = nn.Dropout(self.input_dropout)
        self.head = nn.Dense(self.keys)

    @nn.nowrap
    def zero_carries(self, batch: int) -> Carries:
        """Returns the carries before the first frame of `batch` pieces."""
        return RecurrentStack(self.features, self.cell).zero_carries(batch)

    def __call__(
        self,
        frames: Frames,
        carries: Carries | None = None,
        mask: Mask | None = None,
        training: bool = False,
    ) -> tuple[Carries, Frames]:
        """Returns the carries after the last frame, and the logits after each frame."""
        frames = self.drop_input(frames, deterministic=not training)
        carries, outputs = self.stack(frames, carries, mask, training)
        return carries, self.head(self.drop(outputs, deterministic=not training))

    def step(
        self, carries: Carries, frame: Float[Array, "batch key"]
    ) -> tuple[Carries, Float[Array, "batch key"]]:
        """Returns the carries and the logits after one more frame, as without training."""
        carries, outputs = self.stack.step(carries, frame)
        return carries, self.head(outputs)
