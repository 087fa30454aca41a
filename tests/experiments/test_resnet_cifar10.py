"""Tests the variants and the logged depth of resnet_cifar10."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from experiments import resnet_cifar10 as experiment_file
from lecture_models.data.lookup import Library
from lecture_models.models import resnet
from lecture_models.nn.stochastic_depth import expected_depth, sample_depth
from lecture_models.steps.classifier import step_keys

SMOKE = experiment_file.Config(**experiment_file.SMOKE)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Library(tmp_path_factory.mktemp("no_data"), print)


class DrawnError(Exception):
    """Ends a forward pass after it has drawn the blocks to keep."""


@pytest.mark.slow
def test_the_logged_depth_is_the_depth_of_the_step(monkeypatch):
    net = experiment_file.make_net(dataclasses.replace(SMOKE, depth=20), 10)
    images = jnp.zeros((2, 4, 4, 1))
    shapes = jax.eval_shape(net.init, jax.random.key(0), images)
    variables = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    def draw(key, survival):
        raise DrawnError(int(sample_depth(key, survival).sum()))

    monkeypatch.setattr(resnet, "sample_depth", draw)
    counts = []
    for seed in range(8):
        key = step_keys(jax.random.key(seed)).structure
        with pytest.raises(DrawnError) as drawn:
            net.apply(
                variables,
                images,
                training=True,
                rngs={"structure": jax.random.clone(key)},
                mutable=["batch_stats"],
            )
        counts += drawn.value.args
        assert experiment_file.active_blocks(net, key)["mean_active_blocks"] == counts[-1]
    assert len(set(counts)) > 1


def test_the_mean_of_the_logged_depth_is_the_expected_one():
    net = experiment_file.make_net(dataclasses.replace(SMOKE, depth=20), 10)
    count = jax.jit(jax.vmap(lambda key: experiment_file.active_blocks(net, key)))
    counts = count(jax.random.split(jax.random.key(0), 4_000))["mean_active_blocks"]
    assert expected_depth(net.survival) == (3 * 9 - 1) / 4
    assert float(counts.mean()) == pytest.approx((3 * 9 - 1) / 4, abs=0.1)  # 4.6 deviations.


def test_no_depth_is_logged_without_stochastic_depth():
    net = experiment_file.make_net(dataclasses.replace(SMOKE, final_survival=1.0), 10)
    key = step_keys(jax.random.key(0)).structure
    assert experiment_file.active_blocks(net, key) == {}


def test_a_plain_net_has_the_parameters_of_the_residual_net(library):
    shapes = [
        jax.eval_shape(
            experiment_file.build(
                dataclasses.replace(SMOKE, final_survival=1.0, residual=residual), library
            ).init,
            jax.random.key(0),
        ).params
        for residual in (True, False)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"preactivation": True, "projection": True, "decay_at": (0.5, 0.75)},
        {"dtype": "bfloat16", "nesterov": True, "augment": False},
    ],
)
def test_every_variant_keeps_the_structure_of_the_state_and_float32_parameters(library, changes):
    experiment = experiment_file.build(dataclasses.replace(SMOKE, **changes), library)
    state = jax.eval_shape(experiment.init, jax.random.key(0))
    batch = next(experiment.batches(0))
    after, metrics = jax.eval_shape(experiment.step, state, batch, jax.random.key(1))
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), after) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), state
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(after.params)} == {jnp.dtype("float32")}
    assert metrics["loss"].dtype == jnp.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 21}, "depth is 21; it must be 6n \\+ 2"),
        ({"final_survival": 0.0}, "--final_survival is 0.0; it must be from 0.01 to 1.0"),
        ({"residual": False}, "residual is False"),
        ({"dtype": "half"}, "--dtype is 'half'"),
        ({"width": 0}, "--width is 0; it must be at least 1"),
    ],
)
def test_invalid_configs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SMOKE, **changes)
