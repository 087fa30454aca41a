import gzip

import numpy as np
import pytest

from lecture_models.data.cifar100 import CIFAR100, CIFAR100_COARSE, COARSE, FINE
from lecture_models.data.cifar_records import read
from lecture_models.data.dataset import DataAbsentError, DataError


def records(count, seed):
    """Returns records in the published format: coarse label, fine label, three planes."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 256, (count, 32, 32, 3), np.uint8)
    coarse, fine = draw.integers(0, 20, count, np.uint8), draw.integers(0, 100, count, np.uint8)
    content = b"".join(
        bytes([first, second]) + image.transpose(2, 0, 1).tobytes()
        for first, second, image in zip(coarse, fine, images, strict=True)
    )
    return content, images, coarse, fine


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "cifar100" / "cifar-100-binary"
    folder.mkdir(parents=True)
    (folder / "train.bin").write_bytes(records(10, 0)[0])
    (folder / "test.bin.gz").write_bytes(gzip.compress(records(3, 1)[0]))
    (folder / "fine_label_names.txt").write_text("apple\n")
    return folder


def test_there_are_a_hundred_classes_and_twenty_in_the_order_of_the_alphabet():
    assert (len(FINE), len(COARSE)) == (100, 20)
    assert sorted(FINE) == list(FINE)
    assert sorted(COARSE) == list(COARSE)


@pytest.mark.parametrize(("layout", "place"), [(CIFAR100, 3), (CIFAR100_COARSE, 2)])
def test_either_label_is_read_with_the_same_pixels(folder, tmp_path, layout, place):
    dataset = read(layout, tmp_path)
    _, images, *_ = train = records(10, 0)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (9, 1, 3)
    np.testing.assert_array_equal(np.rint((dataset.train.images + 1) * 127.5), images[:9])
    np.testing.assert_array_equal(dataset.train.labels, train[place][:9])
    np.testing.assert_array_equal(dataset.test.labels, records(3, 1)[place])
    assert dataset.provenance.dataset == layout.name
    assert "10 of 50,000 training and 3 of 10,000 test" in dataset.provenance.note


def test_records_of_cifar10_and_wrong_labels_are_refused(folder, tmp_path):
    content = records(10, 0)[0]
    (folder / "train.bin").write_bytes(content[: 3_073 * 10])
    with pytest.raises(DataError, match=r"must hold 1 to 50,000 records of 3,074 bytes"):
        read(CIFAR100, tmp_path)
    (folder / "train.bin").write_bytes(b"\x01\xff" + content[2:])
    with pytest.raises(DataError, match=r"the label 255; labels are 0 to 99.*not of cifar100"):
        read(CIFAR100, tmp_path)
    (folder / "test.bin.gz").write_bytes(gzip.compress(content * 1_001))
    (folder / "train.bin").write_bytes(content)
    with pytest.raises(DataError, match="must hold 1 to 10,000 records"):
        read(CIFAR100, tmp_path)


def test_a_missing_file_is_named_and_nothing_is_an_absence(folder, tmp_path):
    (folder / "train.bin").unlink()
    with pytest.raises(DataError, match=r"train\.bin of cifar100 is missing in") as caught:
        read(CIFAR100, tmp_path)
    assert not isinstance(caught.value, DataAbsentError)
    (folder / "test.bin.gz").unlink()
    with pytest.raises(DataAbsentError, match=r"train\.bin\(\.gz\) does not exist in"):
        read(CIFAR100, tmp_path)
