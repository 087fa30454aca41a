"""Draws which inputs of each join of a fractal network survive a mini-batch (drop-path).

A block has C columns, counted from 1, the shallowest, and 2^(C - 1) rows. Column k has 2^(k - 1)
convolutions in a block; one of them ends at every 2^(C - k)-th row. A row at which more than one
convolution ends has a join.

Larsson et al., "FractalNet: ultra-deep neural networks without residuals", 2017, section 3.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key

Paths = Bool[Array, "block row column"]


def fractal_inputs(num_columns: int) -> Bool[np.ndarray, "row column"]:
    """Returns True where a convolution of a column ends at a row, and so enters the row's join.

    Args:
        num_columns: the number of columns C of a block, at least 1.

    Returns:
        The inputs of each row's join, for 2^(C - 1) rows. Larsson et al., 2017, figure 1.

    Raises:
        ValueError: there is no column.
    """
    if num_columns < 1:
        raise ValueError(f"num_columns is {num_columns}; it must be at least 1")
    rows = np.arange(1, 2 ** (num_columns - 1) + 1)
    spans = 2 ** np.arange(num_columns)[::-1]
    return rows.reshape(-1, 1) % spans.reshape(1, -1) == 0


def longest_path(num_columns: int) -> int:
    """Returns the number of convolutions on the longest path through a block.

    2^(C - 1)

    Args:
        num_columns: the number of columns C of a block, at least 1.

    Returns:
        The number of convolutions, counted on the graph of the block.
    """
    length = [0]
    for row in range(1, 2 ** (num_columns - 1) + 1):
        length.append(1 + max(length[start] for start in _starts(row, num_columns).values()))
    return length[-1]


def count_paths(num_columns: int) -> int:
    """Returns the number of paths through a block, from its input to its output.

    p_1 = 1, p_{C+1} = p_C^2 + 1

    Args:
        num_columns: the number of columns C of a block, at least 1.

    Returns:
        The number of paths, counted on the graph of the block: 1, 2, 5, 26, 677 for 1 to 5 columns.
    """
    paths = [1]
    for row in range(1, 2 ** (num_columns - 1) + 1):
        paths.append(sum(paths[start] for start in _starts(row, num_columns).values()))
    return paths[-1]


def local_paths(
    key: Key[Array, ""], inputs: Bool[Array | np.ndarray, "*join column"], drop_rate: float
) -> Bool[Array, "*join column"]:
    """Draws the surviving inputs of each join independently (local sampling).

    Each input is dropped with probability `drop_rate`. If all inputs of a join are dropped, one of
    them survives, each equally likely.

    Args:
        key: a random key.
        inputs: the inputs of each join, as from `fractal_inputs`.
        drop_rate: the probability of dropping an input, from 0 to 1.

    Returns:
        True for surviving inputs; every join has at least one. Larsson et al., 2017, section 3.

    Raises:
        ValueError: `drop_rate` is not in [0, 1].
    """
    if not 0.0 <= drop_rate <= 1.0:
        raise ValueError(f"drop_rate is {drop_rate}; it must be from 0 to 1")
    drop_key, rescue_key = jax.random.split(key)
    inputs = jnp.asarray(inputs)
    kept = inputs & ~jax.random.bernoulli(drop_key, drop_rate, inputs.shape)
    draws = jnp.where(inputs, jax.random.uniform(rescue_key, inputs.shape), -1.0)
    rescued = _column_numbers(inputs) == 1 + draws.argmax(-1, keepdims=True)
    return jnp.where(kept.any(-1, keepdims=True), kept, rescued)


def global_paths(
    column: Int[Array, ""] | int, inputs: Bool[Array | np.ndarray, "*join column"]
) -> Bool[Array, "*join column"]:
    """Returns the inputs that survive if one column alone is kept in every block.

    Joins that the column does not reach keep all inputs, because these do not affect the block's
    output.

    Args:
        column: the column that is kept, counted from 1, the shallowest.
        inputs: the inputs of each join, as from `fractal_inputs`.

    Returns:
        True for surviving inputs; every join has at least one. Larsson et al., 2017, section 3.
    """
    inputs = jnp.asarray(inputs)
    chosen = inputs & (_column_numbers(inputs) == column)
    return jnp.where(chosen.any(-1, keepdims=True), chosen, inputs)


def sample_paths(
    key: Key[Array, ""], num_blocks: int, num_columns: int, local_drop: float, global_ratio: float
) -> Paths:
    """Draws the surviving inputs of every join for one mini-batch.

    With probability `global_ratio` a single column survives, the same in all blocks, each equally
    likely (`global_paths`); else each join is drawn independently (`local_paths`).

    Args:
        key: a random key.
        num_blocks: the number of blocks.
        num_columns: the number of columns of a block, at least 1.
        local_drop: the probability of dropping an input in local sampling, from 0 to 1.
        global_ratio: the probability of global sampling, from 0 to 1.

    Returns:
        True for surviving inputs. Larsson et al., 2017, section 3.

    Raises:
        ValueError: `local_drop` or `global_ratio` is not in [0, 1], or there is no column.
    """
    if not 0.0 <= global_ratio <= 1.0:
        raise ValueError(f"global_ratio is {global_ratio}; it must be from 0 to 1")
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
    """Returns True for convolutions on a surviving path from a block's input to its output.

    A convolution may survive at its join and still be dead, if everything that uses the join is
    dead.

    Args:
        paths: the surviving inputs of each join, as from `sample_paths`.

    Returns:
        True for convolutions that affect the block's output, in the layout of `paths`.
    """
    num_rows, num_columns = paths.shape[1:]
    # used[row] says whether the join after a row is used; row 0 is the block's input.
    used = [jnp.zeros(len(paths), bool)] * num_rows + [jnp.ones(len(paths), bool)]
    live = []
    for row in range(num_rows, 0, -1):
        alive = paths[:, row - 1] & used[row].reshape(-1, 1)
        live.append(alive)
        for column, start in _starts(row, num_columns).items():
            used[start] = used[start] | alive[:, column]
    return jnp.stack(live[::-1], axis=1)


def _column_numbers(inputs: Bool[Array, "*join column"]) -> Int[Array, "*join column"]:
    return jnp.broadcast_to(jnp.arange(1, inputs.shape[-1] + 1), inputs.shape)


def _starts(row: int, num_columns: int) -> dict[int, int]:
    """Maps each column that ends at `row`, from 0, to the row where its convolution starts.

    Row 0 is the block's input.
    """
    ends = np.flatnonzero(fractal_inputs(num_columns)[row - 1])
    return {int(column): row - 2 ** (num_columns - 1 - int(column)) for column in ends}
