import io

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import yale_faces
from lecture_models.data.dataset import DataAbsentError, DataError
from tests.data.small_files import tar_gz


def png(level, size=(160, 122)):
    buffer = io.BytesIO()
    Image.new("L", size, level).save(buffer, "PNG")
    return buffer.getvalue()


def write_archive(data_dir, files):
    path = data_dir / yale_faces.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(tar_gz(files))


def test_people_and_conditions_are_read_from_the_names(tmp_path):
    names = [f"{person}_{name}.png" for person in ("01", "07") for name in yale_faces.CONDITIONS]
    write_archive(tmp_path, {name: png(10 * index) for index, name in enumerate(reversed(names))})
    dataset = yale_faces.read(tmp_path)
    assert [len(split) for split in dataset[:3]] == [14, 4, 4]
    assert dataset.classes == ("01", "07")
    words = dataset.vocabularies["conditions"]
    assert [words[index] for index in dataset.test["conditions"][:2]] == ["surprised", "wink"]
    assert dataset.test.labels.tolist() == [0, 0, 1, 1]
    levels = np.rint((dataset.test.images[:, 0, 0, 0] + 1.0) * 127.5)
    assert levels.tolist() == [120.0, 110.0, 10.0, 0.0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"01_angry.png": png(0)}, r"holds '01_angry\.png'; every name must be"),
        ({"01_sad.png": png(0, (20, 20))}, r"01_sad\.png has the shape \(20, 20, 1\)"),
        ({"01_sad.png": b"text"}, r"01_sad\.png is cut off or not a PNG file"),
        ({}, "holds no files"),
    ],
    ids=["another condition", "another size", "not a picture", "empty"],
)
def test_another_content_is_refused(tmp_path, files, message):
    write_archive(tmp_path, files)
    with pytest.raises(DataError, match=message):
        yale_faces.read(tmp_path)


def test_no_file_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"yale-faces/images\.tar\.gz does not exist"):
        yale_faces.read(tmp_path)


@pytest.mark.real_data
def test_one_of_165_pictures_is_missing(real_data):
    dataset = yale_faces.read(real_data)
    assert sum(len(split) for split in dataset[:3]) == 164
    assert dataset.train.images.shape[1:] == (122, 160, 1)
