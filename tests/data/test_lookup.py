import errno
import functools
import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lecture_models.data import dataset_library, mnist, network, tfds
from lecture_models.data.dataset import DataError
from lecture_models.data.dataset_library import default_data_dir
from lecture_models.data.folder import PictureOptions
from lecture_models.data.lookup import Library
from tests.data.small_files import (
    cifar_batches,
    mnist_arrays,
    mnist_layout,
    write_cifar,
    write_cifar_jpeg,
    write_mnist,
)
from tests.data.small_pictures import write_pictures

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """Refuses every connection and empties TFDS's default folder; yields the attempts."""
    tried = []

    def refuse(address, timeout):
        tried.append(address)
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
    return tried


@pytest.fixture
def lines():
    return []


def _small_mnist(monkeypatch):
    arrays = mnist_arrays()
    reader = functools.partial(mnist.read, mnist_layout(arrays))
    monkeypatch.setitem(dataset_library.SOURCES, "mnist", (reader,))
    return arrays


def test_a_first_name_that_is_there_is_taken_in_silence(tmp_path, lines, monkeypatch):
    write_mnist(tmp_path / "mnist", _small_mnist(monkeypatch))
    loaded = Library(tmp_path, lines.append)
    dataset = loaded.load("mnist,digits")
    assert dataset.provenance.dataset == "mnist"
    assert dataset.provenance.note == ""
    assert lines == []
    assert loaded.provenance == (dataset.provenance,)


def test_a_fallback_is_announced_once_and_recorded(tmp_path, lines, no_network):
    pytest.importorskip("sklearn")
    loaded = Library(tmp_path, lines.append)
    dataset = loaded.load("mnist, digits")
    assert loaded.load("mnist, digits") is dataset
    assert len(lines) == 1
    assert "\n" not in lines[0]
    assert lines[0].startswith("FALLBACK: mnist is not available (mnist/train-images")
    assert "Network is unreachable" in lines[0]
    assert lines[0].endswith(
        "; training on digits: 1,797 digits of 8x8 resized to 28x28, not MNIST"
    )
    assert loaded.provenance == (dataset.provenance,)
    assert dataset.provenance.dataset == "digits"
    assert "fallback: mnist is not available" in dataset.provenance.note
    assert "not MNIST" in dataset.provenance.note
    assert len(no_network) == 1


def test_a_single_name_is_never_replaced(tmp_path, lines, no_network):
    loaded = Library(tmp_path / "typo", lines.append)
    with pytest.raises(DataError) as caught:
        loaded.load("mnist")
    message = str(caught.value)
    assert "\n" not in message
    assert f"mnist/train-images-idx3-ubyte.gz does not exist in {tmp_path / 'typo'}" in message
    assert "a prepared TFDS data set does not exist in" in message
    assert "no connection to storage.googleapis.com:443 (Network is unreachable)" in message
    assert f"the folder {tmp_path / 'typo'} does not exist: give another one" in message
    assert lines == []
    assert loaded.provenance == ()


def test_nothing_of_a_list_names_every_member(tmp_path, lines, no_network):
    with pytest.raises(DataError, match=r"fashion_mnist is not available .* usps is not available"):
        Library(tmp_path, lines.append).load("fashion_mnist,usps")


def test_a_damaged_file_is_an_error_even_where_there_is_a_fallback(tmp_path, lines, no_network):
    write_mnist(tmp_path / "mnist", mnist_arrays())
    path = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz is cut off"):
        Library(tmp_path, lines.append).load("mnist,digits")
    assert lines == []
    assert no_network == []


def test_another_file_under_the_right_name_is_an_error(tmp_path, lines, no_network):
    write_mnist(tmp_path / "mnist", mnist_arrays())
    with pytest.raises(DataError, match="is not the published file of mnist"):
        Library(tmp_path, lines.append).load("mnist,digits")


@pytest.mark.parametrize("names", ["mnits", "mnits,digits", "digits,mnits"])
def test_an_unknown_name_is_refused_before_anything_is_read(tmp_path, lines, names):
    with pytest.raises(DataError) as caught:
        Library(tmp_path, lines.append).load(names)
    known = ", ".join([*dataset_library.SOURCES, "folder"])
    assert str(caught.value) == (
        f"there is no data set 'mnits'; did you mean 'mnist'? Data sets: {known}"
    )
    assert known.startswith("mnist, fashion_mnist, cifar10, cifar10_jpeg, cifar100,")


def test_an_empty_name_is_refused(tmp_path, lines):
    with pytest.raises(DataError, match="there is no data set ''"):
        Library(tmp_path, lines.append).load("mnist,")


