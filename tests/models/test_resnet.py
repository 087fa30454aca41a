import functools

import jax
import jax.numpy as jnp
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.models.resnet import (
    CIFAR_STEM,
    PLAIN_34,
    RESNET_18,
    RESNET_34,
    RESNET_50,
    RESNET_50_STRIDED_3X3,
    RESNET_101,
    RESNET_152,
    ResNet,
)
from tests.random_variables import random_variables

IMAGENET = jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.float32)
RESNET_34_A = functools.partial(RESNET_34, projection=False)


@functools.cache
def traced(architecture):
    """Returns the shapes of logits, activations and variables."""
    found = jax.eval_shape(architecture().init_with_output, jax.random.key(0), IMAGENET)
    (logits, activations), variables = found
    return logits, activations, variables


def count(architecture):
    return count_parameters(traced(architecture)[2]["params"])


def cost(architecture):
    return multiply_adds(architecture().apply, traced(architecture)[2], IMAGENET)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        (RESNET_18, 11_689_512),
        (PLAIN_34, 21_623_848),
        (RESNET_34_A, 21_623_848),
        (RESNET_34, 21_797_672),
        (RESNET_152, 60_192_808),
    ],
)
def test_parameters_are_exact(architecture, expected):
    assert count(architecture) == expected


def test_option_b_adds_173824_parameters_to_34_layers():
    assert count(RESNET_34) - count(RESNET_34_A) == 173_824


@pytest.mark.slow
def test_a_bottleneck_of_the_third_stage_has_1117184_parameters():
    # 101 layers are 50 and 17 more of these: 1x1 1024-256, 3x3 256-256, 1x1 256-1024, and norms.
    block = 1024 * 256 + 9 * 256**2 + 256 * 1024 + 2 * (256 + 256 + 1024)
    assert block == 1_117_184
    assert count(RESNET_101) - count(RESNET_50) == 17 * block


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "billions"),
    [(PLAIN_34, 3.644), (RESNET_34_A, 3.644), (RESNET_34, 3.664), (RESNET_152, 11.28)],
)
def test_multiply_adds_are_the_papers(architecture, billions):
    digits = len(str(billions).partition(".")[2])
    assert round(cost(architecture) / 1e9, digits) == billions


@pytest.mark.slow
def test_a_stride_in_the_3x3_costs_more_and_changes_no_parameter():
    assert count(RESNET_50_STRIDED_3X3) == count(RESNET_50)
    assert cost(RESNET_50_STRIDED_3X3) > cost(RESNET_50)


def test_maps_have_the_sizes_of_table_1():
    logits, activations, _ = traced(RESNET_34)
    assert logits.shape == (1, 1000)
    ends = ("conv1", "pool1", "block1_3", "block2_4", "block3_6", "block4_3", "pool")
    assert [activations[name].shape[1:] for name in ends] == [
        (112, 112, 64),
        (56, 56, 64),
        (56, 56, 64),
        (28, 28, 128),
        (14, 14, 256),
        (7, 7, 512),
        (512,),
    ]


def test_activations_are_in_forward_order():
    names = []

    def forward(key):
        images = jnp.zeros((1, 32, 32, 3))
        (_, activations), _ = RESNET_18(num_classes=0).init_with_output(key, images)
        names.extend(activations)

    jax.eval_shape(forward, jax.random.key(0))
    assert names[:5] == ["conv1", "relu1", "pool1", "block1_1", "block1_2"]
    assert names[-2:] == ["block4_2", "pool"]


def test_layers_with_weights_are_as_many_as_the_name_says():
    for architecture, depth in ((PLAIN_34, 34), (RESNET_18, 18), (RESNET_152, 152)):
        paths = jax.tree_util.tree_leaves_with_path(traced(architecture)[2]["params"])
        names = [jax.tree_util.keystr(path) for path, _ in paths]
        assert sum("kernel" in name and "shortcut" not in name for name in names) == depth


def test_a_cifar_stem_keeps_the_side():
    images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    model = ResNet(stages=(1, 1), widths=(4, 8), stem=CIFAR_STEM, num_classes=10)
    (_, activations), _ = jax.eval_shape(model.init_with_output, jax.random.key(0), images)
    assert activations["block1_1"].shape == (2, 32, 32, 4)
    assert "pool1" not in activations


@pytest.mark.slow
def test_preactivation_bottlenecks_end_in_an_activation():
    images = jax.random.normal(jax.random.key(0), (2, 32, 32, 3))
    model = RESNET_50(stages=(1, 1), widths=(2, 4), preactivation=True, num_classes=3)
    variables = random_variables(model, images)
    _, activations = jax.jit(model.apply)(variables, images)
    assert activations["block2_1"].min() < 0 <= activations["relu_last"].min()
    assert "bn1" not in variables["params"]["block1_1"]
    assert "bn1" in variables["params"]["block2_1"]


def test_features_alone_take_any_size():
    images = jax.ShapeDtypeStruct((1, 97, 65, 3), jnp.float32)
    model = RESNET_18(num_classes=0)
    (logits, activations), variables = jax.eval_shape(
        model.init_with_output, jax.random.key(0), images
    )
    assert logits.shape == (1, 0)
    assert activations["block4_2"].shape == (1, 4, 3, 512)
    assert "fc" not in variables["params"]


def test_stages_without_a_width_are_refused():
    with pytest.raises(ValueError, match="they must have the same length"):
        ResNet(stages=(2, 2), widths=(64,))


def test_empty_stages_are_refused():
    with pytest.raises(ValueError, match="at least one block"):
        ResNet(stages=(2, 0), widths=(64, 128))
