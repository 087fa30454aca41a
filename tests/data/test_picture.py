import numpy as np
import pytest
from PIL import Image

from lecture_models.data import picture
from lecture_models.data.dataset import DataError


def saved(path, image, **options):
    image.save(path, **options)
    return path


def test_a_picture_comes_whole_in_color_with_its_digest(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("RGB", (30, 20), (204, 102, 51)))
    found = picture.read(path)
    assert found.path == path
    assert len(found.sha256) == 64
    assert found.size == (30, 20)
    assert found.pixels.shape == (20, 30, 3)
    assert (found.pixels == [204, 102, 51]).all()


def test_gray_is_repeated(tmp_path):
    found = picture.read(saved(tmp_path / "a.png", Image.new("L", (8, 8), 70)))
    assert found.pixels.shape == (8, 8, 3)
    assert (found.pixels == 70).all()


@pytest.mark.parametrize("size", [(60, 30), (12, 6)], ids=["down", "up"])
def test_the_shorter_side_is_resized_and_the_other_keeps_its_proportion(tmp_path, size):
    path = saved(tmp_path / "a.png", Image.new("RGB", size, (10, 20, 30)))
    assert picture.read(path, 10).pixels.shape == (10, 20, 3)
    assert picture.read(path, 10, square=True).pixels.shape == (10, 10, 3)


def test_a_turned_picture_is_as_high_as_its_file_is_wide(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (40, 20), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 20, 20))  # The left half, which is shown on top.
    found = picture.read(saved(tmp_path / "a.jpg", image, exif=exif))
    assert found.pixels.shape == (40, 20, 3)
    assert found.pixels[:15].min() > 240
    assert found.pixels[25:].max() < 15


@pytest.mark.parametrize(
    ("image", "name", "expected"),
    [
        (Image.new("RGBA", (8, 8), (0, 100, 255, 51)), "a.png", [204, 224, 255]),
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.jpg", [255, 0, 0]),
        (Image.fromarray(np.full((8, 8), 100 * 257, np.uint16)), "a.png", [100, 100, 100]),
    ],
    ids=["alpha", "CMYK", "16 bits"],
)
def test_every_kind_of_pixel_becomes_red_green_and_blue(tmp_path, image, name, expected):
    found = picture.read(saved(tmp_path / name, image)).pixels
    np.testing.assert_allclose(found, np.broadcast_to(expected, (8, 8, 3)), atol=3)


def test_the_first_frame_of_several_counts(tmp_path):
    frames = [Image.new("L", (8, 8), level) for level in (60, 200)]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert (picture.read(path).pixels == 60).all()


@pytest.mark.slow
def test_a_panorama_of_a_hundred_megapixels_is_read(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("1", (12_000, 8_000), 1), compress_level=1)
    found = picture.read(path, 16)
    assert found.size == (12_000, 8_000)
    assert found.pixels.shape == (16, 24, 3)


def test_a_bomb_of_two_hundred_megapixels_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", Image.new("1", (20_000, 10_000)), compress_level=1)
    with pytest.raises(DataError, match=f"{path} cannot be read: .*200000000 pixels") as caught:
        picture.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"<html>", "cannot be read: not a picture"), (b"BM", "cannot be read")],
)
def test_what_cannot_be_read_is_a_one_line_error_with_its_name(tmp_path, content, reason):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"^{path} {reason}") as caught:
        picture.read(path)
    assert "0x" not in str(caught.value)


def test_a_picture_cut_off_is_an_error(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.effect_noise((64, 64), 50))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="cannot be read: .*truncated"):
        picture.read(path)


def test_a_folder_gives_its_pictures_by_name_and_nothing_else(tmp_path):
    for name in ("b.png", "a.jpg", "sub/c.JPG", ".hidden.png", ".thumbnails/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        saved(tmp_path / name, Image.new("L", (4, 4)), format="PNG")
    (tmp_path / "notes.txt").write_text("no picture")
    found = [str(path.relative_to(tmp_path)) for path in picture.find(tmp_path)]
    assert found == ["a.jpg", "b.png", "sub/c.JPG"]
    assert picture.find(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]


def test_a_folder_without_pictures_and_a_name_of_nothing_are_errors(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path} holds no pictures"):
        picture.find(tmp_path)
    with pytest.raises(DataError, match="there is no picture or folder .*nowhere.png"):
        picture.find(tmp_path / "nowhere.png")


def test_the_photos_of_scikit_learn_are_at_hand():
    china, flower = (picture.read(path, 32) for path in picture.sample_files())
    assert china.size == flower.size == (640, 427)
    assert china.pixels.shape == (32, 48, 3)
