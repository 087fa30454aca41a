import gzip

import numpy as np
import pytest

from lecture_models.data import archives, cifar10_jpeg, cifar_records, idx
from lecture_models.data.cifar10 import CIFAR10
from lecture_models.data.dataset import DataAbsentError, DataError, split_checksum
from tests.data.small_files import jpeg, jpeg_files, tar_gz, write_cifar_jpeg

FOLDER = "cifar10/cifar-10-jpeg"
TRAIN, TEST = [3, 0, 3, 9, 0, 3], [1, 1]


@pytest.mark.real_data
@pytest.mark.slow
def test_real_jpeg_files_come_in_the_order_of_the_exact_records(real_data):
    lossy = cifar10_jpeg.read(real_data)
    assert [len(split.labels) for split in lossy[:3]] == [45_000, 5_000, 10_000]
    assert [split_checksum(split) for split in lossy[:3]] == [
        "09c0cd59267d7e949f19055d216e34fb26181a1920cddcbf0399dee18e77df34",
        "039e4e74f3fdb6fd2e414979dd0c616a0aa9c9d92bdb5b8f0c0dcc8b791ea946",
        "d1a6b2f9d4ad8fb02270eb02f3e450488c1ee2657d0e2483930784a50afc04c0",
    ]
    assert "lossy" in lossy.provenance.note
    exact = cifar_records.read(CIFAR10, real_data)
    np.testing.assert_array_equal(lossy.test.labels[:1_000], exact.test.labels[:1_000])
    error = (lossy.test.images[:1_000] - exact.test.images[:1_000]) / 2.0
    psnr = -10.0 * np.log10(np.mean(error**2, axis=(1, 2, 3)))  # Decibels; pixels in [0, 1].
    np.testing.assert_allclose(psnr.mean(), 30.5, atol=0.5)
    assert psnr.min() > 20.0


def test_images_are_put_back_into_the_order_of_the_labels(tmp_path):
    write_cifar_jpeg(tmp_path / FOLDER, TRAIN, TEST)
    dataset = cifar10_jpeg.read(tmp_path)
    np.testing.assert_array_equal(dataset.train.labels, TRAIN[:-1])
    levels = (dataset.train.images.mean(axis=(1, 2, 3)) + 1.0) * 127.5
    np.testing.assert_allclose(levels, [0, 20, 40, 60, 80], atol=2.0)
    assert "lossy" in dataset.provenance.note
    assert "6 training and 2 test images" in dataset.provenance.note


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../outside.jpg", "train/../../outside.jpg", "train\\..\\outside.jpg"]
)
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    write_cifar_jpeg(tmp_path / FOLDER, TRAIN, TEST)
    path = tmp_path / FOLDER / "train.tar.gz"
    path.write_bytes(tar_gz({name: b"content", **jpeg_files("train", TRAIN)}))
    with pytest.raises(DataError, match="unsafe name") as caught:
        cifar10_jpeg.read(tmp_path)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "outside.jpg").exists()


def _without(name):
    return lambda files: {key: value for key, value in files.items() if key != name}


DAMAGES = {
    "one image less": (_without("train/cat/0002.jpg"), "images per class"),
    "a number left out": (
        lambda files: {k.replace("cat/0002", "cat/0007"): v for k, v in files.items()},
        "train/cat/0002.jpg is missing in",
    ),
    "an unknown class": (lambda files: files | {"train/cow/0000.jpg": b""}, "'train/cow/0000.jpg'"),
    "another folder": (lambda files: files | {"test/cat/0000.jpg": b""}, "'test/cat/0000.jpg'"),
    "a pickle": (lambda files: files | {"train/data.pkl": b"cos\nsystem"}, "'train/data.pkl'"),
    "no JPEG file": (
        lambda files: files | {"train/cat/0001.jpg": b"GIF89a"},
        "is cut off or not a JPEG file",
    ),
    "a cut JPEG file": (
        lambda files: files | {"train/cat/0001.jpg": jpeg((9, 9, 9))[:-200]},
        "is cut off or not a JPEG file",
    ),
    "another size": (
        lambda files: files | {"train/cat/0001.jpg": jpeg((9, 9, 9), (33, 32))},
        r"has the shape \(32, 33, 3\)",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_refused_by_its_name(tmp_path, damage):
    write_cifar_jpeg(tmp_path / FOLDER, TRAIN, TEST)
    change, message = DAMAGES[damage]
    path = tmp_path / FOLDER / "train.tar.gz"
    path.write_bytes(tar_gz(change(jpeg_files("train", TRAIN))))
    with pytest.raises(DataError, match=message) as caught:
        cifar10_jpeg.read(tmp_path)
    assert str(path) in str(caught.value)


def test_labels_above_nine_are_refused(tmp_path):
    write_cifar_jpeg(tmp_path / FOLDER, TRAIN, TEST)
    path = tmp_path / FOLDER / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx.serialize(np.array([10], np.uint8))))
    with pytest.raises(DataError, match="holds no labels, or a label above 9"):
        cifar10_jpeg.read(tmp_path)


def test_a_missing_labels_file_is_an_error(tmp_path):
    write_cifar_jpeg(tmp_path / FOLDER, TRAIN, TEST)
    (tmp_path / FOLDER / "test-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"^test-labels-idx1-ubyte\.gz is missing in"):
        cifar10_jpeg.read(tmp_path)


def test_no_archive_at_all_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"cifar-10-jpeg/train\.tar\.gz does not exist"):
        cifar10_jpeg.read(tmp_path)


def test_a_cut_tar_archive_within_a_whole_gzip_archive_is_refused(tmp_path):
    path = tmp_path / "train.tar.gz"
    content = gzip.decompress(tar_gz({"one": b"1" * 2_000}))[:1_000]
    with pytest.raises(DataError, match="damaged tar archive"):
        list(archives.tar_files(content, path))
