import hashlib

import numpy as np
import pytest
from scipy.io import savemat

from lecture_models.data import svhn
from lecture_models.data.dataset import DataAbsentError, DataError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Writes files in the published format, whose MD5s are then the expected ones."""
    folder = tmp_path / "svhn"
    folder.mkdir()
    draw = np.random.default_rng(0)
    digests = {}
    for split, count in (("train", 12), ("test", 5), ("extra", 20)):
        path = folder / f"{split}_32x32.mat"
        pixels = draw.integers(0, 256, (32, 32, 3, count), np.uint8)
        labels = (np.arange(count) % 10 + 1).astype(np.uint8)[:, None]
        savemat(path, {"X": pixels, "y": labels})
        digests[split] = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(svhn, "MD5", digests)
    monkeypatch.setattr(svhn, "NUM_VALIDATION", 2)
    return folder


def test_images_come_first_and_ten_is_the_digit_zero(folder, tmp_path):
    dataset = svhn.read(tmp_path)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (10, 2, 5)
    assert dataset.train.images.shape == (10, 32, 32, 3)
    assert dataset.train.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert dataset.validation.labels.tolist() == [1, 2]
    draw = np.random.default_rng(0)
    first = draw.integers(0, 256, (32, 32, 3, 12), np.uint8)[..., 0]
    np.testing.assert_array_equal(np.rint((dataset.train.images[0] + 1.0) * 127.5), first)
    assert [file.path.name for file in dataset.provenance.files] == [
        "train_32x32.mat",
        "test_32x32.mat",
    ]


def test_extra_images_precede_those_of_training_so_that_hard_ones_are_held_out(folder, tmp_path):
    plain, more = svhn.read(tmp_path), svhn.read_with_extra(tmp_path)
    assert (len(more.train), len(more.validation), len(more.test)) == (30, 2, 5)
    np.testing.assert_array_equal(more.validation.images, plain.validation.images)
    np.testing.assert_array_equal(more.train.images[-10:], plain.train.images)
    assert more.provenance.dataset == "svhn_extra"


def test_an_altered_file_is_refused_before_it_is_parsed(folder, tmp_path):
    path = folder / "test_32x32.mat"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(DataError, match=r"test_32x32\.mat is not the published file of SVHN"):
        svhn.read(tmp_path)


def test_a_missing_file_is_named_and_no_file_is_an_absence(folder, tmp_path):
    (folder / "extra_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"extra_32x32\.mat of SVHN is missing in"):
        svhn.read_with_extra(tmp_path)
    assert len(svhn.read(tmp_path).train) == 10
    with pytest.raises(DataAbsentError, match=r"svhn/train_32x32\.mat does not exist in"):
        svhn.read(tmp_path / "elsewhere")
