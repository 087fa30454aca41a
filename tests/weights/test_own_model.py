"""Tests networks of the user's own, and the page that describes them."""

import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict
from safetensors.numpy import save_file

from lecture_models.models.plain_network import PlainNetwork
from lecture_models.tasks.image_optimization import classifier_network, feature_network
from lecture_models.tasks.layers import layer_shapes
from lecture_models.weights.conversion import Layout
from lecture_models.weights.error import WeightsError
from lecture_models.weights.own_model import OwnModel, is_own, pretrained, with_weights
from lecture_models.weights.own_tensors import read_variables
from lecture_models.weights.pretrained import Weights
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "own_model.md").read_text("utf-8")
BLOCKS = re.findall(r"```python[^\n]*\n(.*?)```", PAGE, re.DOTALL)
CLASSES = ("cat", "dog", "crane")


class Net(nn.Module):
    """Flattens its maps, so that the first dense layer fits one size of images alone."""

    nonlinearity: object = nn.relu

    @nn.compact
    def __call__(self, x, train=True):
        x = self.nonlinearity(nn.Conv(4, (3, 3), 2, name="conv1")(x))
        self.sow("intermediates", "relu1", x)
        x = nn.BatchNorm(use_running_average=not train, name="norm")(x)
        x = nn.Dense(5, name="fc1")(x.reshape(len(x), -1))
        return nn.Dense(3, name="head")(nn.Dropout(0.5, deterministic=not train)(x))


class House(nn.Module):
    """Has the form of the networks here."""

    num_classes: int = 3

    @nn.compact
    def __call__(self, images, training=False):
        x = nn.Conv(4, (1, 1), name="conv1")(images)
        return nn.Dense(3)(x.mean((1, 2)))[:, : self.num_classes], {"conv1": x}


def drawn(shapes):
    random = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(abs(random.normal(0.0, 0.3, leaf.shape)), jnp.float32), shapes
    )


@pytest.fixture(scope="module")
def variables():
    images = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.float32)
    shapes = jax.eval_shape(
        lambda images: Net().init(jax.random.key(0), images, train=False), images
    )
    return drawn(shapes)


@pytest.fixture(scope="module")
def own(variables):
    return OwnModel(Net(), variables, size=8, classes=CLASSES, mean=(0.5,) * 3, std=(0.5,) * 3)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Holds the page's net.py, and becomes the present folder."""
    (tmp_path / "net.py").write_text(BLOCKS[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def flat(variables, joint="/"):
    return {joint.join(path): np.asarray(leaf) for path, leaf in flatten_dict(variables).items()}


def refusal(call, *arguments):
    with pytest.raises(WeightsError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_name_of_a_python_file_is_a_network_of_ones_own():
    assert is_own("a/net.py:make")
    assert is_own("net.py:make@w.safetensors")
    assert is_own("net.py")
    assert not is_own("googlenet_bvlc")
    assert not is_own("runs/net.pyramid")
    assert with_weights("net.py:make@old", "new.safetensors") == "net.py:make@new.safetensors"


def test_logits_are_those_of_the_network_itself(own, variables):
    network = pretrained(own, "mine")
    images = jnp.linspace(-1.0, 1.0, 2 * 8 * 8 * 3).reshape(2, 8, 8, 3)
    logits, activations = classifier_network(network)(network.variables, images)
    np.testing.assert_allclose(logits, Net().apply(variables, images, train=False), rtol=1e-5)
    assert set(activations) == {"conv1", "relu1", "norm", "fc1", "Dropout_0", "head"}
    assert network.classes == CLASSES


def test_features_of_another_size_end_before_the_layer_that_does_not_fit(own):
    network = pretrained(own, "mine")
    apply = feature_network(network)
    assert set(layer_shapes(apply, network, (8, 8))) == {
        "conv1",
        "relu1",
        "norm",
        "fc1",
        "Dropout_0",
        "head",
    }
    shapes = layer_shapes(apply, network, (12, 20))
    assert shapes["norm"] == (1, 6, 10, 4)
    assert set(shapes) == {"conv1", "relu1", "norm"}


def test_a_replaced_nonlinearity_reaches_the_network(own):
    network = pretrained(own, "mine")
    silent = network.model.clone(nonlinearity=jnp.zeros_like)
    _, activations = silent.apply(network.variables, -jnp.ones((1, 8, 8, 3)))
    assert not activations["relu1"].any()


def test_a_network_in_the_form_of_the_house_is_taken_as_it_is():
    model = House()
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 4, 4, 1)))
    own = OwnModel(model, drawn(shapes), 4, CLASSES, mean=(0.0,), std=(1.0,))
    assert pretrained(own, "mine").model is model


