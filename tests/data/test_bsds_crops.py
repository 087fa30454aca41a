import numpy as np
import pytest

from lecture_models.data import bsds_crops, sample_crops
from lecture_models.data.dataset import DataAbsentError, DataError
from tests.data.small_files import jpeg, tar_gz


def write_archive(data_dir, files):
    path = data_dir / bsds_crops.FILE
    path.parent.mkdir()
    path.write_bytes(tar_gz(files))


def test_photos_come_in_the_order_of_their_names(tmp_path):
    levels = {f"{9 - index}.jpg": (20 * index,) * 3 for index in range(10)}
    write_archive(
        tmp_path, {name: jpeg(level, (224, 224)) for name, level in reversed(levels.items())}
    )
    dataset = bsds_crops.read(tmp_path)
    assert [len(split) for split in dataset[:3]] == [6, 2, 2]
    shown = np.rint((dataset.test.images[:, 100, 100, 0] + 1.0) * 127.5)
    assert shown.tolist() == [20.0, 0.0]


def test_a_photo_of_another_size_is_refused_and_no_file_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"bsds-crops/images\.tar\.gz does not exist"):
        bsds_crops.read(tmp_path)
    write_archive(tmp_path, {"1.jpg": jpeg((0, 0, 0), (30, 40))})
    with pytest.raises(DataError, match=r"1\.jpg has the shape \(40, 30, 3\)"):
        bsds_crops.read(tmp_path)


def test_squares_of_photos_that_packages_ship_take_their_place():
    dataset = sample_crops.read()
    assert [len(split) for split in dataset[:3]] == [12, 4, 4]
    assert dataset.train.images.shape[1:] == bsds_crops.SHAPE
    assert dataset.train.images.std(axis=(1, 2, 3)).min() > 0.05