def test_exact_cifar10_goes_before_the_lossy_copies_unless_these_are_asked_for(
    tmp_path, lines, no_network
):
    write_cifar_jpeg(tmp_path / "cifar10" / "cifar-10-jpeg", [3, 0, 3], [1])
    assert "lossy" in Library(tmp_path, lines.append).load("cifar10").provenance.note
    write_cifar(tmp_path / "cifar10" / "cifar-10-batches-bin", cifar_batches(), packed=True)
    loaded = Library(tmp_path, lines.append)
    assert "exact pixels" in loaded.load("cifar10").provenance.note
    assert "lossy" in loaded.load("cifar10_jpeg").provenance.note
    assert len(loaded.provenance) == 2
    assert lines == []


def test_a_data_set_is_read_once_under_all_its_names(tmp_path, lines, monkeypatch):
    write_mnist(tmp_path / "mnist", _small_mnist(monkeypatch))
    loaded = Library(tmp_path, lines.append)
    alone = loaded.load("mnist")
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b""))
    assert loaded.load("mnist,digits") is alone
    assert len(loaded.provenance) == 1


@pytest.mark.parametrize("names", ["folder", "folder,digits"])
def test_a_folder_of_pictures_is_the_data_dir_itself(tmp_path, lines, names):
    write_pictures(tmp_path, 12)
    loaded = Library(tmp_path, lines.append)
    dataset = loaded.load(names)
    assert dataset.train.images.shape[1:] == (28, 28, 1)
    assert loaded.load("folder") is dataset
    assert loaded.provenance == (dataset.provenance,)
    assert len(lines) == 2


def test_the_provenance_has_data_sets_and_then_pictures(tmp_path, lines):
    pytest.importorskip("sklearn")
    library = Library(tmp_path, lines.append)
    library.pictures(("sample:china", "sample:flower"), 16)
    library.picture("sample:china", 32)
    library.load("digits")
    names = [provenance.dataset for provenance in library.provenance]
    assert names == ["digits", "pictures", "picture"]


def test_options_for_pictures_reach_them(tmp_path, lines):
    write_pictures(tmp_path, 12, "RGB")
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError, match="1 of 13 pictures"):
        Library(tmp_path, lines.append).load("folder")
    options = PictureOptions(image_size=16, skip_bad_images=True)
    dataset = Library(tmp_path, lines.append, options).load("folder")
    assert dataset.train.images.shape[1:] == (16, 16, 3)


def test_pictures_are_not_looked_for_in_a_folder_that_nobody_named(tmp_path, lines, monkeypatch):
    write_pictures(tmp_path, 12)
    monkeypatch.setenv("LECTURE_MODELS_DATA", str(tmp_path))
    with pytest.raises(DataError) as caught:
        Library(None, lines.append).load("folder")
    assert str(caught.value) == (
        "--dataset=folder needs --data_dir=DIR, the folder of the pictures"
    )


def test_a_folder_of_pictures_is_never_replaced(tmp_path, lines):
    with pytest.raises(DataError, match="nowhere is not a folder"):
        Library(tmp_path / "nowhere", lines.append).load("folder,digits")
    assert lines == []


def test_options_for_pictures_are_refused_for_other_data(tmp_path, lines):
    loaded = Library(tmp_path, lines.append, PictureOptions())
    with pytest.raises(DataError) as caught:
        loaded.load("mnist,digits")
    assert str(caught.value) == (
        "--image_size and --skip_bad_images are for --dataset=folder, not for mnist,digits"
    )


def test_without_a_folder_data_sets_come_from_the_default_one(tmp_path, lines, monkeypatch):
    write_mnist(tmp_path / "mnist", _small_mnist(monkeypatch))
    monkeypatch.setenv("LECTURE_MODELS_DATA", str(tmp_path))
    assert Library(None, lines.append).load("mnist").provenance.dataset == "mnist"


def test_without_a_network_mnist_fails_in_one_line(tmp_path, monkeypatch):
    if not network.unreachable(tfds.URLS["mnist"]):
        pytest.skip("this machine has a network; the simulated case is tested above")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
    with pytest.raises(DataError, match="mnist is not available") as caught:
        Library(tmp_path, print).load("mnist")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_comes_from_the_environment_or_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE_MODELS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_data_dir() == tmp_path / "data"
    monkeypatch.delenv("LECTURE_MODELS_DATA")
    assert default_data_dir() == tmp_path / "cache" / "lecture_models" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / ".cache" / "lecture_models" / "data"


def test_every_data_module_is_imported_without_the_libraries_it_reads_with():
    program = """
import importlib, pathlib, sys
absent = ("h5py", "sklearn", "tensorflow_datasets", "tensorflow")
foreign = ("jax", "absl", "wandb", "orbax", "lecture_models.training")
sys.modules.update(dict.fromkeys((*absent, *foreign)))
for path in sorted(pathlib.Path("lecture_models/data").glob("*.py")):
    importlib.import_module(f"lecture_models.data.{path.stem}")
    print(path.stem)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"lookup", "tfds", "usps", "digits"} <= set(done.stdout.split())
