"""Defines a recurrent language model: it predicts each token from all tokens before it."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lecture_models.nn.recurrent_cells import Cell, lstm
from lecture_models.nn.recurrent_stack import Carries, RecurrentStack

Tokens = Int[Array, "batch time"]
Logits = Float[Array, "batch time token"]


class TokenRNN(nn.Module):
    """Maps the tokens so far to the logits of the next one, as char-rnn does (Karpathy, 2015).

    `model.apply(variables, tokens, carries, training)` returns the carries after the last token and
    the logits after each; `method="step"` takes one token.

    Attributes:
        vocabulary: the number of tokens.
        features: the number of features of each recurrent layer.
        cell: the cell of all layers.
        dropout: the share of outputs of each layer that are dropped while training; the key is
            `dropout`.
    """

    vocabulary: int
    features: tuple[int, ...]
    cell: Cell = lstm()
    dropout: float = 0.0

    def setup(self):
        self.stack = RecurrentStack(self.features, self.cell, dropout=self.dropout)
        self.drop = nn.Dropout(self.dropout)
        self.head = nn.Dense(self.vocabulary)

    @nn.nowrap
    def zero_carries(self, batch: int) -> Carries:
        """Returns the carries before the first token of `batch` sequences."""
        return RecurrentStack(self.features, self.cell).zero_carries(batch)

    def __call__(
        self, tokens: Tokens, carries: Carries | None = None, training: bool = False
    ) -> tuple[Carries, Logits]:
        """Returns the carries after the last token, and the logits after each token."""
        one_hot = jax.nn.one_hot(tokens, self.vocabulary)
        carries, outputs = self.stack(one_hot, carries, training=training)
        return carries, self.head(self.drop(outputs, deterministic=not training))

    def step(
        self, carries: Carries, tokens: Int[Array, " batch"]
    ) -> tuple[Carries, Float[Array, "batch token"]]:
        """Returns the carries and the logits after one more token, as without training."""
        carries, outputs = self.stack.step(carries, jax.nn.one_hot(tokens, self.vocabulary))
        return carries, self.head(outputs)


def reset_where(fresh: Array, carries: Carries) -> Carries:
    """Returns carries that are zeros where a new sequence begins.

    Args:
        fresh: bool (batch,), True where a sequence begins.
        carries: the carries of a batch.

    Returns:
        The carries.
    """
    return jax.tree.map(lambda carry: jnp.where(fresh[:, None], 0.0, carry), carries)
