import numpy as np
import pytest
from PIL import Image

from lecture_models.data import film
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library


def frame(level, size=(20, 16)):
    return Image.new("RGB", size, (level, level, level))


def levels(found):
    return [int(each[0, 0, 0]) for each in found.frames]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (1, 2, 10, 11):
        frame(number).save(folder / f"{number}.png")
    return folder


def test_frames_come_in_the_order_of_their_numbers(folder):
    found = film.read_film(folder, 20)
    assert levels(found) == [1, 2, 10, 11]
    assert found.names == ("1", "2", "10", "11")
    assert found.seconds_per_frame is None
    assert len(found.files) == 4


def test_natural_order_is_that_of_numbers_and_then_of_letters():
    names = ["a10", "A9", "a9b", "b1", "2", "10", "01", "1"]
    in_order = ["01", "1", "2", "10", "A9", "a9b", "a10", "b1"]
    assert sorted(names, key=film.natural_order) == in_order


def test_what_is_not_a_frame_is_named(folder):
    (folder / "old").mkdir()
    frame(99).save(folder / "old" / "0.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("no picture")
    library = Library(None, print)
    found = library.film(str(folder), 20)
    assert levels(found) == [1, 2, 10, 11]
    assert found.note == "1 sub-folder ignored (old); 1 other file ignored (notes.txt)"
    assert library.provenance[-1].note == found.note


def test_frames_that_differ_only_in_their_ending_keep_it(folder):
    frame(3).save(folder / "2.bmp")
    assert film.read_film(folder, 20).names == ("1", "2_bmp", "2_png", "10", "11")


def test_frames_have_names_of_their_own_whatever_their_files_are_called(folder):
    frame(3).save(folder / "2.bmp")
    frame(4).convert("RGB").save(folder / "2_png.jpg")
    names = film.read_film(folder, 20).names
    assert names == ("00001_1", "00002_2_bmp", "00003_2_png", "00004_2_png", "00005_10", "00006_11")


def test_a_folder_whose_pictures_lie_deeper_is_refused(tmp_path):
    (tmp_path / "sub").mkdir()
    frame(1).save(tmp_path / "sub" / "1.png")
    with pytest.raises(DataError, match="holds no pictures; they must lie directly in it"):
        film.read_film(tmp_path, 20)


def test_frames_of_two_sizes_are_refused(folder):
    frame(4, (20, 20)).save(folder / "3.png")
    with pytest.raises(DataError, match="the frame 3 of .* has 20x20 pixels .* must have 20x16"):
        film.read_film(folder, 20)


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "film.png"])
def test_an_animation_has_its_frames_and_their_time(tmp_path, name):
    path, frames = tmp_path / name, [frame(level, (40, 32)) for level in (0, 100, 200)]
    options = {"lossless": True} if name.endswith("webp") else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, **options)
    assert film.is_film(path)
    found = film.read_film(path, 20)
    np.testing.assert_allclose(levels(found), [0, 100, 200], atol=2)
    assert found.frames[0].shape == (16, 20, 3)
    assert found.names == ("film_1", "film_2", "film_3")
    assert found.seconds_per_frame == pytest.approx(0.08)


def test_a_single_picture_and_a_sample_are_no_films(tmp_path):
    frame(1).save(tmp_path / "a.gif")
    library = Library(None, print)
    assert library.film(str(tmp_path / "a.gif"), 20) is None
    assert library.film("china", 20) is None
    assert library.film(str(tmp_path / "nowhere.png"), 20) is None


def test_a_video_without_its_package_is_one_line_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    (tmp_path / "a.mp4").write_bytes(b"video")
    with pytest.raises(DataError, match="a.mp4 is a video.*pip install .*a GIF or a folder"):
        film.read_film(tmp_path / "a.mp4", 20)
    with pytest.raises(DataError, match="there is no video .*b.mp4"):
        film.read_film(tmp_path / "b.mp4", 20)
