import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from lecture_models.nn.batch_norm import EPSILON, MOMENTUM, batch_norm, standing_statistics


class Net(nn.Module):
    """Applies a single normalization."""

    @nn.compact
    def __call__(self, x, training=False, update_statistics=None):
        return batch_norm(x, training, "bn", update_statistics)


@pytest.fixture(scope="module")
def maps():
    return 3.0 + 2.0 * jax.random.normal(jax.random.key(0), (5, 4, 4, 2))


@pytest.fixture(scope="module")
def variables(maps):
    return Net().init(jax.random.key(1), maps)


def apply(variables, maps, update_statistics=None):
    return Net().apply(
        variables, maps, training=True, update_statistics=update_statistics, mutable=["batch_stats"]
    )


def test_training_gives_each_channel_mean_0_and_variance_1(variables, maps):
    y, _ = apply(variables, maps)
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.var((0, 1, 2)), 1.0, atol=1e-4)


def test_running_statistics_move_by_a_tenth(variables, maps):
    _, updated = apply(variables, maps)
    found = updated["batch_stats"]["bn"]
    np.testing.assert_allclose(found["mean"], 0.1 * maps.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(found["var"], 0.9 + 0.1 * maps.var((0, 1, 2)), rtol=1e-4)


def test_frozen_statistics_stay_and_the_output_is_the_same(variables, maps):
    expected, _ = apply(variables, maps)
    found, updated = apply(variables, maps, update_statistics=jnp.array(False))
    np.testing.assert_array_equal(found, expected)
    jax.tree.map(np.testing.assert_array_equal, updated["batch_stats"], variables["batch_stats"])


def test_an_open_gate_updates_statistics_as_without_a_gate(variables, maps):
    _, expected = apply(variables, maps)
    _, found = apply(variables, maps, update_statistics=jnp.array(True))
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_evaluation_uses_the_running_statistics(variables, maps):
    np.testing.assert_allclose(Net().apply(variables, maps), maps / np.sqrt(1 + 1e-5), rtol=1e-5)


@pytest.mark.slow
def test_outputs_and_gradients_are_those_of_flax(variables, maps):
    flax = nn.BatchNorm(use_running_average=False, momentum=MOMENTUM, epsilon=EPSILON)
    weights = jnp.cos(jnp.arange(maps.size)).reshape(maps.shape)
    params = {"bn": {"scale": jnp.array([1.5, -0.3]), "bias": jnp.array([0.2, 4.0])}}

    def ours(params, maps):
        y, updated = apply(variables | {"params": params}, maps)
        return jnp.sum(weights * y**2), updated["batch_stats"]["bn"]

    def theirs(params, maps):
        inner = {"params": params["bn"], "batch_stats": variables["batch_stats"]["bn"]}
        y, updated = flax.apply(inner, maps, mutable=["batch_stats"])
        return jnp.sum(weights * y**2), updated["batch_stats"]

    found, wanted = (
        jax.value_and_grad(each, argnums=(0, 1), has_aux=True)(params, maps)
        for each in (ours, theirs)
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), found, wanted)


def test_half_precision_has_moments_of_float32(maps):
    class Half(nn.Module):
        @nn.compact
        def __call__(self, x):
            return batch_norm(x, True, "bn", dtype=jnp.bfloat16)

    y, variables = Half().init_with_output(jax.random.key(0), maps.astype(jnp.bfloat16))
    assert y.dtype == jnp.bfloat16
    assert {each.dtype for each in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}


@pytest.mark.parametrize(("platform", "product"), [("cpu", True), ("cuda", False), ("tpu", False)])
def test_only_a_cpu_sums_by_products(variables, maps, platform, product):
    def loss(variables, maps):
        return apply(variables, maps)[0].sum()

    traced = jax.jit(jax.grad(loss)).trace(variables, maps)
    program = traced.lower(lowering_platforms=(platform,)).as_text()
    assert ("stablehlo.dot_general" in program) == product


@pytest.mark.slow
def test_standing_statistics_are_the_moments_of_the_whole_batch():
    class Network(nn.Module):
        @nn.compact
        def __call__(self, x, training=False):
            return batch_norm(2.0 * x + 1.0, training, "norm")

    x = jax.random.normal(jax.random.key(0), (50, 3))
    variables = Network().init(jax.random.key(1), x)
    statistics = standing_statistics(Network(), variables["params"], variables["batch_stats"], x)
    np.testing.assert_allclose(statistics["norm"]["mean"], 2.0 * x.mean(0) + 1.0, rtol=1e-4)
    np.testing.assert_allclose(statistics["norm"]["var"], 4.0 * x.var(0), rtol=1e-4)
    y = Network().apply(variables | {"batch_stats": statistics}, x)
    np.testing.assert_allclose(y.mean(0), 0.0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), 1.0, rtol=1e-3)
