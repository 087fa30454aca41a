import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lecture_models.attribution.randomization import order_of_use, randomized, rank_correlation

RNG = np.random.default_rng(0)
LAYERS = {name: jnp.arange(12.0) for name in ("z_first", "m_second", "a_last")}


def network(variables, x):
    for name in ("z_first", "m_second", "a_last"):
        x = jnp.tanh(x + variables[name])
    return x


@pytest.mark.parametrize("function", [network, jax.jit(network)])
def test_leaves_are_ordered_by_where_the_program_uses_them(function):
    names = sorted(LAYERS)
    order = order_of_use(function, LAYERS, jnp.ones(12))
    assert [names[leaf] for leaf in order] == ["z_first", "m_second", "a_last"]


def test_a_leaf_without_use_comes_last():
    order = order_of_use(network, LAYERS | {"b_unused": jnp.ones(2)}, jnp.ones(12))
    assert sorted([*LAYERS, "b_unused"])[order[-1]] == "b_unused"


def test_a_third_shuffles_the_layer_nearest_to_the_classes_alone():
    order = order_of_use(network, LAYERS, jnp.ones(12))
    found = randomized(LAYERS, order, 1 / 3, np.random.default_rng(1))
    changed = {name for name in LAYERS if not np.array_equal(found[name], LAYERS[name])}
    assert changed == {"a_last"}
    np.testing.assert_array_equal(np.sort(found["a_last"]), LAYERS["a_last"])


def test_nothing_and_everything():
    order = [0, 1, 2]
    kept = randomized(LAYERS, order, 0.0, np.random.default_rng(0))
    assert all(np.array_equal(kept[name], LAYERS[name]) for name in LAYERS)
    lost = randomized(LAYERS, order, 1.0, np.random.default_rng(1))
    assert all(not np.array_equal(lost[name], LAYERS[name]) for name in LAYERS)
    assert jax.tree.structure(lost) == jax.tree.structure(LAYERS)


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match="share is 1.5; it must be from 0 to 1"):
        randomized(LAYERS, [0, 1, 2], 1.5, RNG)


def test_the_correlation_is_spearmans_with_ties():
    first = RNG.integers(0, 5, (8, 9)).astype(float)
    second = first + RNG.integers(0, 5, (8, 9))
    expected = stats.spearmanr(first.ravel(), second.ravel()).statistic
    assert rank_correlation(first, second) == pytest.approx(expected)


def test_only_the_order_counts():
    values = RNG.normal(size=(5, 5))
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1.0)
    assert rank_correlation(values, -values) == pytest.approx(-1.0)
    assert rank_correlation(values, np.zeros((5, 5))) == 0.0
