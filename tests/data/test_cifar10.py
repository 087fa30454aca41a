import gzip

import numpy as np
import pytest

from lecture_models.data.cifar10 import CIFAR10
from lecture_models.data.cifar_records import CifarLayout, read
from lecture_models.data.dataset import DataAbsentError, DataError, split_checksum
from tests.data.small_files import cifar_batches, write_cifar

FOLDER = "cifar10/cifar-10-batches-bin"


@pytest.mark.real_data
def test_real_records_have_their_checksums_and_say_that_they_are_a_subset(real_data):
    dataset = read(CIFAR10, real_data)
    if not dataset.provenance.note:
        pytest.skip("the folder holds all of CIFAR-10; the checksums are of its first records")
    assert "8,068 of 50,000 training and 1,017 of 10,000 test" in dataset.provenance.note
    assert [split_checksum(split) for split in dataset[:3]] == [
        "3532fa0932aa7629208207631a6c09b379045768de5b7eca68a43c9fea076455",
        "a68d8674ebd52fe1c1afe937421758e623adf4eb8bc2ddd40a454ea5d3bde8cc",
        "7f16be3ea4aa5c1913cec5923d974408e87451d77bd9069d6c92ea6bd71a1eff",
    ]


@pytest.mark.real_data
def test_cifar10_begins_with_a_frog_and_two_trucks(real_data):
    dataset = read(CIFAR10, real_data)
    assert [dataset.classes[k] for k in dataset.train.labels[:3]] == ["frog", "truck", "truck"]
    first = np.rint((dataset.train.images[0, 0, 0] + 1.0) * 127.5)
    np.testing.assert_array_equal(first, [59, 62, 63])


@pytest.mark.parametrize("folder", [FOLDER, "cifar-10-batches-bin"])
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "unpacked"])
def test_planes_become_channels_and_batches_keep_their_order(tmp_path, folder, packed):
    batches = cifar_batches(records=4)
    write_cifar(tmp_path / folder, batches, packed)
    dataset = read(CIFAR10, tmp_path)
    images = np.concatenate([images for images, _ in batches[:-1]])
    assert len(dataset.validation.labels) == 2
    np.testing.assert_array_equal(np.rint((dataset.train.images + 1) * 127.5), images[:18])
    np.testing.assert_array_equal(np.rint((dataset.validation.images + 1) * 127.5), images[18:])
    np.testing.assert_array_equal(dataset.test.labels, batches[-1][1])
    assert "20 of 50,000" in dataset.provenance.note


def test_all_the_records_need_no_note(tmp_path, monkeypatch):
    # All of CIFAR-10 would take seconds.
    monkeypatch.setattr(CifarLayout, "counts", property(lambda layout: (20, 4)))
    write_cifar(tmp_path / FOLDER, cifar_batches(records=4), packed=False)
    assert read(CIFAR10, tmp_path).provenance.note == ""


DAMAGES = {
    "empty": (lambda content: b"", "is empty|must hold 1 to 10,000 records"),
    "a byte less": (lambda content: content[:-1], "must hold 1 to 10,000 records of 3,073"),
    "a byte more": (lambda content: content + b"\0", "must hold 1 to 10,000 records of 3,073"),
    "too many": (lambda content: content * 2_501, "must hold 1 to 10,000 records of 3,073"),
    "a label of 10": (lambda content: b"\x0a" + content[1:], "holds the label 10"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_records_are_refused_by_the_name_of_the_file(tmp_path, damage):
    write_cifar(tmp_path / FOLDER, cifar_batches(), packed=True)
    path = tmp_path / FOLDER / "data_batch_3.bin.gz"
    change, message = DAMAGES[damage]
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes())), 1))
    with pytest.raises(DataError, match=message) as caught:
        read(CIFAR10, tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_archive_names_the_file(tmp_path):
    write_cifar(tmp_path / FOLDER, cifar_batches(), packed=True)
    path = tmp_path / FOLDER / "test_batch.bin.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"test_batch\.bin\.gz is cut off"):
        read(CIFAR10, tmp_path)


def test_a_missing_batch_is_an_error_and_not_an_absence(tmp_path):
    write_cifar(tmp_path / FOLDER, cifar_batches(), packed=False)
    (tmp_path / FOLDER / "data_batch_2.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_2\.bin of cifar10 is missing in") as caught:
        read(CIFAR10, tmp_path)
    assert not isinstance(caught.value, DataAbsentError)


def test_no_records_at_all_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"data_batch_1\.bin\(\.gz\) does not exist in"):
        read(CIFAR10, tmp_path)
