import io

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import monet2photo
from lecture_models.data.dataset import DataAbsentError, DataError
from tests.data.small_files import tar_gz


def picture(level, side=128):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (level, 0, 255 - level)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write(folder, files):
    path = folder / monet2photo.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_gz(files))


def pictures(**counts):
    return {
        f"{name}/{k}.jpg": picture(20 * k + 100 * name.endswith("B"))
        for name, count in counts.items()
        for k in range(count)
    }


def test_paintings_and_photos_keep_their_split_and_the_last_tenth_is_held_out(tmp_path):
    write(tmp_path, pictures(trainA=5, trainB=4, testA=2, testB=3))
    dataset = monet2photo.read(tmp_path)
    assert dataset.train.labels.tolist() == [0] * 4 + [1] * 3
    assert dataset.validation.labels.tolist() == [0, 1]
    assert dataset.test.labels.tolist() == [0, 0, 1, 1, 1]
    assert dataset.train["pixels"].shape == (7, 128, 128, 3)
    assert np.abs(dataset.validation["pixels"][1, 0, 0].astype(int) - [160, 0, 95]).max() < 4


def test_an_empty_folder_and_a_foreign_picture_are_refused(tmp_path):
    write(tmp_path, pictures(trainA=5, trainB=4, testA=2))
    with pytest.raises(DataError, match="has 0 pictures in testB; it must have 2 or more"):
        monet2photo.read(tmp_path)
    write(tmp_path, pictures(trainA=5) | {"other/1.jpg": picture(0)})
    with pytest.raises(DataError, match="other/1.jpg lies in none of the folders"):
        monet2photo.read(tmp_path)
    write(tmp_path, {"trainA/1.jpg": picture(0, side=64)})
    with pytest.raises(DataError, match="shape"):
        monet2photo.read(tmp_path)


def test_no_file_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"images\.tar\.gz does not exist"):
        monet2photo.read(tmp_path)


@pytest.mark.real_data
def test_the_real_pictures_are_those_of_the_split(real_data):
    dataset = monet2photo.read(real_data)
    assert np.bincount(dataset.train.labels).tolist() == [360, 360]
    assert np.bincount(dataset.test.labels).tolist() == [100, 100]
