import numpy as np
import pytest

from lecture_models.data import usps
from lecture_models.data.dataset import DataAbsentError, DataError, split_checksum

h5py = pytest.importorskip("h5py")


@pytest.mark.real_data
def test_real_file_has_its_checksums(real_data):
    dataset = usps.read(real_data)
    assert dataset.train.images.shape == (6_291, 16, 16, 1)
    assert [split_checksum(split) for split in dataset[:3]] == [
        "851b1a9ae43da01612f6181dbe6c275d0acc84606e48973e5b5cb0bc91faf199",
        "637da7bc3ac92d6846ba8f439c826be9a32190ff24aff1ad785ed7f391d985d8",
        "fd48b3cc7788a874fcfd1a07de0739e50bc1b472ee50aab7ae936da00caa6cd6",
    ]
    assert dataset.train.images.min() == -1.0
    assert dataset.train.images.max() == 1.0
    assert dataset.train.labels[0] == 6


def _write(path, train=(7_291, 256), test=(2_007, 256), groups=("train", "test")):
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        for name, shape in zip(groups, (train, test), strict=True):
            group = file.create_group(name)
            group["data"] = np.zeros(shape, np.float32)
            group["target"] = np.zeros(shape[0], np.int32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "group train has SHA-256"),
        ({"train": (7_290, 256)}, r"group train has data \(7290, 256\)"),
        ({"test": (2_007, 784)}, r"group test has data \(2007, 784\)"),
        ({"groups": ("train", "validation")}, "damaged or not the HDF5 file of USPS"),
    ],
    ids=["other pixels", "one image less", "other size", "no test group"],
)
def test_another_content_is_refused(tmp_path, arguments, message):
    path = tmp_path / "usps" / "usps.h5"
    _write(path, **arguments)
    with pytest.raises(DataError, match=message) as caught:
        usps.read(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "usps" / "usps.h5"
    _write(path)
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": whole[:100_000], "text": b"404 Not Found"}[damage])
    with pytest.raises(DataError, match=r"usps\.h5 is") as caught:
        usps.read(tmp_path)
    assert not isinstance(caught.value, DataAbsentError)
    assert "\n" not in str(caught.value)


def test_no_file_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"usps/usps\.h5 does not exist"):
        usps.read(tmp_path)
