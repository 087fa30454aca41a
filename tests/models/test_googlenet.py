import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.metrics.cost import count_parameters, multiply_adds
from lecture_models.models.googlenet import GoogLeNet, _Auxiliary
from lecture_models.nn.local_response_norm import caffe_local_response_norm
from tests.models.networks import described, filled, image_shape, outputs, pictures, rectifiers

SMALL = GoogLeNet(num_classes=5, auxiliary=False)
MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
# Szegedy et al., Table 1, the column of the output's size.
CHANNELS = (256, 480, 512, 512, 512, 528, 832, 832, 1024)


@pytest.mark.slow
def test_it_has_seven_million_parameters_and_six_more_in_its_heads():
    counts = [
        count_parameters(described(GoogLeNet(auxiliary=auxiliary), 224)["params"])
        for auxiliary in (False, True)
    ]
    heads = [
        (maps * 128 + 128) + (4 * 4 * 128 * 1024 + 1024) + (1024 * 1000 + 1000)
        for maps in (512, 528)
    ]
    assert counts == [6_998_552, 6_998_552 + sum(heads)]


def test_layers_carry_caffes_names():
    params = described(GoogLeNet(), 224)["params"]
    assert {name for name in params if not name.startswith("inception")} == {
        *("conv1", "conv2", "loss1", "loss2", "loss3")
    }
    assert set(params["conv1"]) == {"7x7_s2"}
    assert set(params["conv2"]) == {"3x3_reduce", "3x3"}
    assert set(params["loss1"]) == {"conv", "fc", "classifier"}
    assert set(params["loss3"]) == {"classifier"}
    layers = {"1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj"}
    assert all(set(params[f"inception_{module}"]) == layers for module in MODULES)
    assert params["inception_3b"]["5x5_reduce"]["kernel"].shape == (1, 1, 256, 32)


def test_the_longest_path_has_22_layers_with_parameters():
    params = described(GoogLeNet(auxiliary=False), 224)["params"]
    in_a_row = {"conv1": 1, "conv2": 2, "loss3": 1}
    assert sum(in_a_row.get(name, 2) for name in params) == 22


def test_maps_have_the_sizes_of_table_1():
    logits, activations = outputs(GoogLeNet(), 224)
    assert logits == (1000,)
    sizes = (28, 28, 14, 14, 14, 14, 14, 7, 7)
    for module, size, channels in zip(MODULES, sizes, CHANNELS, strict=True):
        assert activations[f"inception_{module}/output"] == (size, size, channels)
    assert activations["conv1/7x7_s2"] == (112, 112, 64)
    assert activations["pool1/3x3_s2"] == (56, 56, 64)
    assert activations["conv2/3x3"] == (56, 56, 192)
    assert activations["pool2/3x3_s2"] == (28, 28, 192)
    assert activations["pool5/7x7_s1"] == (1024,)


def test_the_two_layers_of_the_lectures_dreams_exist():
    _, activations = outputs(GoogLeNet(), 224)
    assert activations["inception_4c/output"] == (14, 14, 512)
    assert activations["inception_3b/5x5_reduce"] == (28, 28, 32)


def test_it_costs_1_6_billion_multiply_adds():
    network = GoogLeNet()
    cost = multiply_adds(network.apply, described(network, 224), image_shape(224))
    assert cost == 1_582_671_872


@pytest.mark.slow
def test_auxiliary_logits_exist_in_training_only():
    _, evaluated = outputs(GoogLeNet(), 224)
    _, trained = outputs(GoogLeNet(), 224, training=True)
    assert trained["loss1/classifier"] == trained["loss2/classifier"] == (1000,)
    assert trained["loss1/ave_pool"] == (4, 4, 512)
    assert trained["loss2/ave_pool"] == (4, 4, 528)
    assert {name.split("/")[0] for name in set(trained) - set(evaluated)} == {"loss1", "loss2"}
    assert set(outputs(GoogLeNet(auxiliary=False), 224, training=True)[1]) == set(evaluated)


@pytest.mark.slow
def test_every_rectifier_is_the_field():
    assert rectifiers(GoogLeNet(), 224) == 3 + 9 * 6
    assert rectifiers(GoogLeNet(), 224, training=True) == 3 + 9 * 6 + 4


@pytest.mark.slow
def test_without_classes_there_is_no_head_and_any_size_is_taken():
    network = GoogLeNet(num_classes=0)
    logits, activations = outputs(network, 101, training=True)
    assert logits == (0,)
    assert activations["inception_5b/output"] == (3, 3, 1024)
    assert not [name for name in described(network, 101)["params"] if name.startswith("loss")]


