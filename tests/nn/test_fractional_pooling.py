import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_models.nn.fractional_pooling import (
    draw_boundaries,
    fractional_max_pool,
    middle_boundaries,
    pooled_size,
    pooling_span,
    pseudorandom_boundaries,
    random_boundaries,
)

SEEDS = st.integers(0, 2**31 - 1)


@functools.cache
def drawer(span, num_regions, pseudorandom):
    return jax.jit(lambda key: draw_boundaries(key, span, num_regions, pseudorandom))


def tiles(boundaries, span, num_regions):
    steps = np.diff(boundaries)
    ends = (boundaries[0], boundaries[-1]) == (0, span)
    return ends and len(steps) == num_regions and set(steps.tolist()) <= {1, 2}


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([(35, 25), (10, 7), (7, 7), (8, 4)]), st.booleans())
def test_regions_tile_exactly_with_steps_of_1_and_2(seed, sizes, pseudorandom):
    boundaries = np.asarray(drawer(*sizes, pseudorandom)(jax.random.key(seed)))
    assert tiles(boundaries, *sizes)


def test_every_offset_tiles_every_span():
    for span in range(7, 15):
        for offset in (1, 2, span // 2, span):
            found = np.asarray(pseudorandom_boundaries(offset, span, 7))
            assert tiles(found, span, 7)


def test_pseudorandom_boundaries_are_the_ceilings_of_equation_3():
    span, num_regions = 35, 25
    alpha = span / num_regions
    for offset in (1, 7, 20, 35):
        u = (offset - 0.5) / span  # Between two offsets the ceilings do not change.
        ceilings = [math.ceil(alpha * (index + u)) for index in range(num_regions + 1)]
        expected = np.array(ceilings) - ceilings[0]
        found = pseudorandom_boundaries(offset, span, num_regions)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("span", "regions", "expected"), [(5, 3, [0, 2, 4, 5]), (7, 4, [0, 2, 4, 6, 7])]
)
def test_the_offset_of_middle_boundaries_is_half_the_span(span, regions, expected):
    """The ceilings of (5 i + 3) / 3 are 1, 3, 5 and 6; those of (7 i + 4) / 4 are 1, 3, 5, 7, 8."""
    assert middle_boundaries(span, regions).tolist() == expected


def test_random_orders_are_equally_likely():
    # 5 = 1 + 2 + 2: the step of 1 comes first, second or last equally often.
    draws = jax.vmap(lambda key: random_boundaries(key, 5, 3))(
        jax.random.split(jax.random.key(0), 3000)
    )
    shares = (jnp.diff(draws, axis=1) == 1).mean(0)
    np.testing.assert_allclose(shares, 1 / 3, atol=4 * (2 / 9 / 3000) ** 0.5)


def test_regions_of_sqrt_2_have_a_mean_area_of_2():
    size = 99
    target = pooled_size(size, math.sqrt(2.0))
    boundaries = drawer(size, target, True)(jax.random.key(0))
    steps = np.diff(boundaries)
    areas = steps.reshape(-1, 1) * steps.reshape(1, -1)
    assert target == 70
    assert areas.sum() == size**2
    assert areas.mean() == pytest.approx(2.0, abs=1e-3)
    assert set(areas.ravel().tolist()) == {1, 2, 4}


def test_disjoint_regions_give_their_maxima():
    x = jnp.arange(25.0).reshape(1, 5, 5, 1)
    y = fractional_max_pool(x, jnp.array([0, 2, 3, 5]), jnp.array([0, 1, 3, 5]), False)
    np.testing.assert_array_equal(y[0, :, :, 0], [[5, 7, 9], [10, 12, 14], [20, 22, 24]])


def test_overlapping_regions_share_their_edges():
    x = jnp.array([5.0, 1.0, 9.0, 0.0, 2.0]).reshape(1, 1, 5, 1) * jnp.ones((1, 5, 1, 1))
    boundaries = jnp.array([0, 2, 3, 4])
    y = fractional_max_pool(x, boundaries, boundaries, True)
    assert y.shape == (1, 3, 3, 1)
    np.testing.assert_array_equal(y[0, 0, :, 0], [9, 9, 2])


@pytest.mark.parametrize("overlapping", [False, True])
def test_pooling_agrees_with_a_loop_over_regions(overlapping):
    x = jax.random.normal(jax.random.key(0), (2, 10, 10, 3))
    span = pooling_span(10, overlapping)
    rows = np.asarray(drawer(span, 7, False)(jax.random.key(1)))
    columns = np.asarray(drawer(span, 7, False)(jax.random.key(2)))
    found = fractional_max_pool(x, jnp.asarray(rows), jnp.asarray(columns), overlapping)
    more = int(overlapping)
    for i in range(7):
        for j in range(7):
            region = x[:, rows[i] : rows[i + 1] + more, columns[j] : columns[j + 1] + more]
            np.testing.assert_array_equal(found[:, i, j], region.max((1, 2)))


@pytest.mark.parametrize("overlapping", [False, True])
def test_each_region_passes_on_its_whole_gradient(overlapping):
    x = jax.random.normal(jax.random.key(0), (1, 6, 6, 1))
    boundaries = middle_boundaries(pooling_span(6, overlapping), 4)
    pool = functools.partial(fractional_max_pool, overlapping=overlapping)
    gradient = jax.grad(lambda x: pool(x, boundaries, boundaries).sum())(x)
    assert gradient.sum() == pytest.approx(16.0)


def test_target_sizes_take_36_to_1_with_2x2_convolutions_between():
    sizes = [36]
    for _ in range(6):
        sizes += [sizes[-1] - 1, pooled_size(sizes[-1] - 1, math.sqrt(2.0))]
    assert sizes == [36, 35, 25, 24, 17, 16, 11, 10, 7, 6, 4, 3, 2]


@pytest.mark.parametrize(("span", "num_regions"), [(4, 5), (11, 5), (3, 0)])
def test_spans_that_steps_cannot_reach_are_refused(span, num_regions):
    message = f"{num_regions} regions must span .* the span is {span}"
    with pytest.raises(ValueError, match=message):
        random_boundaries(jax.random.key(0), span, num_regions)
    with pytest.raises(ValueError, match=message):
        pseudorandom_boundaries(1, span, num_regions)
