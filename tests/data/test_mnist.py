import gzip

import numpy as np
import pytest

from lecture_models.data import idx, mnist
from lecture_models.data.dataset import DataAbsentError, DataError, split_checksum
from tests.data.small_files import mnist_arrays, mnist_layout, write_mnist

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"

# Of the split, and of the published archives (http://yann.lecun.com/exdb/mnist/ and
# https://github.com/zalandoresearch/fashion-mnist).
SPLITS = {
    "mnist": (
        "59d205519e1884af5e0a52eeb52bb1900ea265f81493b8512d21f5f72167b0aa",
        "80c2da9d5e960e1040e9d51e6af85bc1798e8b2b50314e5890d96405a0694b77",
        "8e4f653f4234f022331f8194d2a1ca62e34862ca6c2f74856b0097c7a397840d",
    ),
    "fashion_mnist": (
        "5909fe488f8cae5f445aecf1e03a42d95b17482ca687fc30a006cee9a6091aeb",
        "f34cc0a37ef37d9f7f8eb90500ffd62d1704303d0ca9f4994653e9a94fb37136",
        "ed2fb2e398948e8568915ac50e227c694c29e44385ee2fbad73d4f1fc7f92dbe",
    ),
}
ARCHIVES = {
    "mnist": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    "fashion_mnist": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("spec", [mnist.MNIST, mnist.FASHION_MNIST], ids=lambda spec: spec.name)
def test_published_files_give_the_usual_splits(real_data, spec):
    dataset = mnist.read(spec, real_data)
    splits = (dataset.train, dataset.validation, dataset.test)
    assert [len(split.labels) for split in splits] == [50_000, 10_000, 10_000]
    assert tuple(map(split_checksum, splits)) == SPLITS[spec.name]
    assert tuple(file.sha256 for file in dataset.provenance.files) == ARCHIVES[spec.name]


@pytest.mark.slow
@pytest.mark.real_data
def test_mnist_begins_with_a_five_and_has_the_known_mean(real_data):
    dataset = mnist.read(mnist.MNIST, real_data)
    images = np.concatenate([dataset.train.images, dataset.validation.images])
    counts = np.bincount(np.rint((images + 1.0) * 127.5).astype(np.uint8).ravel(), minlength=256)
    level, weight = np.arange(256) / 255.0, counts / counts.sum()
    mean = level @ weight
    assert dataset.train.labels[0] == 5
    # The constants of the usual normalization: 0.1307 and 0.3081.
    np.testing.assert_allclose(mean, 0.1307, atol=5e-5)
    np.testing.assert_allclose(np.sqrt((level - mean) ** 2 @ weight), 0.3081, atol=5e-5)


@pytest.mark.real_data
def test_fashion_mnist_begins_with_an_ankle_boot(real_data):
    dataset = mnist.read(mnist.FASHION_MNIST, real_data)
    assert dataset.classes[dataset.train.labels[0]] == "ankle boot"


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "unpacked"])
def test_small_files_are_read_pixel_by_pixel(tmp_path, folder, packed):
    arrays = mnist_arrays()
    write_mnist(tmp_path / folder, arrays, packed)
    dataset = mnist.read(mnist_layout(arrays), tmp_path)
    assert dataset.provenance.source == "original files"
    np.testing.assert_array_equal(dataset.validation.labels, arrays[1][-2:])
    np.testing.assert_array_equal(dataset.test.labels, arrays[3])
    pixels = np.rint((dataset.train.images[..., 0] + 1.0) * 127.5)
    np.testing.assert_array_equal(pixels, arrays[0][:-2])


def test_an_archive_packed_anew_is_accepted(tmp_path):
    arrays = mnist_arrays()
    write_mnist(tmp_path / "mnist", arrays)
    path = tmp_path / "mnist" / IMAGES
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=7))
    assert len(mnist.read(mnist_layout(arrays), tmp_path).train.labels) == 10


def _flip(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :]


def _inside(change):
    return lambda packed: gzip.compress(change(gzip.decompress(packed)))


DAMAGES = {
    "cut off": (lambda packed: packed[:-20], "cut off"),
    "cut within the trailer": (lambda packed: packed[:-3], "cut off"),
    "empty": (lambda packed: b"", "is empty"),
    "altered": (_flip, "damaged"),
    "wrong CRC": (lambda packed: packed[:-8] + b"\0\0\0\0" + packed[-4:], "damaged"),
    "rubbish at the end": (lambda packed: packed + b"rubbish", "damaged"),
    "a web page": (lambda packed: b"<html>404 Not Found</html>", "not a gzip archive"),
    "an empty archive": (_inside(lambda content: b""), "begins with nothing"),
    "wrong magic": (_inside(lambda content: b"\0\0\x08\x02" + content[4:]), "magic number 2050"),
    "one byte less": (_inside(lambda content: content[:-1]), "bytes after its header"),
    "one byte more": (_inside(lambda content: content + b"\0"), "bytes after its header"),
    "another pixel": (
        _inside(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        "not the published file",
    ),
    "one image less": (
        _inside(lambda content: idx.serialize(mnist_arrays()[0][:-1])),
        "not the published file",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_nothing_is_loaded(tmp_path, damage):
    arrays = mnist_arrays()
    write_mnist(tmp_path / "mnist", arrays)
    change, message = DAMAGES[damage]
    path = tmp_path / "mnist" / IMAGES
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=message) as caught:
        mnist.read(mnist_layout(arrays), tmp_path)
    assert not isinstance(caught.value, DataAbsentError)
    assert str(path) in str(caught.value)
    assert "delete it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_in_the_place_of_images_are_refused(tmp_path):
    arrays = mnist_arrays()
    write_mnist(tmp_path / "mnist", arrays)
    (tmp_path / "mnist" / LABELS).replace(tmp_path / "mnist" / IMAGES)
    (tmp_path / "mnist" / LABELS).write_bytes(gzip.compress(idx.serialize(arrays[1])))
    with pytest.raises(DataError, match="magic number 2049"):
        mnist.read(mnist_layout(arrays), tmp_path)


def test_images_and_labels_of_different_number_are_refused(tmp_path):
    arrays = mnist_arrays()
    arrays[1] = arrays[1][:-1]
    write_mnist(tmp_path / "mnist", arrays)
    with pytest.raises(DataError, match="12 images and 11 labels"):
        mnist.read(mnist_layout(arrays), tmp_path)


@pytest.mark.parametrize("change", ["missing", "misnamed"])
def test_one_file_missing_or_misnamed_is_an_error_and_not_an_absence(tmp_path, change):
    arrays = mnist_arrays()
    write_mnist(tmp_path / "mnist", arrays)
    path = tmp_path / "mnist" / LABELS
    path.unlink() if change == "missing" else path.rename(path.with_name("train_labels-ubyte.gz"))
    with pytest.raises(DataError, match=f"{LABELS} of mnist is missing in") as caught:
        mnist.read(mnist_layout(arrays), tmp_path)
    assert not isinstance(caught.value, DataAbsentError)


def test_all_files_misnamed_is_an_error(tmp_path):
    write_mnist(tmp_path / "mnist", mnist_arrays())
    for path in list((tmp_path / "mnist").iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    with pytest.raises(DataError, match=r"is missing in .* which holds t10k-images.idx3-ubyte.gz"):
        mnist.read(mnist.MNIST, tmp_path)


def test_a_folder_without_the_files_is_an_absence(tmp_path):
    (tmp_path / "mnist").mkdir()
    with pytest.raises(DataAbsentError, match=r"train-images-idx3-ubyte\.gz does not exist in"):
        mnist.read(mnist.MNIST, tmp_path)
