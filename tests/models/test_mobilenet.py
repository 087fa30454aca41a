import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.metrics.receptive_field import extent, gradient_support
from lecture_models.models.mobilenet import MobileNetV2, fold_batch_norm
from tests.models.networks import described, filled, image_shape, outputs, pictures, rectifiers

SMALL = MobileNetV2(num_classes=5)
# Sandler et al., Table 2: the last block of each row, its side at 224 and its channels.
ROWS = {1: (112, 16), 3: (56, 24), 6: (28, 32), 10: (14, 64), 13: (14, 96), 16: (7, 160)}


@pytest.mark.slow
def test_it_has_3_5_million_parameters_and_one_fewer_for_each_map_when_folded():
    with_norm = described(MobileNetV2(), 224)
    folded = count_parameters(described(MobileNetV2(folded=True), 224)["params"])
    normalized_maps = count_parameters(with_norm["batch_stats"]) // 2
    assert count_parameters(with_norm["params"]) == 3_504_872
    assert folded == 3_504_872 - normalized_maps == 3_487_816


def test_maps_have_the_sizes_of_table_2():
    logits, activations = outputs(MobileNetV2(), 224)
    assert activations["conv1"] == (112, 112, 32)
    for block, (side, channels) in ROWS.items():
        assert activations[f"block{block}/output"] == (side, side, channels)
    assert activations["block17/output"] == (7, 7, 320)
    assert activations["conv2"] == (7, 7, 1280)
    assert logits == (1000,)


def test_it_costs_300_million_multiply_adds():
    network = MobileNetV2(folded=True)
    cost = multiply_adds(network.apply, described(network, 224), image_shape(224))
    assert cost == 300_774_272


def test_blocks_expand_sixfold_but_the_first():
    params = described(MobileNetV2(folded=True), 224)["params"]
    assert set(params["block1"]) == {"depthwise", "project"}
    for index in range(2, 18):
        _, _, narrow, wide = params[f"block{index}"]["expand"]["conv"]["kernel"].shape
        assert wide == 6 * narrow
        assert params[f"block{index}"]["depthwise"]["conv"]["kernel"].shape == (3, 3, 1, wide)


def test_every_rectifier_is_the_field_and_projections_have_none():
    assert rectifiers(MobileNetV2(), 224) == 2 + 1 + 16 * 2


def test_without_classes_any_size_is_taken():
    network = MobileNetV2(num_classes=0)
    logits, activations = outputs(network, 75)
    assert logits == (0,)
    assert activations["conv2"] == (3, 3, 1280)
    assert "classifier" not in described(network, 75)["params"]


@pytest.fixture(scope="module")
def run():
    """Returns logits, activations and the gradient of the logits to the image, at 37x37."""
    variables, images = filled(SMALL, 37), pictures(37)

    def total(images):
        logits, activations = SMALL.apply(variables, images)
        return logits.sum(), (logits, activations)

    (_, found), gradient = jax.jit(jax.value_and_grad(total, has_aux=True))(images)
    return variables, images, *found, gradient


@pytest.mark.slow
def test_folded_it_computes_the_same(run):
    variables, images, logits, activations, _ = run
    params = fold_batch_norm(variables["params"], variables["batch_stats"])
    network = SMALL.clone(folded=True)
    shapes = jax.tree.map(jnp.shape, described(network, 37)["params"])
    assert jax.tree.map(jnp.shape, params) == shapes
    ours, inner = jax.jit(network.apply)({"params": params}, images)
    np.testing.assert_allclose(ours, logits, rtol=1e-3, atol=1e-3 * np.abs(logits).max())
    scale = np.abs(activations["conv2"]).max()
    np.testing.assert_allclose(inner["conv2"], activations["conv2"], atol=1e-4 * scale)


def test_a_block_adds_its_input_where_the_shapes_agree(run):
    *_, activations, _ = run
    for block in (3, 5, 6, 8, 9, 10, 12, 13, 15, 16):
        expected = activations[f"block{block}/project"] + activations[f"block{block - 1}/output"]
        np.testing.assert_allclose(activations[f"block{block}/output"], expected, rtol=1e-6)
    for block in (1, 2, 4, 7, 11, 14, 17):
        projected = activations[f"block{block}/project"]
        np.testing.assert_array_equal(activations[f"block{block}/output"], projected)


def test_rectifiers_stop_at_six(run):
    *_, activations, _ = run
    before, after = activations["conv1"], activations["relu_conv1"]
    # XLA may compute `conv1` twice, for both activations, with different rounding.
    np.testing.assert_allclose(after, np.clip(before, 0.0, 6.0), rtol=0, atol=1e-5)


def test_gradient_to_the_image_is_finite_and_not_zero(run):
    *_, gradient = run
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0.0).any()


@pytest.mark.slow
@pytest.mark.parametrize(("side", "first"), [(32, (0, 2)), (33, (0, 1))])
def test_an_even_side_is_padded_at_its_end_only_as_tensorflow_does(side, first):
    variables = filled(SMALL, side)

    @jax.jit  # Leaves out the rest of the network.
    def features(images):
        return SMALL.apply(variables, images)[1]["conv1"]

    assert extent(gradient_support(features, pictures(side), (0, 0))) == (first, first)
    corner = (side - 2, side - 1)
    last = (side + 1) // 2 - 1
    assert extent(gradient_support(features, pictures(side), (last, last))) == (corner, corner)


@pytest.mark.slow
def test_training_changes_the_statistics_and_takes_the_batchs_own():
    network = MobileNetV2(num_classes=0)
    variables, images = filled(network, 32), pictures(32)

    @jax.jit
    def first_layer(variables, images):
        (_, activations), changed = network.apply(variables, images, True, mutable=["batch_stats"])
        return activations["conv1"], changed["batch_stats"]["conv1"]["norm"]

    normalized, changed = first_layer(variables, images)
    norm = variables["params"]["conv1"]["norm"]
    np.testing.assert_allclose(normalized.mean((0, 1, 2)), norm["bias"], atol=1e-4)
    before = variables["batch_stats"]["conv1"]["norm"]["mean"]
    convolved = jax.lax.conv_general_dilated(
        images,
        variables["params"]["conv1"]["conv"]["kernel"],
        (2, 2),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    expected = 0.9 * before + 0.1 * convolved.mean((0, 1, 2))
    np.testing.assert_allclose(changed["mean"], expected, atol=1e-5)


@pytest.mark.slow
def test_dropout_changes_the_logits_in_training_only():
    network = SMALL.clone(folded=True)
    variables, images = filled(network, 37), pictures(37)
    apply = jax.jit(network.apply, static_argnums=2)
    first, second = (
        apply(variables, images, True, rngs={"dropout": jax.random.key(seed)}) for seed in (0, 1)
    )
    assert (first[0] != second[0]).any()
    np.testing.assert_array_equal(first[1]["pool"], second[1]["pool"])


@pytest.mark.slow
def test_computed_in_bfloat16_parameters_and_logits_stay_float32():
    network = SMALL.clone(dtype=jnp.bfloat16)
    variables = described(network, 32)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, activations = jax.eval_shape(network.apply, variables, image_shape(32))
    assert (logits.dtype, activations["conv2"].dtype) == (jnp.float32, jnp.bfloat16)
