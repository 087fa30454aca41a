import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_models.nn.drop_path import (
    count_paths,
    fractal_inputs,
    global_paths,
    live_convolutions,
    local_paths,
    longest_path,
    sample_paths,
)

SEEDS = st.integers(0, 2**31 - 1)
# Few of each, so that hypothesis spends its time on draws and not on compiling.
COLUMNS = st.sampled_from([2, 4])


@functools.cache
def sampler(num_columns, global_ratio):
    def sample(key):
        paths = sample_paths(key, 2, num_columns, 0.6, global_ratio)
        return paths, live_convolutions(paths)

    return jax.jit(sample)


def draw(seed, num_columns, global_ratio=0.5):
    """Returns the surviving inputs and the live convolutions of two blocks."""
    return jax.tree.map(np.asarray, sampler(num_columns, global_ratio)(jax.random.key(seed)))


def walk(live, num_columns, row=0):
    """Returns the rows that a walk over live convolutions of one block can reach."""
    if row == len(live):
        return {row}
    ends = {row}
    for column in range(num_columns):
        span = 2 ** (num_columns - 1 - column)
        if row % span == 0 and live[row + span - 1, column]:
            ends |= walk(live, num_columns, row + span)
    return ends


def test_columns_of_a_block_of_three_end_where_figure_1_has_them():
    np.testing.assert_array_equal(fractal_inputs(3), [[0, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]])


@pytest.mark.parametrize("num_columns", [1, 2, 3, 4, 5])
def test_a_block_has_2_to_the_c_minus_1_convolutions(num_columns):
    assert fractal_inputs(num_columns).sum() == 2**num_columns - 1


@pytest.mark.parametrize("num_columns", [1, 2, 3, 4, 5])
def test_the_longest_path_doubles_with_each_column(num_columns):
    assert longest_path(num_columns) == 2 ** (num_columns - 1)


def test_five_blocks_of_four_columns_are_40_deep():
    assert 5 * longest_path(4) == 40


def test_paths_number_1_2_5_26_677():
    assert [count_paths(num_columns) for num_columns in range(1, 6)] == [1, 2, 5, 26, 677]
    assert all(count_paths(each + 1) == count_paths(each) ** 2 + 1 for each in range(1, 7))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(SEEDS, COLUMNS)
def test_every_join_keeps_at_least_one_of_its_own_inputs(seed, num_columns):
    kept, _ = draw(seed, num_columns)
    assert kept.any(-1).all()
    assert not (kept & ~fractal_inputs(num_columns)).any()


@settings(max_examples=40, deadline=None)
@given(SEEDS, COLUMNS)
def test_a_path_always_leads_through_every_block(seed, num_columns):
    for live in draw(seed, num_columns)[1]:
        assert len(live) in walk(live, num_columns)


@settings(max_examples=25, deadline=None)
@given(SEEDS, COLUMNS)
def test_a_global_draw_leaves_one_column_alive_the_same_in_every_block(seed, num_columns):
    _, live = draw(seed, num_columns, global_ratio=1.0)
    alive = live.any(1)
    assert (alive.sum(1) == 1).all()
    assert (alive == alive[0]).all()
    column = int(alive[0].argmax())
    np.testing.assert_array_equal(live[0, :, column], fractal_inputs(num_columns)[:, column])


@settings(max_examples=40, deadline=None)
@given(SEEDS, COLUMNS)
def test_live_convolutions_are_those_on_a_walk_from_input_to_output(seed, num_columns):
    kept, live = (each[0] for each in draw(seed, num_columns))
    assert not (live & ~kept).any()
    for row, column in zip(*np.nonzero(kept), strict=True):
        # All columns begin at the block's input or at a join, and some input of a join survives:
        # what decides is the way on.
        assert live[row, column] == (len(kept) in walk(kept, num_columns, row + 1))


def test_nothing_is_dropped_at_rate_0():
    inputs = fractal_inputs(3)
    np.testing.assert_array_equal(local_paths(jax.random.key(0), inputs, 0.0), inputs)


def test_exactly_one_input_survives_at_rate_1_each_equally_often():
    inputs = np.ones((3000, 3), bool)
    kept = np.asarray(local_paths(jax.random.key(0), inputs, 1.0))
    assert (kept.sum(1) == 1).all()
    np.testing.assert_allclose(kept.mean(0), 1 / 3, atol=4 * (2 / 9 / 3000) ** 0.5)


def test_joins_of_two_keep_both_or_one_with_their_probabilities():
    kept = np.asarray(local_paths(jax.random.key(1), np.ones((20_000, 2), bool), 0.15))
    # Both survive; or one does, or neither and that one is drawn.
    both, one = 0.85**2, 0.15 * 0.85 + 0.15**2 / 2
    found = [(kept == pattern).all(1).mean() for pattern in ([1, 1], [1, 0], [0, 1])]
    np.testing.assert_allclose(found, [both, one, one], atol=4 * 0.5 / 20_000**0.5)


def test_half_of_the_batches_are_global_and_columns_are_equally_likely():
    sample = jax.jit(jax.vmap(lambda key: sample_paths(key, 4, 3, 0.0, 0.5)))
    paths = np.asarray(sample(jax.random.split(jax.random.key(2), 4000)))
    last = paths[:, :, -1].reshape(4000, -1)
    is_global = last.sum(1) == 4
    assert (is_global | last.all(1)).all()
    assert abs(is_global.mean() - 0.5) < 4 * 0.5 / 4000**0.5
    shares = paths[is_global, 0, -1].mean(0)
    np.testing.assert_allclose(shares, 1 / 3, atol=4 * (2 / 9 / 2000) ** 0.5)


def test_a_global_path_of_a_column_survives_every_join_it_reaches():
    paths = global_paths(2, fractal_inputs(3))
    np.testing.assert_array_equal(paths, [[0, 0, 1], [0, 1, 0], [0, 0, 1], [0, 1, 0]])


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_rates_outside_0_to_1_are_refused(rate):
    with pytest.raises(ValueError, match="drop_rate is"):
        local_paths(jax.random.key(0), jnp.ones((1, 2), bool), rate)
    with pytest.raises(ValueError, match="global_ratio is"):
        sample_paths(jax.random.key(0), 1, 2, 0.1, rate)


def test_no_column_is_refused():
    with pytest.raises(ValueError, match="num_columns is 0"):
        fractal_inputs(0)
