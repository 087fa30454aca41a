"""Tests that boxes and masks are drawn where they are, in colors that tell them apart."""

import numpy as np
import pytest

from lecture_models.experiment import LabeledBox
from lecture_models.plots.overlay import draw_overlay, overlay_color
from lecture_models.plots.png import tile

BLACK = np.full((1, 32, 32, 1), -1.0, np.float32)
SCALE = 5  # 32 pixels become 160.


def drawn(pixels, *boxes, masks=None):
    """Returns the drawing of one image as bytes."""
    return tile(draw_overlay(pixels, (boxes,) if boxes else (), masks), 1)


def colored(drawing, color):
    """Returns the first and last row and column that have a color."""
    rows, columns = np.nonzero((drawing == np.array([[color]])).all(axis=-1))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def test_without_annotations_an_image_is_only_enlarged():
    pixels = np.linspace(-1, 1, 32 * 32, dtype=np.float32).reshape(1, 32, 32, 1)
    np.testing.assert_array_equal(
        draw_overlay(pixels)[0, ::SCALE, ::SCALE],
        np.broadcast_to(draw_overlay(pixels)[0, ::SCALE, ::SCALE, :1], (32, 32, 3)),
    )
    np.testing.assert_array_equal(drawn(pixels)[::SCALE, ::SCALE, :1], tile(pixels, 1))


def test_a_large_image_keeps_its_size():
    assert draw_overlay(np.zeros((2, 200, 90, 3), np.float32)).shape == (2, 200, 90, 3)


def test_a_box_is_drawn_at_its_edges():
    drawing = drawn(BLACK, LabeledBox(8, 4, 24, 30))
    assert colored(drawing, overlay_color(0)) == (8 * SCALE, 4 * SCALE, 24 * SCALE, 30 * SCALE)
    assert drawing[16 * SCALE, 16 * SCALE].tolist() == [0, 0, 0]


def test_labels_have_colors_in_sorted_order():
    drawing = drawn(BLACK, LabeledBox(18, 2, 30, 30, "b"), LabeledBox(2, 2, 14, 30, "a"))
    assert drawing[13 * SCALE, 2 * SCALE].tolist() == list(overlay_color(0))
    assert drawing[29 * SCALE, 2 * SCALE].tolist() == list(overlay_color(1))


def test_a_score_is_written_beside_the_label():
    plain = drawn(BLACK, LabeledBox(8, 4, 24, 30, "cat"))
    scored = drawn(BLACK, LabeledBox(8, 4, 24, 30, "cat", 0.5))
    assert (plain != scored).any(axis=-1).sum() > 50


def test_boxes_beyond_the_image_are_cut_or_skipped():
    outside = drawn(BLACK, LabeledBox(40, 40, 50, 50, "far"))
    np.testing.assert_array_equal(outside, drawn(BLACK))
    assert (drawn(BLACK, LabeledBox(16, 16, 50, 50)) != drawn(BLACK)).any()


def test_a_mask_is_transparent_inside_and_outlined():
    masks = np.zeros((1, 32, 32), int)
    masks[0, 8:24, 8:24] = 3
    drawing = drawn(BLACK, masks=masks)
    color = np.array(overlay_color(2))
    np.testing.assert_allclose(drawing[16 * SCALE, 16 * SCALE], color / 2, atol=1.0)
    assert drawing[8 * SCALE, 16 * SCALE].tolist() == color.tolist()
    assert drawing[0, 0].tolist() == [0, 0, 0]


def test_a_hundred_labels_have_a_hundred_colors():
    colors = np.array([overlay_color(index) for index in range(100)])
    distances = np.abs(colors[:, None] - colors[None]).sum(-1) + 1_000 * np.eye(100)
    assert distances.min() > 5
    assert colors.min() >= 0
    assert colors.max() <= 255


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pixels": BLACK[0]}, r"images have shape \(32, 32, 1\)"),
        ({"pixels": BLACK.astype(int)}, "images are of type int"),
        ({"boxes": ((), ())}, "boxes for 2 images, but 1 images"),
        ({"boxes": ((LabeledBox(3, 0, 2, 9),),)}, "is reversed"),
        ({"boxes": ((LabeledBox(0, np.nan, 2, 9),),)}, "is not finite"),
        ({"masks": np.zeros((1, 32, 31), int)}, r"masks have shape \(1, 32, 31\); it must be"),
        ({"masks": np.zeros((1, 32, 32))}, "masks are of type float64; they must be integers"),
        ({"masks": np.full((1, 32, 32), -1)}, "the smallest mask value is -1; it must be at least"),
    ],
)
def test_annotations_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_overlay(**({"pixels": BLACK} | arguments))
