"""Defines layers of LSTM units that run over the rows or the diagonals of images.

Van den Oord et al., "Pixel recurrent neural networks", 2016, sections 3.1 to 3.3. The recurrent
products are matrix products of neighboring states side by side, not convolutions: the gradient of
a convolution inside a scan takes tens of times longer on a CPU.

Both layers also compute one pixel at a time: `begin_row` once for a row, then `at_pixel` from left
to right, with the states of the latest row in the collection "cache".
"""

from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from lecture_models.nn.masked_convolution import Position

Maps = Float[Array, "batch height width channel"]
RowMaps = Float[Array, "batch row_width _"]
PixelMaps = Float[Array, "batch 1 1 channel"]


class LSTMState(NamedTuple):
    """Holds the output h and the memory C of LSTM units."""

    hidden: Float[Array, "batch width feature"]
    memory: Float[Array, "batch width feature"]


def lstm_update(
    gates: Float[Array, "*place gate_feature"], memory: Float[Array, "*place feature"]
) -> tuple[Float[Array, "*place feature"], Float[Array, "*place feature"]]:
    """Returns output and memory after one step.

    C' = sigmoid(f) * C + sigmoid(i) * tanh(g), h' = sigmoid(o) * tanh(C')

    Args:
        gates: the four sums i, f, g, o, one after the other.
        memory: the memory C before the step.

    Returns:
        h' and C'. Van den Oord et al., 2016, Eq. 3.
    """
    admit, forget, candidate, release = jnp.split(gates, 4, axis=-1)
    memory = nn.sigmoid(forget) * memory + nn.sigmoid(admit) * nn.tanh(candidate)
    return nn.sigmoid(release) * nn.tanh(memory), memory


def at_each_place(
    layer: Callable[[Float[Array, "place channel"]], Float[Array, "place new_channel"]],
    maps: Float[Array, "*places channel"],
) -> Float[Array, "*places new_channel"]:
    """Applies a layer of vectors to the channels of every place, as a 1x1 convolution does.

    The places become rows of one matrix, because the gradient of a product over several axes takes
    twice the time on a CPU.

    Args:
        layer: maps rows to rows, such as a dense layer.
        maps: the maps, channels last.

    Returns:
        Maps of the same places.
    """
    rows = layer(maps.reshape(-1, maps.shape[-1]))
    return rows.reshape(*maps.shape[:-1], -1)


def skew(maps: Maps) -> Float[Array, "batch height diagonal channel"]:
    """Shifts each row by one place to the right of the row above it, so that diagonals are columns.

    Args:
        maps: the maps.

    Returns:
        Maps of width + height - 1 columns, 0 where there was no pixel. Van den Oord et al., 2016,
        Figure 3.
    """
    batch, height, width, channels = maps.shape
    padded = jnp.pad(maps, ((0, 0), (0, 0), (0, height), (0, 0)))
    # Rows that are read with one column less begin one place earlier each.
    flat = padded.reshape(batch, height * (width + height), channels)[:, :-height]
    return flat.reshape(batch, height, width + height - 1, channels)


def unskew(maps: Maps) -> Float[Array, "batch height _ channel"]:
    """Shifts rows back to the left; it is the inverse of `skew`.

    Args:
        maps: skewed maps, wider than high or as wide.

    Returns:
        Maps of width - height + 1 columns.
    """
    batch, height, diagonals, channels = maps.shape
    flat = jnp.pad(maps.reshape(batch, height * diagonals, channels), ((0, 0), (0, height), (0, 0)))
    return flat.reshape(batch, height, diagonals + 1, channels)[:, :, : diagonals - height + 1]


