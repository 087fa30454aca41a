import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict

from lecture_models.models.resnet import RESNET_18, RESNET_50_STRIDED_3X3
from lecture_models.models.vgg import VGG, VGG_E
from lecture_models.weights import layouts
from lecture_models.weights.catalog import CATALOG
from lecture_models.weights.conversion import Layout, convert
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import expected_shapes
from tests.weights.small_files import public_shapes, public_tensors

# VGG's shape, with few maps.
STAGES = tuple((4, (3,) * layers) for layers in (2, 2, 4, 4, 4))
TINY_VGG = functools.partial(VGG, stages=STAGES, hidden=6, num_classes=5)
TINY_LAYOUT = layouts.torchvision_vgg((2, 2, 4, 4, 4))._replace(maps={"fc6": (7, 7, 4)})


def test_a_convolution_is_the_same_cross_correlation():
    random = np.random.default_rng(0)
    kernel = random.normal(size=(5, 3, 3, 2)).astype(np.float32)  # Out, in, height, width.
    module = nn.Conv(5, (3, 2), padding="VALID", use_bias=False, name="a")
    expected = {"params": {"a": {"kernel": jax.ShapeDtypeStruct((3, 2, 3, 5), jnp.float32)}}}
    variables = convert({"a.weight": kernel}, Layout({}), expected, "a")
    images = random.normal(size=(1, 3, 2, 3)).astype(np.float32)
    found = module.apply({"params": variables["params"]["a"]}, images)
    by_hand = np.einsum("hwi,oihw->o", images[0], kernel)
    np.testing.assert_allclose(found.ravel(), by_hand, rtol=1e-5)


@pytest.mark.parametrize("named", [0, 1], ids=["torchvision", "timm"])
def test_the_first_dense_layer_of_a_vgg_reads_the_same_maps(named):
    model = TINY_VGG()
    expected = expected_shapes(model)
    public = public_tensors(expected, TINY_LAYOUT, named)
    key = ("classifier.0.weight", "pre_logits.fc1.weight")[named]
    maps = np.random.default_rng(1).normal(size=(7, 7, 4)).astype(np.float32)
    by_hand = public[key] @ maps.transpose(2, 0, 1).ravel()  # Channel first, as in PyTorch.
    if named:
        public[key] = public[key].reshape(6, 4, 7, 7)
        public["pre_logits.fc2.weight"] = public["pre_logits.fc2.weight"].reshape(6, 6, 1, 1)
    kernel = convert(public, TINY_LAYOUT, expected, "a")["params"]["fc6"]["kernel"]
    np.testing.assert_allclose(maps.ravel() @ kernel, by_hand, rtol=1e-4)


@pytest.mark.slow
def test_a_resnet_takes_batch_statistics_and_counters_are_left_aside():
    model = RESNET_18(widths=(2, 3, 4, 5), num_classes=3)
    layout = layouts.torchvision_resnet((2, 2, 2, 2))
    public = public_tensors(expected_shapes(model), layout)
    counters = {f"layer1.0.bn{i}.num_batches_tracked": np.array(9) for i in (1, 2)}
    variables = convert(public | counters, layout, expected_shapes(model), "a")
    np.testing.assert_array_equal(
        variables["batch_stats"]["block2_1"]["shortcut_bn"]["var"],
        public["layer2.0.downsample.1.running_var"],
    )
    np.testing.assert_array_equal(
        variables["params"]["block4_2"]["conv2"]["kernel"],
        public["layer4.1.conv2.weight"].transpose(2, 3, 1, 0),
    )
    logits, _ = model.apply(variables, jnp.zeros((1, 32, 32, 3)))
    assert logits.shape == (1, 3)


def test_resnet_50_has_the_keys_of_the_public_file():
    layout = layouts.torchvision_resnet((3, 4, 6, 3))
    keys = public_shapes(expected_shapes(RESNET_50_STRIDED_3X3()), layout).keys()
    assert len(keys) == 267  # 161 parameters of 54 layers with weights, 53 means, 53 variances.
    for key in ("conv1.weight", "bn1.running_mean", "layer1.0.downsample.0.weight", "fc.bias"):
        assert key in keys
    assert all(key.startswith(("conv1.", "bn1.", "layer", "fc.")) for key in keys)


def test_vgg_19_has_the_numbers_of_torchvision():
    layout = layouts.torchvision_vgg((2, 2, 4, 4, 4))
    numbers = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    found = [names[0] for layer, names in layout.names.items() if layer.startswith("conv")]
    assert found == [f"features.{number}" for number in numbers]
    keys = public_shapes(expected_shapes(VGG_E()), layout).keys()
    assert {"classifier.0.weight", "classifier.3.bias", "classifier.6.weight"} <= keys


def test_a_classifier_is_left_aside_where_only_features_are_wanted():
    features = layouts.torchvision_vgg((2, 2, 4, 4, 4), classifier=False)
    whole = public_tensors(expected_shapes(TINY_VGG()), TINY_LAYOUT)
    variables = convert(whole, features, expected_shapes(TINY_VGG(num_classes=0)), "a")
    assert len(variables["params"]) == 16


def test_everything_that_is_wrong_stands_in_one_error():
    expected = expected_shapes(TINY_VGG())
    public = public_tensors(expected, TINY_LAYOUT)
    del public["features.0.bias"], public["classifier.6.weight"]
    public["features.2.weight"] = np.zeros((4, 4, 5, 5), np.float32)
    public["classifier.0.weight"] = np.zeros((6, 7), np.float32)
    public["features.5.bias"][1] = np.nan
    public["fc.weight"] = np.zeros(3, np.float32)
    with pytest.raises(WeightsError) as caught:
        convert(public, TINY_LAYOUT, expected, "some file")
    assert str(caught.value) == (
        "some file: missing (2): features.0.bias, classifier.6.weight or head.fc.weight; "
        "unexpected (1): fc.weight; "
        "wrong shapes (2): features.2.weight is (4, 4, 5, 5) and must be (4, 4, 3, 3), "
        "classifier.0.weight is (6, 7) and must be (6, 196) or (6, 4, 7, 7); "
        "not finite (1): features.5.bias"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOG)
def test_every_layer_of_a_catalogd_network_has_a_public_name_of_its_own(name):
    entry = CATALOG[name]
    expected = expected_shapes(entry.build())
    paths = flatten_dict(expected, sep="/")
    layers = {path.partition("/")[2].rpartition("/")[0] for path in paths}
    assert not entry.layout.names or layers <= entry.layout.names.keys() | {"conv1", "bn1", "fc"}
    assert len(public_shapes(expected, entry.layout)) == len(paths)


@pytest.mark.slow
def test_the_sizes_of_public_files_are_those_of_their_parameters():
    sizes = {  # As the hub lists them, in bytes of float32, headers and counters included.
        "resnet18_timm": 46_807_446,
        "resnet34_timm": 87_278_522,
        "resnet50_timm": 102_469_840,
    }
    for name, size in sizes.items():
        shapes = public_shapes(expected_shapes(CATALOG[name].build()), CATALOG[name].layout)
        content = 4 * sum(math.prod(shape) for shape in shapes.values())
        assert 0 < size - content < 40_000
