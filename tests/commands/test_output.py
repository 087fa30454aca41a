"""Tests the file of --output, which is made from the images in a run's folder."""

import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from lecture_models.commands import output
from lecture_models.config import UsageError
from lecture_models.data.film import read_film
from lecture_models.experiment import Result
from lecture_models.plots import png


def write_run(folder, frames=False, opacity=False, size=(21, 17)):
    """Writes a run's folder with three images, the last of which is the lightest."""
    lines = []
    for step, level in ((1, 0), (2, 100), (3, 200)):
        name = f"take {13 - step}" if frames else f"image_{step:08d}"
        pixels = np.full((size[1], size[0], 4 if opacity else 3), level, np.uint8)
        pixels[..., 3:] = 255
        pixels[: size[1] // 2, :, 3:] = 0
        png.write_png(folder / "images" / f"{name}.png", pixels, {"Software": "lecture-models"})
        artifact = {"file": f"images/{name}.png", "caption": ""}
        lines.append(json.dumps({"step": step, "artifacts": {"image": artifact}}))
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".tif"])
def test_the_last_picture_is_delivered_at_its_own_size(tmp_path, suffix):
    path = tmp_path / f"result{suffix}"
    assert output.deliver(path, write_run(tmp_path), Result("image")) == 0
    with Image.open(path) as picture:
        assert picture.size == (21, 17)
        np.testing.assert_allclose(np.asarray(picture.convert("RGB")), 200, atol=1)
    output.check_file(path)  # What a run wrote may be replaced.


def test_opacity_is_kept_or_laid_over_white(tmp_path):
    run = write_run(tmp_path, opacity=True)
    for suffix in (".png", ".tif"):
        assert output.deliver(tmp_path / f"a{suffix}", run, Result("image")) == 0
        with Image.open(tmp_path / f"a{suffix}") as picture:
            assert picture.getpixel((0, 0))[3] == 0
            assert picture.getpixel((0, 16)) == (200, 200, 200, 255)
    output.deliver(tmp_path / "a.jpg", run, Result("image"))
    with Image.open(tmp_path / "a.jpg") as picture:
        assert min(picture.getpixel((0, 0))) > 250


def test_frames_become_a_film_in_the_order_in_which_they_were_made(tmp_path):
    path = tmp_path / "film.gif"
    assert output.deliver(path, write_run(tmp_path, frames=True), Result("image", 0.08)) == 0
    with Image.open(path) as made:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(made)]
        assert made.info["duration"] == 80
    assert [int(frame.mean()) for frame in frames] == [0, 100, 200]
    assert frames[0].shape == (17, 21)
    output.check_file(path)


def test_a_video_has_the_frames_and_even_sides(tmp_path, capsys):
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "film.mp4"
    assert output.deliver(path, write_run(tmp_path, frames=True), Result("image", 0.1)) == 0
    assert "a video has even sides" in capsys.readouterr().err
    found = read_film(path, 22)
    np.testing.assert_allclose([frame.mean() for frame in found.frames], [0, 100, 200], atol=6)
    assert found.frames[0].shape == (18, 22, 3)
    assert found.seconds_per_frame == pytest.approx(0.1)
    output.check_file(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.bmp", r"must end in one of .png, .jpg, .jpeg, .tif, .tiff, .gif, .mp4"),
        ("none/a.png", "the folder .*none does not exist"),
        ("folder.png", "a folder; it must be a file"),
        ("mine.png", "exists and is not the result of a run; name another file"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path, name, message):
    (tmp_path / "folder.png").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "mine.png")
    with pytest.raises(UsageError, match=message):
        output.check_file(tmp_path / name)


def test_a_result_that_does_not_suit_the_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="gan_mnist does not make a picture"):
        output.check_result(tmp_path / "a.png", "gan_mnist", None)
    with pytest.raises(UsageError, match="makes a picture, so it must end in one of .png"):
        output.check_result(tmp_path / "a.gif", "style_transfer", Result("image"))
    with pytest.raises(UsageError, match="makes a film, so it must end in one of .gif, .mp4"):
        output.check_result(tmp_path / "a.png", "style_transfer", Result("frame", 0.1))


def test_a_run_without_the_image_is_one_line(tmp_path, capsys):
    assert output.deliver(tmp_path / "a.png", tmp_path, Result("image")) == 1
    assert "holds no image 'image'" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()
