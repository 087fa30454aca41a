"""Which inputs of each join of a fractal network survive a mini-batch: drop-path.

Column k of C, counted from 1, the shallowest, has 2^(k - 1) convolutions in a block, which end at
every 2^(C - k)-th of its 2^(C - 1) rows. A row where more than one ends has a join.

Larsson et al., "FractalNet: ultra-deep neural networks without residuals", 2017, section 3.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key

Paths = Bool[Array, "block row column"]


def fractal_inputs(num_columns: int) -> Bool[np.ndarray, "row column"]:
    """Whether a column's convolution ends at a row: these are the inputs of the row's join.

    Raises ValueError where there is no column.
    """
    if num_columns < 1:
        raise ValueError(f"num_columns is {num_columns}: at least 1 is needed")
    rows = np.arange(1, 2 ** (num_columns - 1) + 1)
    spans = 2 ** np.arange(num_columns)[::-1]
    return rows.reshape(-1, 1) % spans.reshape(1, -1) == 0


def longest_path(num_columns: int) -> int:
    """Convolutions on the longest way through a block: 2^(C - 1)."""
    length = [0]
    for row in range(1, 2 ** (num_columns - 1) + 1):
        length.append(1 + max(length[start] for start in _starts(row, num_columns).values()))
    return length[-1]


def count_paths(num_columns: int) -> int:
    """Ways through a block, from its input to its output: p_1 = 1, p_{C+1} = p_C^2 + 1."""
    ways = [1]
    for row in range(1, 2 ** (num_columns - 1) + 1):
        ways.append(sum(ways[start] for start in _starts(row, num_columns).values()))
    return ways[-1]


def local_paths(
    key: Key[Array, ""], inputs: Bool[Array | np.ndarray, "*join column"], drop_rate: float
) -> Bool[Array, "*join column"]:
    """Each input of each join is dropped with chance `drop_rate`; where all are, one comes back.

    Which one is drawn evenly. Raises ValueError where `drop_rate` is not in [0, 1].
    """
    if not 0.0 <= drop_rate <= 1.0:
        raise ValueError(f"drop_rate is {drop_rate}; allowed: from 0 to 1")
    drop_key, rescue_key = jax.random.split(key)
    inputs = jnp.asarray(inputs)
    kept = inputs & ~jax.random.bernoulli(drop_key, drop_rate, inputs.shape)
    lots = jnp.where(inputs, jax.random.uniform(rescue_key, inputs.shape), -1.0)
    rescued = _numbers(inputs) == 1 + lots.argmax(-1, keepdims=True)
    return jnp.where(kept.any(-1, keepdims=True), kept, rescued)


def global_paths(
    column: Int[Array, ""] | int, inputs: Bool[Array | np.ndarray, "*join column"]
) -> Bool[Array, "*join column"]:
    """One column alone, in every block.

    Joins that it does not reach keep all inputs: nothing of them arrives at the end of the block.
    """
    inputs = jnp.asarray(inputs)
    chosen = inputs & (_numbers(inputs) == column)
    return jnp.where(chosen.any(-1, keepdims=True), chosen, inputs)


def sample_paths(
    key: Key[Array, ""], num_blocks: int, num_columns: int, local_drop: float, global_ratio: float
) -> Paths:
    """Surviving inputs of every join for one mini-batch.

    With chance `global_ratio` a column drawn evenly, the same in all blocks; else each join on its
    own. Raises ValueError where `local_drop` or `global_ratio` is not in [0, 1].
    """
    if not 0.0 <= global_ratio <= 1.0:
        raise ValueError(f"global_ratio is {global_ratio}; allowed: from 0 to 1")
    mode_key, local_key, column_key = jax.random.split(key, 3)
    inputs = fractal_inputs(num_columns)
    inputs = np.broadcast_to(inputs, (num_blocks, *inputs.shape))
    column = jax.random.randint(column_key, (), 1, num_columns + 1)
    return jnp.where(
        jax.random.bernoulli(mode_key, global_ratio),
        global_paths(column, inputs),
        local_paths(local_key, inputs, local_drop),
    )


def live_convolutions(paths: Paths) -> Paths:
    """The convolutions on some surviving path from a block's input to its output.

    A convolution that survives its join is dead where all that uses the join is dead.
    """
    num_rows, num_columns = paths.shape[1:]
    # Whether the join after a row is used: row 0 is the block's input.
    used = [jnp.zeros(len(paths), bool)] * num_rows + [jnp.ones(len(paths), bool)]
    live = []
    for row in range(num_rows, 0, -1):
        alive = paths[:, row - 1] & used[row].reshape(-1, 1)
        live.append(alive)
        for column, start in _starts(row, num_columns).items():
            used[start] = used[start] | alive[:, column]
    return jnp.stack(live[::-1], axis=1)


def _numbers(inputs: Bool[Array, "*join column"]) -> Int[Array, "*join column"]:
    return jnp.broadcast_to(jnp.arange(1, inputs.shape[-1] + 1), inputs.shape)


def _starts(row: int, num_columns: int) -> dict[int, int]:
    """The rows where the columns that end at `row` began, by index; row 0 is the block's input."""
    ends = np.flatnonzero(fractal_inputs(num_columns)[row - 1])
    return {int(column): row - 2 ** (num_columns - 1 - int(column)) for column in ends}