def test_a_network_without_classes_has_features_only(own):
    network = pretrained(own._replace(classes=()), "mine")
    assert isinstance(network.model, PlainNetwork)
    assert "has no class scores" in refusal(classifier_network, network)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": Net}, "network is the class Net; it must be a module: Net()"),
        ({"network": 3}, "network is a int; it must be a module of flax.linen"),
        ({"size": 0}, "size is 0; it must be a number of pixels, at least 1"),
        ({"mean": (0.5, 0.5)}, "both must have 3 numbers, or 1"),
        ({"std": (0.0,) * 3}, "std must not be 0"),
        ({"classes": "cat"}, "classes is 'cat'; it must be a tuple of names"),
        ({"classes": ("a", "b")}, "logits of shape (1, 3) for one image; for the 2 names"),
        ({"variables": None}, "has no parameters; give them as OwnModel(variables=...)"),
        ({"variables": [1]}, "variables is a list; it must be a dict such as"),
        ({"variables": {}}, "mine cannot read an image of 8x8x3: ScopeCollectionNotFound"),
        ({"size": 9}, "mine cannot read an image of 9x9x3: ScopeParamShapeError"),
    ],
)
def test_what_cannot_be_right_is_told_in_one_line(own, change, message):
    assert message in refusal(pretrained, own._replace(**change), "mine")


@pytest.mark.parametrize("joint", ["/", "."])
def test_a_file_may_leave_the_collection_out(variables, tmp_path, joint):
    path = tmp_path / "w.safetensors"
    whole = flat(variables, joint)
    save_file({name.partition(joint)[2]: leaf for name, leaf in whole.items()}, path)
    found = read_variables(path, variables)
    assert jax.tree.all(jax.tree.map(np.array_equal, found, variables))
    save_file(whole, path)
    assert jax.tree.all(jax.tree.map(np.array_equal, read_variables(path, variables), variables))


def test_a_file_of_pytorch_needs_a_layout(tmp_path):
    kernel = np.arange(24.0, dtype=np.float32).reshape(4, 3, 1, 2)
    save_file({"c.weight": kernel, "c.bias": np.zeros(4, np.float32)}, tmp_path / "w.safetensors")
    shape = {"kernel": jnp.zeros((1, 2, 3, 4)), "bias": jnp.zeros(4)}
    found = read_variables(tmp_path / "w.safetensors", {"params": {"c": shape}}, Layout({}))
    np.testing.assert_array_equal(found["params"]["c"]["kernel"], kernel.transpose(2, 3, 1, 0))


def test_a_file_that_does_not_fit_says_what_is_there_and_what_must_be(variables, tmp_path):
    path, whole = tmp_path / "w.safetensors", flat(variables)
    renamed = dict(whole)
    renamed["params/conv_1/kernel"] = renamed.pop("params/conv1/kernel")
    save_file(renamed, path)
    assert refusal(read_variables, path, variables).endswith(
        "does not fit the network: missing (1): params/conv1/kernel (the file has "
        "params/conv_1/kernel); unexpected (1): params/conv_1/kernel"
    )
    save_file(whole | {"params/head/bias": np.zeros(4, np.float32)}, path)
    assert "params/head/bias is (4,) and must be (3,)" in refusal(read_variables, path, variables)
    save_file(whole | {"params/head/bias": np.full(3, np.nan, np.float32)}, path)
    assert "not finite: params/head/bias" in refusal(read_variables, path, variables)
    path.write_bytes(b"no")
    assert "not a safetensors file" in refusal(read_variables, path, variables)


MORE = """
def nothing():
    pass


def failing():
    return {}["x"]
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net.py", "which names no function; write FILE.py:FUNCTION"),
        ("net.py:make_model@", "which names no file after @"),
        ("nett.py:make_model", "nett.py does not exist; did you mean 'net.py'?"),
        ("net.py:make_modle", "has no function 'make_modle'; did you mean 'make_model'? It has: "),
        ("net.py:nothing", "nothing of net.py returned nothing; it must return an OwnModel"),
        ("net.py:failing", "failing of net.py failed: KeyError: 'x' (line 29)"),
        ("net.py:make_model@w.safetensors", "w.safetensors does not exist"),
        ("net.py:without_parameters", "has no parameters"),
        ("wrong.py:f", "wrong.py cannot be imported: SyntaxError: invalid syntax (line 1)"),
    ],
)
def test_a_wrong_name_is_told_in_one_line(folder, name, message):
    (folder / "net.py").write_text(BLOCKS[0] + MORE)
    (folder / "wrong.py").write_text("def f(:")
    assert message in refusal(Weights(None, pytest.fail).load, name)
    assert str(folder) not in sys.path


def test_a_network_made_in_python_is_found_by_its_name(own):
    weights = Weights(None, pytest.fail)
    network = pretrained(own, "mine")
    weights.add(network)
    assert weights.load("mine") is network


def test_the_files_of_a_network_are_recorded(folder):
    weights = Weights(None, pytest.fail)
    network = weights.load("net.py:make_model")
    save_file(flat(network.variables), folder / "net.safetensors")
    again = weights.load("net.py:without_parameters@net.safetensors")
    assert jax.tree.all(jax.tree.map(np.array_equal, network.variables, again.variables))
    assert [file.path.name for file in again.provenance.files] == ["net.py", "net.safetensors"]
    assert all(file.path.is_absolute() for file in again.provenance.files)


@pytest.mark.slow
def test_the_python_of_the_page_runs(folder):
    variables = Weights(None, pytest.fail).load("net.py:make_model").variables
    assert len(BLOCKS) == 3
    exec(BLOCKS[1], {"variables": variables})
    assert (folder / "net.safetensors").is_file()
    names = {}
    exec(BLOCKS[2], names)
    assert names["saliency"].shape == (1, 32, 32)
    assert names["saliency"].max() > 0.0
    assert abs(names["dream"] - names["images"]).max() > 0.01
