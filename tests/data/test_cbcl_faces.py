import gzip

import numpy as np
import pytest

from lecture_models.data import cbcl_faces, idx
from lecture_models.data.dataset import DataAbsentError, DataError


def write_patches(data_dir, labels):
    folder = data_dir / cbcl_faces.FOLDER
    folder.mkdir()
    pixels = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1).repeat(24, 1).repeat(24, 2)
    arrays = (np.ascontiguousarray(pixels), np.array(labels, np.uint8))
    for name, array in zip(cbcl_faces.FILES, arrays, strict=True):
        (folder / name).write_bytes(gzip.compress(idx.serialize(array)))
    return folder


def test_of_ten_patches_eight_are_for_training(tmp_path):
    write_patches(tmp_path, [1] * 8 + [0] * 12)
    dataset = cbcl_faces.read(tmp_path)
    assert [len(split) for split in dataset[:3]] == [16, 2, 2]
    assert [dataset.classes[label] for label in (0, 1)] == ["not a face", "face"]
    assert dataset.train.labels.tolist() == [1] * 8 + [0] * 8
    levels = np.rint((dataset.test.images[:, 0, 0, 0] + 1.0) * 127.5)
    assert levels.tolist() == [9.0, 19.0]


def test_labels_that_are_neither_0_nor_1_are_refused(tmp_path):
    write_patches(tmp_path, [1, 2])
    with pytest.raises(DataError, match="2 labels from 1 to 2; there must be one label"):
        cbcl_faces.read(tmp_path)


def test_a_missing_file_is_named_and_no_file_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match="cbcl-faces/faces-images-idx3-ubyte.gz does not"):
        cbcl_faces.read(tmp_path)
    folder = write_patches(tmp_path, [1, 0])
    (folder / cbcl_faces.FILES[1]).unlink()
    with pytest.raises(DataError, match="faces-labels-idx1-ubyte.gz is missing") as caught:
        cbcl_faces.read(tmp_path)
    assert not isinstance(caught.value, DataAbsentError)


@pytest.mark.real_data
def test_the_real_patches_have_their_published_numbers(real_data):
    labels = np.concatenate([split.labels for split in cbcl_faces.read(real_data)[:3]])
    assert (int((labels == 1).sum()), int((labels == 0).sum())) == (2_429, 4_548)
