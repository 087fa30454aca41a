import re

import numpy as np
import pytest
from PIL import Image, ImageSequence

from lecture_models.plots import png
from lecture_models.reports import gif, run_page
from lecture_models.runs.artifacts import stepped_files


def draw(folder, name, step, level, shape=(20, 10, 1)):
    png.write_png(folder / f"{name}_{step:08d}.png", np.full(shape, level, np.uint8))


def write_gifs(folder):
    return gif.write_gifs(folder, stepped_files(folder, ".png"))


def frames(path):
    """Every frame as levels, and how long it stays."""
    with Image.open(path) as gif:
        found = ImageSequence.Iterator(gif)
        return [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in found]


def test_pictures_are_frames_in_the_order_of_steps_and_the_last_one_stays(tmp_path):
    for step, level in ((100, 90), (0, 10), (20, 50)):
        draw(tmp_path, "samples", step, level)
    (path,) = write_gifs(tmp_path)
    assert path == tmp_path / "samples.gif"
    levels, durations = zip(*frames(path), strict=True)
    assert [int(each.max()) for each in levels] == [int(each.min()) for each in levels]
    assert [int(each.max()) for each in levels] == [10, 50, 90]
    assert durations == (gif.FRAME_MS, gif.FRAME_MS, gif.LAST_MS)


def test_a_small_picture_is_as_large_as_its_file(tmp_path):
    for step in range(3):
        draw(tmp_path, "samples", step, step)
    (path,) = write_gifs(tmp_path)
    with Image.open(path) as written, Image.open(tmp_path / "samples_00000000.png") as drawn:
        assert written.size == drawn.size == (10, 20)


def test_a_large_picture_is_made_smaller_and_keeps_its_proportions(tmp_path):
    for step in range(3):
        draw(tmp_path, "styled", step, 100 * step, (600, 1200, 3))
    (path,) = write_gifs(tmp_path)
    with Image.open(path) as written:
        assert written.size == (512, 256)


def test_two_pictures_are_no_way(tmp_path):
    for step in range(2):
        draw(tmp_path, "samples", step, step)
    assert write_gifs(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2


def test_pictures_of_another_size_than_the_last_are_left_out(tmp_path):
    for step, side in enumerate((8, 8, 16, 16, 16)):
        draw(tmp_path, "samples", step, 50 * step, (side, side, 1))
    (path,) = write_gifs(tmp_path)
    assert [int(levels.max()) for levels, _ in frames(path)] == [100, 150, 200]


def test_of_hundreds_sixty_are_shown_with_both_ends(tmp_path):
    for step in range(150):
        draw(tmp_path, "samples", step, step, (2, 2, 1))
    (path,) = write_gifs(tmp_path)
    levels = [int(levels.max()) for levels, _ in frames(path)]
    assert (len(levels), levels[0], levels[-1]) == (gif.MAX_FRAMES, 0, 149)


def test_a_picture_that_cannot_be_read_is_left_out(tmp_path):
    for step in range(5):
        draw(tmp_path, "samples", step, 50 * step)
    (tmp_path / "samples_00000001.png").write_bytes(b"")
    cut = tmp_path / "samples_00000003.png"
    cut.write_bytes(cut.read_bytes()[:-30])
    (path,) = write_gifs(tmp_path)
    assert [int(levels.max()) for levels, _ in frames(path)] == [0, 100, 200]


def test_the_colors_of_a_photo_change_little(tmp_path):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    photo = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.uint8(128)), -1)
    for step in range(3):
        png.write_png(tmp_path / f"styled_{step:08d}.png", np.roll(photo, step, 0))
    (path,) = write_gifs(tmp_path)
    shown = frames(path)[0][0].astype(int)
    assert np.abs(shown - photo).mean() < 6


def test_the_report_shows_the_way_and_links_it(tmp_path):
    folder = tmp_path / "images"
    for step in range(3):
        draw(folder, "a name", step, 50 * step)
    assert "gif" not in run_page.write_report(tmp_path).read_text("utf-8")
    write_gifs(folder)
    page = run_page.write_report(tmp_path).read_text("utf-8")
    assert 'src="data:image/gif;base64,' in page
    assert re.findall(r'href="([^"]+)"', page) == ["images/a%20name.gif"]


def test_a_way_for_which_the_page_has_no_room_is_linked_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("lecture_models.reports.run_images.MOST_BYTES", 100)
    for step in range(3):
        draw(tmp_path / "images", "samples", step, 50 * step)
    write_gifs(tmp_path / "images")
    page = run_page.write_report(tmp_path).read_text("utf-8")
    assert "data:image/gif" not in page
    assert 'href="images/samples.gif"' in page


@pytest.mark.parametrize("junk", [b"", b"GIF89a", b"<script>"])
def test_a_damaged_film_does_not_stop_a_report(tmp_path, junk):
    draw(tmp_path / "images", "samples", 0, 50)
    (tmp_path / "images" / "samples.gif").write_bytes(junk)
    assert "data:image/gif" not in run_page.write_report(tmp_path).read_text("utf-8")
