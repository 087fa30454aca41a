"""Stacks recurrent layers, in one direction or in both, with dropout between them."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from lecture_models.nn.recurrent import Inputs, Mask, Outputs, RecurrentLayer, orthogonal_gates
from lecture_models.nn.recurrent_cells import Carry, Cell, lstm, zero_carry

Carries = tuple[Carry, ...]


class RecurrentStack(nn.Module):
    """Applies several recurrent layers, each on the outputs of the one below.

    `stack(inputs, carries, mask, training)` returns the last carries and the top layer's outputs.
    The carries have one entry per layer, or forward and backward by turns in both directions.

    Attributes:
        features: the number of features of each layer, from the lowest on.
        cell: the cell of all layers.
        bidirectional: whether a second layer reads each sequence backward; the outputs of both are
            concatenated. Schuster and Paliwal, 1997.
        dropout: the share of inputs of each layer but the first that are dropped while training:
            Zaremba et al., 2014. The key is `dropout`.
        variational: whether the same inputs are dropped at all steps of a sequence: Gal and
            Ghahramani, 2016.
        zoneout: see `RecurrentLayer`.
        recurrent_init: see `RecurrentLayer`.
    """

    features: tuple[int, ...]
    cell: Cell = lstm()
    bidirectional: bool = False
    dropout: float = 0.0
    variational: bool = False
    zoneout: tuple[float, ...] = ()
    recurrent_init: nn.initializers.Initializer = orthogonal_gates

    def setup(self):
        directions = (False, True) if self.bidirectional else (False,)
        self.layers = [
            RecurrentLayer(features, self.cell, reverse, self.zoneout, self.recurrent_init)
            for features in self.features
            for reverse in directions
        ]
        self.between = nn.Dropout(self.dropout, broadcast_dims=(1,) if self.variational else ())

    @nn.nowrap
    def zero_carries(self, batch: int) -> Carries:
        """Returns the carries before the first step of `batch` sequences."""
        repeats = 2 if self.bidirectional else 1
        return tuple(
            zero_carry(self.cell, batch, features)
            for features in self.features
            for _ in range(repeats)
        )

    def __call__(
        self,
        inputs: Inputs,
        carries: Carries | None = None,
        mask: Mask | None = None,
        training: bool = False,
    ) -> tuple[Carries, Outputs]:
        """Returns the last carry of each layer, and the outputs of the top layer."""
        carries = self.zero_carries(len(inputs)) if carries is None else carries
        directions = 2 if self.bidirectional else 1
        after: list[Carry] = []
        outputs = inputs
        for first in range(0, len(self.layers), directions):
            if first:
                outputs = self.between(outputs, deterministic=not training)
            results = [
                self.layers[number](outputs, carries[number], mask, training)
                for number in range(first, first + directions)
            ]
            after += [carry for carry, _ in results]
            outputs = jnp.concatenate([output for _, output in results], axis=-1)
        return tuple(after), outputs

    def step(
        self, carries: Carries, inputs: Float[Array, "batch input"]
    ) -> tuple[Carries, Float[Array, "batch feature"]]:
        """Returns carries and output after one step, as without training.

        Raises:
            ValueError: the stack is bidirectional, which needs the whole sequence.
        """
        if self.bidirectional:
            raise ValueError("a bidirectional stack takes no single steps; it needs the sequence")
        after = []
        for layer, carry in zip(self.layers, carries, strict=True):
            carry, inputs = layer.step(carry, inputs)
            after.append(carry)
        return tuple(after), inputs
