"""Tells from a frame of sound and its neighbors in which state of which word it is."""

import flax.linen as nn
from jaxtyping import Array, Float


class FrameNetwork(nn.Module):
    """Maps a frame and its neighbors to the logits of all states of all words.

    Attributes:
        states: the number of all states.
        features: of the hidden layers.
        dropout: the share of them that is dropped while training.
    """

    states: int
    features: tuple[int, ...] = (256, 256)
    dropout: float = 0.3

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "frame feature"], training: bool = False
    ) -> Float[Array, "frame state"]:
        """Returns the logits of frames, each in one row with its neighbors."""
        values = inputs
        for features in self.features:
            values = nn.relu(nn.Dense(features)(values))
            values = nn.Dropout(self.dropout, deterministic=not training)(values)
        return nn.Dense(self.states)(values)
