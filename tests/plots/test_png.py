import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from lecture_models.plots import png


def test_every_byte_survives_the_way_to_plus_minus_one_and_back():
    every_byte = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    for scaled in (
        every_byte.astype(np.float32) / np.float32(127.5) - 1,
        every_byte.astype(np.float32) / 255 * 2 - 1,
    ):
        np.testing.assert_array_equal(png.tile(scaled, 1), every_byte[0])


def test_images_are_set_row_by_row_with_one_gray_pixel_between_small_ones():
    shades = jnp.linspace(-1.0, 1.0, 4).reshape(4, 1, 1, 1) * jnp.ones((4, 2, 3, 1))
    grid = png.tile(shades, columns=2)
    assert grid.shape == (2 * 2 + 1, 2 * 3 + 1, 1)
    assert [grid[0, 0, 0], grid[0, 4, 0], grid[3, 0, 0], grid[3, 4, 0]] == [0, 85, 170, 255]
    assert (grid[2] == png.SEPARATOR_GRAY).all()
    assert (grid[:, 3] == png.SEPARATOR_GRAY).all()


def test_large_images_are_two_pixels_apart():
    assert png.tile(np.zeros((2, 64, 64, 3), np.float32), 2).shape == (64, 130, 3)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 11])
def test_a_last_row_that_is_not_full_is_filled_with_gray(count):
    grid = png.tile(np.ones((count, 4, 4, 1), np.float32), columns=3)
    assert (grid == 255).sum() == count * 16
    assert set(np.unique(grid)) <= {png.SEPARATOR_GRAY, 255}
    assert grid.shape[1] == min(count, 3) * 5 - 1


def test_values_outside_the_range_are_clipped():
    row = np.array([-np.inf, -7.0, 7.0, np.inf], np.float32).reshape(1, 1, 4, 1)
    assert png.tile(row, 1).ravel().tolist() == [0, 0, 255, 255]


def test_a_nan_is_magenta_and_leaves_its_neighbors_alone():
    row = np.array([-1.0, np.nan, 1.0], np.float32).reshape(1, 1, 3, 1)
    assert png.tile(row, 1)[0].tolist() == [[0, 0, 0], [255, 0, 255], [255, 255, 255]]


def test_half_precision_is_read():
    assert png.tile(jnp.ones((1, 2, 2, 1), jnp.bfloat16), 1).min() == 255


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (2, 28, 28, 2), (0, 28, 28, 1)])
def test_another_shape_is_refused_by_name(shape):
    with pytest.raises(ValueError, match=r"have shape \(.*allowed: \(count, height, width"):
        png.tile(np.zeros(shape, np.float32), 1)


def test_bytes_and_no_columns_are_refused():
    with pytest.raises(ValueError, match="type uint8; allowed: floats"):
        png.tile(np.zeros((1, 2, 2, 1), np.uint8), 1)
    with pytest.raises(ValueError, match="columns is 0"):
        png.tile(np.zeros((1, 2, 2, 1), np.float32), 0)


@pytest.mark.parametrize(
    ("side", "scale"), [(1, 8), (28, 8), (289, 2), (320, 2), (321, 1), (2000, 1)]
)
def test_small_images_are_written_at_their_size_and_shown_larger(tmp_path, side, scale):
    path = tmp_path / "samples_00000100.png"
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 1)).astype(np.uint8)
    png.write_png(path, pixels)
    with Image.open(path) as written:
        np.testing.assert_array_equal(np.asarray(written), pixels[..., 0])
    assert png.shown_scale(side, side) == scale


def test_a_file_that_is_enlarged_itself_is_shown_as_large_as_before():
    assert png.shown_scale(28 * 8, 28 * 8, drawn=8) == 1
    assert png.shown_scale(640, 320, drawn=2) == 1


def test_opacity_is_written_and_read_back(tmp_path):
    path = tmp_path / "cut_out_00000100.png"
    pixels = np.linspace(-1.0, 1.0, 24).reshape(1, 2, 3, 4)
    png.write_png(path, png.tile(pixels, 1))
    with Image.open(path) as written:
        assert written.mode == "RGBA"
        np.testing.assert_array_equal(
            np.asarray(written)[..., 3], png.tile(pixels[..., 3:], 1)[..., 0]
        )
    grid = png.tile(np.repeat(pixels, 3, 0), 2)
    assert (grid[2, :, 3] == 255).all()
    assert (grid[:, 3, 3] == 255).all()
    pixels[0, 0, 0, 0] = np.nan
    assert png.tile(pixels, 1)[0, 0].tolist() == [*png.NAN_COLOR, 255]


def test_metadata_is_read_back_from_an_image(tmp_path):
    path = tmp_path / "images" / "samples_00000100.png"
    metadata = {"Command": "python launch.py", "Seed": "0", "Step": "100", "Caption": "sigma = σ₁"}
    png.write_png(path, np.zeros((4, 4, 3), np.uint8), metadata)
    assert png.read_metadata(path) == metadata
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "samples.png"
    png.write_png(path, np.zeros((4, 4, 1), np.uint8), {"Step": "1"})

    def full(path, content):
        raise OSError("no space left")

    monkeypatch.setattr(png.files, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        png.write_png(path, np.zeros((4, 4, 1), np.uint8), {"Step": "2"})
    assert png.read_metadata(path)["Step"] == "1"


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (1, 4, 4, 3), (0, 4, 1)])
def test_writing_another_shape_is_refused(tmp_path, shape):
    with pytest.raises(ValueError, match=r"allowed: \(height, width, 1, 3 or 4\)"):
        png.write_png(tmp_path / "a.png", np.zeros(shape, np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_large_image_is_written_at_its_size_and_keeps_its_colors(tmp_path):
    path = tmp_path / "styled_00000100.png"
    image = np.random.default_rng(0).uniform(-1, 1, (1, 1024, 1100, 3)).astype(np.float32)
    png.write_png(path, png.tile(image, 1))
    with Image.open(path) as written:
        assert written.size == (1100, 1024)
        back = np.asarray(written, np.float32) / 127.5 - 1.0
    assert np.abs(back - image[0]).max() <= 0.5 / 127.5 + 1e-6
