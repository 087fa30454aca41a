import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.style.images import read_mask

SIZE = (20, 40)


def read(path, size=SIZE):
    return np.asarray(read_mask(Library(None, print), str(path), size))


def drawn(path, color, alpha, mode="RGBA"):
    """A color on the left half; beyond it, the picture is transparent."""
    levels = np.zeros((*SIZE, 4), np.uint8)
    levels[:, :20] = (*(color,) * 3, alpha)
    Image.fromarray(levels).convert(mode).save(path)
    return path


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_white_on_transparent_counts_where_it_is_drawn(tmp_path, mode):
    mask = read(drawn(tmp_path / "mask.png", 255, 255, mode))
    assert mask[:, :20].min() > 0.99
    assert mask[:, 20:].max() < 0.01


def test_half_opaque_white_counts_half(tmp_path):
    mask = read(drawn(tmp_path / "mask.png", 255, 153))
    np.testing.assert_allclose(mask[:, :20], 0.6, atol=0.01)


def test_black_on_transparent_is_refused_because_nothing_is_white(tmp_path):
    with pytest.raises(DataError, match="is black or transparent everywhere at 40x20; it must"):
        read(drawn(tmp_path / "mask.png", 0, 255))


def test_an_opaque_mask_is_read_by_its_levels(tmp_path):
    levels = np.full(SIZE, 51, np.uint8)
    levels[:, :20] = 204
    Image.fromarray(levels).save(tmp_path / "mask.png")
    mask = read(tmp_path / "mask.png")
    np.testing.assert_allclose(mask[0, [0, 39]], [0.8, 0.2], atol=0.01)


@pytest.mark.parametrize(
    ("size", "is_fit"), [((200, 400), True), ((67, 133), True), ((20, 30), False)]
)
def test_a_mask_of_another_aspect_ratio_is_refused(tmp_path, size, is_fit):
    Image.fromarray(np.full(size, 255, np.uint8)).save(tmp_path / "mask.png")
    if is_fit:
        assert read(tmp_path / "mask.png").shape == SIZE
    else:
        with pytest.raises(DataError, match="is 30x20, and its picture is used at 40x20; both"):
            read(tmp_path / "mask.png")
