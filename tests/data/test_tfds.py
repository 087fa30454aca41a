import hashlib
import importlib
import importlib.util
import io
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import cifar_records, mnist, tfds
from lecture_models.data.cifar10 import CIFAR10
from lecture_models.data.dataset import DataAbsentError, DataError, split_checksum
from tests.data.test_mnist import ARCHIVES, SPLITS

tensorflow_datasets = pytest.importorskip("tensorflow_datasets")


def _prepare(data_dir, name, num_train=40, num_test=7, channels=1, ids=False, file_format=None):
    """Returns images; image k of a split has the gray level k, which tells its place."""
    features = {
        "image": tensorflow_datasets.features.Image(shape=(28, 28, channels)),
        "label": tensorflow_datasets.features.ClassLabel(num_classes=10),
    }
    if ids:
        features["id"] = tensorflow_datasets.features.Text()

    def examples(split, count):
        for key in range(count):
            image = io.BytesIO()
            pixels = np.full((28, 28, channels), key, np.uint8)
            Image.fromarray(pixels.squeeze()).save(image, "PNG")
            image.seek(0)
            record = {"image": image, "label": key % 10}
            yield key, record | ({"id": f"{split}_{key:05d}"} if ids else {})

    info = tensorflow_datasets.core.DatasetInfo
    builder_class = type(
        name.title(),
        (tensorflow_datasets.core.GeneratorBasedBuilder,),
        {
            "name": name,
            "pkg_dir_path": None,
            "VERSION": tensorflow_datasets.core.Version("3.0.1"),
            "_info": lambda self: info(
                builder=self, features=tensorflow_datasets.features.FeaturesDict(features)
            ),
            "_split_generators": lambda self, _: {
                "train": examples("train", num_train),
                "test": examples("test", num_test),
            },
            "_generate_examples": lambda self: None,
        },
        skip_registration=True,
    )
    tensorflow_datasets.disable_progress_bar()
    builder_class(data_dir=data_dir, file_format="array_record").download_and_prepare()
    return data_dir / name / "3.0.1"


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Makes an empty folder TFDS's default, whatever the user's home holds."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "default"))
    return tmp_path / "default"


def test_a_prepared_data_set_comes_back_in_the_order_of_the_original_files(tmp_path, nowhere):
    _prepare(tmp_path, "mnist")
    prepared = tfds.prepared("mnist", tmp_path)
    np.testing.assert_array_equal(prepared.images["train"][:, 0, 0, 0], np.arange(40))
    np.testing.assert_array_equal(prepared.labels["train"], np.arange(40) % 10)
    np.testing.assert_array_equal(prepared.images["test"][:, 27, 27, 0], np.arange(7))
    assert len(prepared.files) == 2


def test_the_default_folder_of_tfds_is_looked_into_as_well(tmp_path, nowhere):
    folder = _prepare(nowhere, "mnist")
    assert tfds.prepared("mnist", tmp_path).folder == folder


def test_a_prepared_data_set_with_other_pixels_is_not_taken_for_mnist(tmp_path, nowhere):
    folder = _prepare(tmp_path, "mnist")
    with pytest.raises(DataError, match="differs from the published train-images") as caught:
        mnist.read_prepared(mnist.MNIST, tmp_path)
    assert str(folder) in str(caught.value)


def test_a_prepared_cifar10_of_another_size_is_refused(tmp_path, nowhere):
    _prepare(tmp_path, "cifar10", channels=3, ids=True)
    with pytest.raises(DataError, match=r"has train images of shape \(40, 28, 28, 3\)"):
        cifar_records.read_prepared(CIFAR10, tmp_path)


def test_records_out_of_order_are_refused(tmp_path, nowhere, monkeypatch):
    _prepare(tmp_path, "cifar10", channels=3, ids=True)
    monkeypatch.setattr(tfds, "_original_order", lambda split, count: list(range(count)))
    with pytest.raises(DataError, match="it must be number 0 of train"):
        tfds.prepared("cifar10", tmp_path)


@pytest.mark.parametrize("damage", ["cut", "missing", "no description"])
def test_a_damaged_prepared_data_set_is_an_error_and_not_an_absence(tmp_path, nowhere, damage):
    folder = _prepare(tmp_path, "mnist")
    (records,) = folder.glob("*train*-of-*")
    if damage == "cut":
        records.write_bytes(records.read_bytes()[:-500])
    elif damage == "missing":
        records.unlink()
    else:
        (folder / "features.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read") as caught:
        tfds.prepared("mnist", tmp_path)
    assert not isinstance(caught.value, DataAbsentError)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tfrecord_without_tensorflow_says_what_to_install(tmp_path, nowhere, monkeypatch):
    folder = _prepare(tmp_path, "mnist")
    description = folder / "dataset_info.json"
    description.write_text(description.read_text().replace("array_record", "tfrecord"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(DataAbsentError, match="pip install tensorflow-cpu"):
        tfds.prepared("mnist", tmp_path)


def test_nothing_prepared_names_both_folders(tmp_path, nowhere):
    with pytest.raises(DataAbsentError) as caught:
        tfds.prepared("mnist", tmp_path)
    assert str(tmp_path / "mnist") in str(caught.value)
    assert str(nowhere / "mnist") in str(caught.value)


def test_without_the_library_a_prepared_data_set_is_absent(tmp_path, nowhere, monkeypatch):
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    (tmp_path / "mnist" / "3.0.1" / "dataset_info.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataAbsentError, match="pip install tensorflow-datasets"):
        tfds.prepared("mnist", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_tfds_has_registered_the_published_archives_under_our_addresses(name):
    registered = tensorflow_datasets.core.download.checksums.get_all_url_infos()
    found = [registered[f"{tfds.URLS[name]}{file}.gz"].checksum for file in mnist.FILES]
    assert tuple(found) == ARCHIVES[name]


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["array_record", "tfrecord"])
@pytest.mark.filterwarnings("default")  # TensorFlow's own.
def test_mnist_prepared_by_tfds_equals_the_original_files(
    real_data, tmp_path, nowhere, file_format
):
    for module in ("tensorflow", "importlib_resources"):  # Both needed to prepare.
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"TFDS cannot prepare MNIST without {module}")
    raw = tmp_path / "raw"
    shutil.copytree(real_data / "mnist", raw)
    builder = tensorflow_datasets.builder("mnist", data_dir=tmp_path, file_format=file_format)
    config = tensorflow_datasets.download.DownloadConfig(manual_dir=raw, try_download_gcs=False)
    builder.download_and_prepare(download_dir=tmp_path / "downloads", download_config=config)
    dataset = mnist.read_prepared(mnist.MNIST, tmp_path)
    assert tuple(split_checksum(split) for split in dataset[:3]) == SPLITS["mnist"]
    assert dataset.provenance.source == "prepared TFDS data set"


def test_the_order_of_tfds_is_that_of_its_hashed_keys():
    digests = [hashlib.md5(f"test{key}".encode()).hexdigest() for key in range(5)]
    # A module of its own, which the package does not always bring along.
    hashing = importlib.import_module("tensorflow_datasets.core.hashing")
    hasher = hashing.Hasher("test")
    assert [int(digest, 16) for digest in digests] == [hasher.hash_key(key) for key in range(5)]
    order = tfds._original_order("test", 5)
    assert sorted(digests) == [digests[order.index(record)] for record in range(5)]
