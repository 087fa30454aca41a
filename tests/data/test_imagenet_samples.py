import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.imagenet_samples import read_photos


@pytest.fixture
def samples(tmp_path):
    images = tmp_path / "imagenet-samples" / "images"
    images.mkdir(parents=True)
    for name, level in (("a.JPEG", 40), ("b.JPEG", 200)):
        Image.new("L", (20, 12), level).save(images / name)
    labels = "file,class_index,wnid\na.JPEG,7,n0\nb.JPEG,3,n1\n"
    (tmp_path / "imagenet-samples" / "labels.csv").write_text(labels)
    return tmp_path


def test_photos_are_squares_in_the_order_of_the_list(samples):
    photos = read_photos(samples, 8)
    assert photos.pixels.shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(photos.labels, [7, 3])
    np.testing.assert_allclose(photos.pixels.mean((1, 2, 3)), [40, 200], atol=2)


def test_an_absent_list_is_absent_and_a_damaged_one_an_error(samples, tmp_path):
    with pytest.raises(DataAbsentError, match="imagenet-samples/labels.csv does not exist"):
        read_photos(tmp_path / "elsewhere", 8)
    (samples / "imagenet-samples" / "labels.csv").write_text("name\na.JPEG\n")
    with pytest.raises(DataError, match="labels.csv is damaged"):
        read_photos(samples, 8)
    (samples / "imagenet-samples" / "labels.csv").write_text("file,class_index\n")
    with pytest.raises(DataError, match="lists no photos"):
        read_photos(samples, 8)


@pytest.mark.real_data
def test_the_real_photos_are_of_every_fifth_class(real_data):
    photos = read_photos(real_data, 16)
    np.testing.assert_array_equal(photos.labels, np.arange(0, 1000, 5))