class RowLSTM(nn.Module):
    """Moves LSTM units down the rows; each sees the three units above it.

    gates = K_is * x (1x3, mask B) + [h_left-above, h_above, h_right-above] K_ss

    A unit sees a triangle of the image above it, not all of the rows above.

    Attributes:
        features: the number of units h of a pixel.
    """

    features: int

    def setup(self):
        # The two taps of a 1x3 convolution with mask B: the own pixel and the one to its left.
        self.own = nn.Dense(4 * self.features)
        self.left = nn.Dense(4 * self.features, use_bias=False)
        self.state_to_state = self.param(
            "state_to_state",
            nn.initializers.lecun_normal(),
            (3 * self.features, 4 * self.features),
        )

    def __call__(self, x: Maps) -> Float[Array, "batch height width feature"]:
        """Returns the outputs of all pixels; it makes empty caches where they are mutable."""
        batch, _, width, channels = x.shape
        start = LSTMState(*(jnp.zeros((batch, width, self.features)) for _ in range(2)))
        _make_caches(self, latest=start, inputs=jnp.zeros((batch, width, channels)))
        shifted = jnp.pad(x, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
        gates = at_each_place(self.own, x) + at_each_place(self.left, shifted)

        def advance(state: LSTMState, row: RowMaps):
            state = LSTMState(*lstm_update(row + self._from_above(state.hidden), state.memory))
            return state, state.hidden

        outputs = lax.scan(advance, start, jnp.moveaxis(gates, 1, 0))[1]
        return jnp.moveaxis(outputs, 0, 1)

    def begin_row(self, row: Int[Array, ""]) -> tuple[RowMaps, RowMaps]:
        """Returns what the row above adds to the gates, and its memory."""
        state = self.get_variable("cache", "latest")
        return self._from_above(state.hidden), state.memory

    def at_pixel(
        self, x: PixelMaps, row_maps: tuple[RowMaps, RowMaps], position: Position
    ) -> Float[Array, "batch 1 1 feature"]:
        """Returns the output of one pixel, whose inputs x are of height and width 1."""
        column = position.column
        gates, memory = (maps[:, column] for maps in row_maps)
        left = _beside(self.get_variable("cache", "inputs"), column)
        state = lstm_update(gates + self.own(x[:, 0, 0]) + self.left(left), memory)
        _write(self, "inputs", x[:, 0, 0], column)
        _write(self, "latest", state, column)
        return state[0][:, None, None]

    def _from_above(self, hidden: RowMaps) -> Float[Array, "batch width gate_feature"]:
        padded = jnp.pad(hidden, ((0, 0), (1, 1), (0, 0)))
        seen = [padded[:, :-2], hidden, padded[:, 2:]]
        kernel = self.state_to_state
        return at_each_place(lambda rows: rows @ kernel, jnp.concatenate(seen, axis=-1))


class DiagonalBiLSTM(nn.Module):
    """Moves LSTM units along the diagonals, from both upper corners.

    gates = K_is x (1x1) + [h_above, h_beside] K_ss

    The units that run from the right are shifted down by a row before both are added, so that none
    sees a pixel to the right. Together they see all pixels above and to the left.

    Attributes:
        features: the number of units h of a pixel, in each direction.
    """

    features: int

    def setup(self):
        gates = 4 * self.features
        self.input_to_state = [nn.Dense(gates, name=f"input_to_state_{i}") for i in range(2)]
        self.state_to_state = [
            self.param(
                f"state_to_state_{i}", nn.initializers.lecun_normal(), (2 * self.features, gates)
            )
            for i in range(2)
        ]

    def __call__(self, x: Maps) -> Float[Array, "batch height width feature"]:
        """Returns the outputs of all pixels; it makes empty caches where they are mutable."""
        batch, _, width, _ = x.shape
        units = jnp.zeros((batch, width, self.features))
        inputs = jnp.zeros((batch, width, 4 * self.features))
        _make_caches(self, latest=LSTMState(units, units), from_right=units, right_inputs=inputs)
        from_left = self._run(0, x)
        from_right = self._run(1, x[:, :, ::-1])[:, :, ::-1]
        return from_left + jnp.pad(from_right, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]

    def _run(self, direction: int, x: Maps) -> Float[Array, "batch height width feature"]:
        """Moves the units of one direction from the left to the right."""
        batch, height, _, _ = x.shape
        kernel = self.state_to_state[direction]

        def advance(state: LSTMState, diagonal):
            above = jnp.pad(state.hidden, ((0, 0), (1, 0), (0, 0)))[:, :-1]
            seen = jnp.concatenate([above, state.hidden], axis=-1)
            gates = diagonal + at_each_place(lambda rows: rows @ kernel, seen)
            state = LSTMState(*lstm_update(gates, state.memory))
            return state, state.hidden

        start = LSTMState(*(jnp.zeros((batch, height, self.features)) for _ in range(2)))
        gates = at_each_place(self.input_to_state[direction], x)
        diagonals = jnp.moveaxis(skew(gates), 2, 0)
        return unskew(jnp.moveaxis(lax.scan(advance, start, diagonals)[1], 0, 2))

    def begin_row(self, row: Int[Array, ""]) -> tuple[RowMaps, RowMaps]:
        """Returns the outputs of the row above, of the units from the left and from the right."""
        above = self.get_variable("cache", "from_right")
        inputs = self.get_variable("cache", "right_inputs")
        kernel = self.state_to_state[1]

        def advance(state, seen):
            gates, above_here = seen
            gates = gates + jnp.concatenate([above_here, state[0]], axis=-1) @ kernel
            state = lstm_update(gates, state[1])
            return state, state[0]

        start = jnp.zeros_like(above[:, 0])
        columns = tuple(jnp.moveaxis(maps, 1, 0) for maps in (inputs, above))
        _, outputs = lax.scan(advance, (start, start), columns, reverse=True)
        from_right = jnp.where(row > 0, jnp.moveaxis(outputs, 0, 1), 0.0)
        self.put_variable("cache", "from_right", from_right)
        return self.get_variable("cache", "latest").hidden, from_right

    def at_pixel(
        self, x: PixelMaps, row_maps: tuple[RowMaps, RowMaps], position: Position
    ) -> Float[Array, "batch 1 1 feature"]:
        """Returns the output of one pixel, whose inputs x are of height and width 1."""
        column = position.column
        above, from_right = (maps[:, column] for maps in row_maps)
        latest = self.get_variable("cache", "latest")
        left = [jnp.where(column > 0, maps[:, jnp.maximum(column - 1, 0)], 0.0) for maps in latest]
        seen = jnp.concatenate([above, left[0]], axis=-1) @ self.state_to_state[0]
        state = lstm_update(self.input_to_state[0](x)[:, 0, 0] + seen, left[1])
        _write(self, "latest", state, column)
        _write(self, "right_inputs", self.input_to_state[1](x)[:, 0, 0], column)
        return (state[0] + from_right)[:, None, None]


def _make_caches(module: nn.Module, **values) -> None:
    """Adds values to the collection "cache" where a call may change it."""
    if module.is_mutable_collection("cache") and not module.is_initializing():
        for name, value in values.items():
            module.put_variable("cache", name, value)


def _beside(maps: RowMaps, column: Int[Array, ""]) -> Float[Array, "batch _"]:
    """Returns the place to the left of a column; zeros beside the first."""
    return jnp.where(column > 0, maps[:, jnp.maximum(column - 1, 0)], 0.0)


def _write(module: nn.Module, name: str, values, column: Int[Array, ""]) -> None:
    """Replaces one column of the arrays of a cache."""
    cache = module.get_variable("cache", name)
    written = [
        maps.at[:, column].set(value)
        for maps, value in zip(jax.tree.leaves(cache), jax.tree.leaves(values), strict=True)
    ]
    module.put_variable("cache", name, jax.tree.unflatten(jax.tree.structure(cache), written))
