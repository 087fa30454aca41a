import sys

import numpy as np
import pytest

from lecture_models.data import digits
from lecture_models.data.dataset import DataAbsentError, split_checksum


def test_the_splits_have_their_checksums():
    pytest.importorskip("sklearn")
    dataset = digits.read()
    assert [split.images.shape for split in dataset[:3]] == [
        (1_197, 28, 28, 1),
        (300, 28, 28, 1),
        (300, 28, 28, 1),
    ]
    assert [split_checksum(split) for split in dataset[:3]] == [
        "03e6c832f887bc796686f2c0a0fe44ab2ada087375e70d5a54f6c73b5f0115e4",
        "ea7aa34e20b79245465ee6c6a89e470834c4e139983104b957ecf748b6e79b1a",
        "f23148fe93b14837652a99d8fff71098b5916a43a83e2a840c0a258d2fdcfff4",
    ]
    np.testing.assert_array_equal(dataset.train.labels[:10], np.arange(10))
    assert "not MNIST" in dataset.provenance.note


def test_eight_by_eight_is_kept_as_it_is():
    datasets = pytest.importorskip("sklearn.datasets")
    dataset = digits.read(size=8)
    levels = np.rint((dataset.train.images[0, ..., 0] + 1.0) * 8.0)
    np.testing.assert_array_equal(levels, datasets.load_digits().images[0])


def test_without_scikit_learn_the_digits_are_absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(DataAbsentError, match="pip install scikit-learn"):
        digits.read()