def test_an_auxiliary_head_drops_seven_tenths_of_its_hidden_units():
    """Szegedy et al., 2015, section 5."""
    count = 1_000
    head = _Auxiliary(count, count, jax.nn.relu, jnp.float32)
    maps = jnp.zeros((1, 5, 5, 2))
    shapes = jax.eval_shape(lambda key: head.init(key, maps, False), jax.random.key(0))
    params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), shapes)["params"]
    params["fc"]["bias"] = jnp.ones(count)
    params["classifier"]["kernel"] = jnp.eye(count)  # The logits are the hidden units.
    rngs = {"dropout": jax.random.key(1)}
    logits = head.apply({"params": params}, maps, True, rngs=rngs)["classifier"]
    kept = np.asarray(logits)[logits != 0.0]
    np.testing.assert_allclose(kept, np.full(len(kept), 1.0 / 0.3), rtol=1e-5)
    assert len(kept) / count == pytest.approx(0.3, abs=4.0 * (0.21 / count) ** 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("auxiliary", "least"), [(False, 31), (True, 47)])
def test_images_too_small_for_it_are_refused(auxiliary, least):
    network = GoogLeNet(num_classes=3, auxiliary=auxiliary, auxiliary_hidden=4)
    assert outputs(network, least, training=True)[0] == (3,)
    with pytest.raises(ValueError, match="too small for a pooling window"):
        described(network, least - 1)


@pytest.fixture(scope="module")
def run():
    """Returns logits, activations and the gradient of a logit to the image, at 33x33."""
    variables, images = filled(SMALL, 33), pictures(33, batch=1)

    def logit(images):
        logits, activations = SMALL.apply(variables, images)
        return logits[0, 0], (logits, activations)

    (_, found), gradient = jax.jit(jax.value_and_grad(logit, has_aux=True))(images)
    return variables, *found, gradient


@pytest.mark.slow
def test_a_module_concatenates_1x1_3x3_5x5_and_pooling_after_their_rectifiers(run):
    _, _, activations, _ = run
    name = "inception_3a"
    branches = [
        activations[f"{name}/relu_{branch}"] for branch in ("1x1", "3x3", "5x5", "pool_proj")
    ]
    np.testing.assert_array_equal(activations[f"{name}/output"], np.concatenate(branches, -1))
    before, after = (activations[f"{name}/{each}5x5_reduce"] for each in ("", "relu_"))
    assert before.min() < 0.0
    np.testing.assert_array_equal(after, np.maximum(before, 0.0))


@pytest.mark.slow
def test_normalization_follows_the_first_pooling_and_precedes_the_second(run):
    _, _, activations, _ = run
    for before, after in (
        ("pool1/3x3_s2", "pool1/norm1"),
        ("conv2/relu_3x3", "conv2/norm2"),
    ):
        expected = caffe_local_response_norm(activations[before])
        np.testing.assert_allclose(activations[after], expected, rtol=1e-5)
    order = list(outputs(SMALL, 33)[1])
    assert order.index("conv2/norm2") + 1 == order.index("pool2/3x3_s2")


def test_logits_are_loss3_of_the_mean_maps(run):
    variables, logits, activations, _ = run
    mean = np.asarray(activations["inception_5b/output"]).mean((1, 2))
    classifier = variables["params"]["loss3"]["classifier"]
    expected = mean @ np.asarray(classifier["kernel"]) + np.asarray(classifier["bias"])
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


def test_gradient_to_the_image_is_finite_and_not_zero(run):
    *_, gradient = run
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0.0).any()


@pytest.mark.slow
def test_dropout_changes_the_logits_in_training_only():
    """Checks the classifier alone: the maps before it are the same for any key."""
    variables, images = filled(SMALL, 33), pictures(33, batch=1)
    apply = jax.jit(SMALL.apply, static_argnums=2)
    first, second = (
        apply(variables, images, True, rngs={"dropout": jax.random.key(seed)}) for seed in (0, 1)
    )
    assert (first[0] != second[0]).any()
    np.testing.assert_array_equal(first[1]["pool5/7x7_s1"], second[1]["pool5/7x7_s1"])


@pytest.mark.slow
def test_computed_in_bfloat16_parameters_and_logits_stay_float32():
    network = GoogLeNet(dtype=jnp.bfloat16)
    variables = described(network, 224)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, activations = jax.eval_shape(network.apply, variables, image_shape(224))
    assert (logits.dtype, activations["inception_5b/output"].dtype) == (jnp.float32, jnp.bfloat16)
