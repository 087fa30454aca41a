import numpy as np
import pytest

from lecture_models.data import att_faces
from lecture_models.data.dataset import DataAbsentError, DataError


def write_faces(data_dir):
    """Writes 400 PGM files; the picture `number` of a person has the gray level 5 x person."""
    for person in range(1, 41):
        folder = data_dir / "att-faces" / f"s{person}"
        folder.mkdir(parents=True)
        for number in range(1, 11):
            pixels = np.full((112, 92), 5 * person, np.uint8)
            pixels[0, 0] = number
            (folder / f"{number}.pgm").write_bytes(b"P5\n92 112\n255\n" + pixels.tobytes())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("att")
    write_faces(path)
    return path


def test_people_and_pictures_come_in_the_order_of_their_numbers(folder):
    dataset = att_faces.read(folder)
    assert [len(split) for split in dataset[:3]] == [240, 80, 80]
    assert dataset.classes[10] == "s11"
    levels = np.rint((dataset.test.images + 1.0) * 127.5).astype(int)
    np.testing.assert_array_equal(levels[:, 5, 5, 0], 5 * (dataset.test.labels + 1))
    np.testing.assert_array_equal(levels[:, 0, 0, 0], dataset.test["pictures"])
    np.testing.assert_array_equal(dataset.test["pictures"][:2], [9, 10])


def test_no_folder_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match="att-faces does not exist in"):
        att_faces.read(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"P5\n92 112\n255\n" + bytes(100), "is cut off or not a PPM file"),
        (b"P5\n3 2\n255\n" + bytes(6), r"has the shape \(2, 3, 1\) of uint8; it must be \(112"),
        (None, r"s1/1\.pgm is missing"),
    ],
    ids=["cut", "another size", "missing"],
)
def test_a_damaged_file_is_named(tmp_path, content, message):
    path = tmp_path / "att-faces" / "s1" / "1.pgm"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        att_faces.read(tmp_path)
    assert str(path) in str(caught.value)
    assert not isinstance(caught.value, DataAbsentError)


@pytest.mark.real_data
def test_the_real_faces_are_whole(real_data):
    dataset = att_faces.read(real_data)
    assert dataset.train.images.shape == (240, 112, 92, 1)
    assert np.bincount(dataset.test.labels).tolist() == [2] * 40
    assert 0.3 < dataset.train.images.std() < 0.5
