import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from lecture_models.runs.renames import WORDS
from lecture_models.weights import pretrained, tensors
from lecture_models.weights.catalog import CATALOG
from lecture_models.weights.error import WeightsError
from lecture_models.weights.pretrained import (
    Weights,
    default_weights_dir,
    expected_shapes,
    imagenet_classes,
)
from tests.weights.small_files import public_tensors
from tests.weights.test_download import hub, no_proxy, send  # noqa: F401

SQUEEZENET = CATALOG["squeezenet1_1_rgb"]


@pytest.fixture
def squeezenet(tmp_path):
    """Writes a file of noise that fits SqueezeNet."""
    path = tmp_path / "given" / SQUEEZENET.file
    path.parent.mkdir()
    save_file(public_tensors(expected_shapes(SQUEEZENET.build()), SQUEEZENET.layout), path)
    return path


@pytest.fixture
def catalog(monkeypatch):
    return lambda name, entry: monkeypatch.setitem(pretrained.CATALOG, name, entry)


@pytest.mark.slow
def test_a_verified_file_is_loaded_in_silence(squeezenet, catalog):
    catalog("known", SQUEEZENET._replace(sha256=tensors.sha256(squeezenet)))
    lines = []
    weights = Weights(squeezenet.parent, lines.append)
    network = weights.load("known")
    logits, _ = network.model.apply(network.variables, jnp.zeros((1, 64, 64, 3)))
    assert logits.shape == (1, len(network.classes)) == (1, 1000)
    assert not lines
    (provenance,) = weights.provenance
    assert provenance.dataset == "weights known"
    assert "SqueezeNet 1.1; MXNet Gluon model zoo" in provenance.source
    assert provenance.files[0] == (squeezenet, tensors.sha256(squeezenet))
    assert weights.load("known") is network


def test_another_file_of_the_name_is_refused(squeezenet):
    with pytest.raises(WeightsError) as caught:
        Weights(squeezenet.parent, print).load("squeezenet1_1_rgb")
    found = tensors.sha256(squeezenet)
    assert str(caught.value) == (
        f"{squeezenet} is damaged, or another file of this name: its SHA-256 is {found}; it "
        f"must be {SQUEEZENET.sha256}; delete it"
    )


def test_a_file_without_a_known_digest_is_announced_and_recorded(squeezenet, catalog):
    catalog("own", SQUEEZENET._replace(sha256=None))
    lines = []
    network = Weights(squeezenet.parent, lines.append).load("own")
    found = tensors.sha256(squeezenet)
    assert lines == [f"NOT VERIFIED: {squeezenet} has SHA-256 {found}; the right one is not known"]
    assert network.provenance.note == "not verified: no SHA-256 of this file is known"


def test_an_absent_file_is_downloaded_verified_and_used(squeezenet, catalog, tmp_path):
    content, lines = squeezenet.read_bytes(), []
    with hub(lambda handler, number, first: send(handler, content, first)) as (url, asked):
        catalog("public", SQUEEZENET._replace(url=url, sha256=tensors.sha256(squeezenet)))
        network = Weights(tmp_path / "cache", lines.append).load("public")
        again = Weights(tmp_path / "cache", lines.append).load("public")
    assert asked == [0]
    assert lines == [f"downloading {url} into {tmp_path / 'cache'}"]
    assert network.provenance.source.endswith("downloaded just now")
    same = jax.tree.map(np.array_equal, network.variables, again.variables)
    assert all(jax.tree.leaves(same))


def test_what_is_not_published_is_a_one_line_error(tmp_path):
    with pytest.raises(WeightsError) as caught:
        Weights(tmp_path, print).load("googlenet_bvlc")
    message = str(caught.value)
    assert message.startswith(
        f"googlenet_bvlc: googlenet_bvlc.safetensors does not exist in {tmp_path}, and has no "
        "known download (made from: BVLC"
    )
    assert message.endswith("give the folder that holds it as --weights_dir")


def test_no_network_is_a_one_line_error(tmp_path, catalog):
    catalog("far", SQUEEZENET._replace(url="http://127.0.0.1:9/a.safetensors"))
    with pytest.raises(
        WeightsError, match="^far: .* does not exist in .*; .* cannot be downloaded: .*127.0.0.1:9"
    ):
        Weights(tmp_path, print).load("far")


def test_a_file_of_another_network_is_refused(squeezenet, catalog):
    entry = CATALOG["resnet18_torchvision"]
    catalog("wrong", entry._replace(file=squeezenet.name))
    with pytest.raises(
        WeightsError, match="does not fit ResNet-18: missing .102.: .*; unexpected .52.: "
    ):
        Weights(squeezenet.parent, lambda line: None).load("wrong")


def test_an_unknown_name_is_an_error_with_the_nearest(tmp_path):
    with pytest.raises(WeightsError, match="no weights 'googlenet'; did you mean 'googlenet_bvlc'"):
        Weights(tmp_path, print).load("googlenet")


@pytest.mark.parametrize(("old", "new"), WORDS.items())
def test_an_old_name_is_answered_with_the_new_one(tmp_path, old, new):
    with pytest.raises(WeightsError, match=f"no weights {old!r}; did you mean {new!r}"):
        Weights(tmp_path, print).load(f"{old},vgg19_random")


def test_an_untrained_network_says_so_loudly(tmp_path):
    lines = []
    weights = Weights(tmp_path, lines.append)
    network = weights.load("untrained")
    assert lines == [
        "UNTRAINED: a small network of random parameters: what it says of a picture means nothing"
    ]
    assert network.provenance.note.startswith("random parameters")
    assert len(network.classes) == 1000


def test_the_folder_is_the_one_of_the_environment_or_a_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE_MODELS_WEIGHTS", str(tmp_path / "a"))
    assert default_weights_dir() == tmp_path / "a"
    monkeypatch.delenv("LECTURE_MODELS_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert default_weights_dir() == tmp_path / "b" / "lecture_models" / "weights"


def test_the_classes_are_in_the_usual_order():
    classes = imagenet_classes()
    assert len(classes) == 1000
    assert classes[0] == "tench, Tinca tinca"
    assert classes[207] == "golden retriever"
    assert classes[285] == "Egyptian cat"


@pytest.mark.parametrize("name", CATALOG)
def test_a_catalog_entry_is_pinned_or_says_that_it_is_not(name):
    entry = CATALOG[name]
    assert entry.source
    assert entry.license
    if entry.url is not None:
        assert len(entry.sha256) == 64
        assert entry.url.startswith("https://huggingface.co/timm/")
        assert len(entry.url.split("/resolve/")[1].split("/")[0]) == 40  # One revision, no branch.
