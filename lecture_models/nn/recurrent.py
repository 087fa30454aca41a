"""Applies a recurrent cell along sequences.

A layer gives all hidden states, so it serves every form of the lecture:

- many to many, such as the next character: all outputs;
- many to one, such as a tweet's sentiment: the outputs' mean or maximum, or the last carry;
- one to many, such as a caption: a carry made of the one input, then `step` after `step`;
- many to many of another length, such as a translation: one layer's last carry starts another.

Sequences of unequal length come padded, with a mask: padding changes neither the carry nor the
outputs of real elements, in both directions.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lecture_models.nn.recurrent_cells import Carry, Cell, Weights, lstm, project, zero_carry

Inputs = Float[Array, "batch time input"]
Outputs = Float[Array, "batch time feature"]
Mask = Bool[Array, "batch time"]

# Steps that the compiled loop takes per turn: more were slower (benchmarks/lstm_speed.py).
UNROLL = 1

orthogonal_gates = nn.initializers.orthogonal()


def length_mask(lengths: Int[Array, " batch"], time: int) -> Mask:
    """Returns the mask of padded sequences.

    Args:
        lengths: the number of elements of each sequence.
        time: the length after padding.

    Returns:
        True at the elements, False at the padding.
    """
    return jnp.arange(time)[None] < lengths[:, None]


def run_cell(
    cell: Cell,
    weights: Weights,
    carry: Carry,
    projected: Float[Array, "time batch gate_feature"],
    mask: Bool[Array, "time batch"] | None = None,
    zoneout: tuple[Float[Array, "time batch feature"], ...] | None = None,
    reverse: bool = False,
    unroll: int = UNROLL,
) -> tuple[Carry, Float[Array, "time batch feature"]]:
    """Scans a cell over time, which is the first axis here.

    Args:
        cell: the cell.
        weights: its weights; the input product is already taken.
        carry: the carry before the first step.
        projected: what the inputs add to the gates: `project`.
        mask: False where the carry stays as it is and the output is 0; None for no padding.
        zoneout: for each array of the carry the share of each value that stays as it was, 0 or 1
            while training; None for none. Krueger et al., 2017.
        reverse: whether the scan runs from the last element to the first.
        unroll: steps per turn of the compiled loop.

    Returns:
        The carry after the last step, and the output of each step.
    """

    def step(carry, inputs):
        projected, valid, stays = inputs
        after = cell.advance(weights, carry, projected)
        if stays is not None:
            after = tuple(
                new + share * (old - new)
                for old, new, share in zip(carry, after, stays, strict=True)
            )
        output = after[0]
        if valid is not None:
            valid = valid[:, None]
            output = jnp.where(valid, output, 0.0)
            after = tuple(jnp.where(valid, new, old) for old, new in zip(carry, after, strict=True))
        return after, output

    scanned = (projected, mask, zoneout)
    return jax.lax.scan(step, carry, scanned, reverse=reverse, unroll=unroll)


class RecurrentLayer(nn.Module):
    """Applies one cell along sequences in one direction.

    `layer(inputs, carry, mask, training)` returns the last carry and all outputs, as `lax.scan`
    does. `layer.step(carry, inputs)` takes one step, for what feeds back: attention, sampling.

    Attributes:
        features: the number of features h.
        cell: the cell, such as `lstm()`, `gru()` or `rnn()`.
        reverse: whether the sequence is read from its last element to its first.
        zoneout: for each array of the carry, the probability that a feature keeps its value for a
            step while training; () for none. The key is `dropout`.
        recurrent_init: initializer of each gate's (h, h) block of the recurrent kernel.
        input_init: initializer of the input kernel.
        unroll: steps per turn of the compiled loop.
    """

    features: int
    cell: Cell = lstm()
    reverse: bool = False
    zoneout: tuple[float, ...] = ()
    recurrent_init: nn.initializers.Initializer = orthogonal_gates
    input_init: nn.initializers.Initializer = nn.initializers.lecun_normal()
    unroll: int = UNROLL

    def setup(self):
        gates, features = self.cell.gates, self.features
        if self.zoneout and len(self.zoneout) != self.cell.carries:
            raise ValueError(
                f"zoneout has {len(self.zoneout)} values; {self.cell.name} needs one for each of "
                f"its {self.cell.carries} carried arrays"
            )
        self.input_product = nn.Dense(gates * features, use_bias=False, kernel_init=self.input_init)

        def recurrent_kernel(key):
            blocks = [
                self.recurrent_init(gate_key, (features, features), jnp.float32)
                for gate_key in jax.random.split(key, gates)
            ]
            return jnp.concatenate(blocks, axis=1)

        makers = {"bias": self.cell.bias} | dict(self.cell.extra)
        self.weights = {"recurrent_kernel": self.param("recurrent_kernel", recurrent_kernel)} | {
            name: self.param(name, lambda key, make=make: make(features))
            for name, make in makers.items()
        }

    def __call__(
        self,
        inputs: Inputs,
        carry: Carry | None = None,
        mask: Mask | None = None,
        training: bool = False,
    ) -> tuple[Carry, Outputs]:
        """Returns the last carry and the output of each step; see `run_cell`."""
        weights = dict(self.weights)
        carry = zero_carry(self.cell, len(inputs), self.features) if carry is None else carry
        # The inputs are turned, not their product, which has gates * h columns.
        by_time = jnp.swapaxes(inputs, 0, 1)
        projected = project(self.cell, weights, self.input_product(by_time))
        mask = None if mask is None else mask.T
        stays = self._zoneout(by_time.shape[:2], training)
        carry, outputs = run_cell(
            self.cell, weights, carry, projected, mask, stays, self.reverse, self.unroll
        )
        return carry, jnp.swapaxes(outputs, 0, 1)

    def step(
        self,
        carry: Carry,
        inputs: Float[Array, "batch input"],
        product: Float[Array, "batch gate_feature"] | None = None,
    ) -> tuple[Carry, Float[Array, "batch feature"]]:
        """Returns carry and output after one step, as without training.

        `product` is added to that of the inputs: what needs no carry, such as the product of the
        words so far, is multiplied for all steps at once, outside of the loop.
        """
        weights = dict(self.weights)
        own = self.input_product(inputs)
        projected = project(self.cell, weights, own if product is None else own + product)
        after = self.cell.advance(weights, carry, projected)
        if self.zoneout:
            after = tuple(
                new + rate * (old - new)
                for old, new, rate in zip(carry, after, self.zoneout, strict=True)
            )
        return after, after[0]

    def _zoneout(self, time_batch: tuple[int, int], training: bool):
        if not self.zoneout:
            return None
        shape = (*time_batch, self.features)
        if not training:
            return tuple(jnp.full(shape, rate) for rate in self.zoneout)
        keys = jax.random.split(self.make_rng("dropout"), len(self.zoneout))
        return tuple(
            jax.random.bernoulli(key, rate, shape).astype(jnp.float32)
            for key, rate in zip(keys, self.zoneout, strict=True)
        )
