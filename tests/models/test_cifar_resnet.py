import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.models.cifar_resnet import cifar_resnet
from lecture_models.nn.stochastic_depth import expected_depth
from tests.random_variables import random_variables

CIFAR = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
TINY = {"depth": 8, "widths": (2, 3, 4)}


def variable_shapes(**fields):
    return jax.eval_shape(cifar_resnet(**fields).init, jax.random.key(0), CIFAR)


def count(**fields):
    return count_parameters(variable_shapes(**fields)["params"])


@pytest.fixture(scope="module")
def images():
    return jax.random.uniform(jax.random.key(0), (4, 8, 8, 3), minval=-1.0)


@pytest.fixture(scope="module")
def variables(images):
    return random_variables(cifar_resnet(**TINY), images)


def train(variables, images, seed=0, **fields):
    model = cifar_resnet(**TINY, **fields)
    rngs = {"structure": jax.random.key(seed)}
    return model.apply(variables, images, training=True, rngs=rngs, mutable=["batch_stats"])


@pytest.mark.parametrize(
    ("depth", "expected"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018)]
)
def test_depths_have_the_parameters_of_option_a(depth, expected):
    assert count(depth=depth) == expected


@pytest.mark.parametrize(("depth", "expected"), [(110, 1_727_962), (1202, 19_421_274)])
def test_each_n_adds_the_same_parameters(depth, expected):
    first, second = count(depth=8), count(depth=14)
    assert first + (depth - 8) // 6 * (second - first) == expected


def test_the_network_without_shortcuts_has_the_same_parameters():
    residual, plain = (variable_shapes(depth=14, residual=each) for each in (True, False))
    assert residual == plain


def test_projections_replace_two_shortcuts():
    added = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert count(depth=14, projection=True) == count(depth=14) + added


def test_preactivation_normalizes_inputs_and_the_last_output():
    # Of blocks that widen, the first normalization has 16 or 32 channels for 32 or 64; the first
    # block's is that of conv1; one of 64 channels comes last.
    saved = 2 * (32 - 16) + 2 * (64 - 32) + 2 * 16
    assert count(depth=14, preactivation=True) == count(depth=14) - saved + 2 * 64


def test_maps_are_32_16_and_8_wide():
    model = cifar_resnet(14)
    (logits, activations), _ = jax.eval_shape(model.init_with_output, jax.random.key(0), CIFAR)
    assert logits.shape == (2, 10)
    assert {name: each.shape[1:] for name, each in activations.items()} == {
        "conv1": (32, 32, 16),
        "relu1": (32, 32, 16),
        "block1_1": (32, 32, 16),
        "block1_2": (32, 32, 16),
        "block2_1": (16, 16, 32),
        "block2_2": (16, 16, 32),
        "block3_1": (8, 8, 64),
        "block3_2": (8, 8, 64),
        "pool": (64,),
    }


def test_the_shortcuts_of_option_a_cost_no_multiplication():
    costs = []
    for residual in (True, False):
        model = cifar_resnet(14, residual=residual)
        variables = jax.eval_shape(model.init, jax.random.key(0), CIFAR)
        costs.append(multiply_adds(model.apply, variables, CIFAR))
    assert costs[0] == costs[1]


def test_54_blocks_of_110_layers_leave_40_and_a_quarter():
    assert expected_depth(cifar_resnet(110, final_survival=0.5).survival) == pytest.approx(40.25)


@pytest.mark.parametrize("depth", [0, 2, 18, 21])
def test_depths_that_are_not_6n_plus_2_are_refused(depth):
    with pytest.raises(ValueError, match=f"depth is {depth}; it must be 6n \\+ 2"):
        cifar_resnet(depth)


@pytest.mark.parametrize("final_survival", [0.0, 1.5])
def test_survival_outside_0_to_1_is_refused(final_survival):
    with pytest.raises(ValueError, match="final_survival is"):
        cifar_resnet(8, final_survival=final_survival)


@pytest.mark.parametrize("fields", [{"projection": True}, {"final_survival": 0.5}])
def test_a_plain_network_has_no_shortcut_to_project_or_drop_to(fields):
    with pytest.raises(ValueError, match="residual is False"):
        cifar_resnet(8, residual=False, **fields)


@pytest.mark.slow
def test_evaluation_changes_no_statistic_and_training_changes_all(images, variables):
    before = variables["batch_stats"]
    _, unmoved = cifar_resnet(**TINY).apply(variables, images, mutable=["batch_stats"])
    jax.tree.map(np.testing.assert_array_equal, unmoved["batch_stats"], before)
    _, moved = train(variables, images)
    changes = jax.tree.map(lambda new, old: (new != old).any(), moved["batch_stats"], before)
    assert all(jax.tree.leaves(changes))


@pytest.mark.slow
def test_statistics_change_only_in_the_blocks_that_were_kept(images, variables):
    before = variables["batch_stats"]
    found = set()
    for seed in range(6):
        _, updated = train(variables, images, seed, final_survival=0.4)
        for name in ("block1_1", "block2_1", "block3_1"):
            moved = {
                bool((new != old).any())
                for new, old in zip(
                    jax.tree.leaves(updated["batch_stats"][name]),
                    jax.tree.leaves(before[name]),
                    strict=True,
                )
            }
            assert len(moved) == 1
            found |= {(name, *moved)}
    assert ("block3_1", False) in found
    assert ("block3_1", True) in found


@pytest.mark.slow
def test_mask_and_cond_train_alike(images, variables):
    jitted = {}
    for skip in (False, True):
        step = jax.jit(
            lambda seed, skip=skip: train(variables, images, seed, final_survival=0.4, skip=skip)
        )
        jitted[skip] = [step(seed) for seed in range(4)]
    for masked, skipped in zip(
        jax.tree.leaves(jitted[False]), jax.tree.leaves(jitted[True]), strict=True
    ):
        np.testing.assert_allclose(masked, skipped, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_every_gradient_is_finite_and_not_zero(images, variables):
    def loss(params):
        (logits, _), _ = train({**variables, "params": params}, images)
        return (logits**2).mean()

    for leaf in jax.tree.leaves(jax.jit(jax.grad(loss))(variables["params"])):
        assert jnp.isfinite(leaf).all()
        assert leaf.any()


def test_logits_are_float32_in_mixed_precision():
    model = cifar_resnet(8, dtype=jnp.bfloat16)
    (logits, activations), variables = jax.eval_shape(
        model.init_with_output, jax.random.key(0), CIFAR
    )
    assert logits.dtype == jnp.float32
    assert activations["block2_1"].dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}


def test_stochastic_depth_runs_in_mixed_precision_under_both_gates(images, variables):
    for skip in (False, True):
        (logits, _), _ = jax.eval_shape(
            lambda skip=skip: train(
                variables, images, final_survival=0.5, skip=skip, dtype=jnp.bfloat16
            )
        )
        assert logits.dtype == jnp.float32


def test_features_alone_have_no_classifier(images):
    model = cifar_resnet(**TINY, num_classes=0)
    (logits, activations), variables = jax.eval_shape(
        model.init_with_output, jax.random.key(0), images
    )
    assert logits.shape == (4, 0)
    assert activations["pool"].shape == (4, 4)
    assert "fc" not in variables["params"]
