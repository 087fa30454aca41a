import numpy as np
import pytest

from lecture_models.plots.confusion import confusion_plot
from lecture_models.plots.figure import SIDE

CLASSES = ("cat", "dog", "a class with a very long name indeed")


def _red_cells(image):
    """Returns the pixels where red clearly outweighs blue: pairs of classes that were confused."""
    return np.argwhere(image[..., 0] - image[..., 2] > 0.5)


def _blue_cells(image):
    return np.argwhere(image[..., 2] - image[..., 0] > 0.5)


def test_a_perfect_classifier_is_blue_on_the_diagonal_alone():
    image = confusion_plot(7 * np.eye(3, dtype=np.int64), CLASSES)
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == np.float32
    assert image.min() >= -1.0
    assert image.max() <= 1.0
    assert len(_red_cells(image)) == 0
    blue = _blue_cells(image)
    assert len(blue) > 10_000
    slope = np.polyfit(blue[:, 1], blue[:, 0], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.2)


def test_the_row_is_the_true_class_and_the_column_the_predicted_one():
    matrix = np.array([[10, 0, 5], [0, 10, 0], [0, 0, 10]])
    row, column = _red_cells(confusion_plot(matrix, CLASSES)).mean(axis=0)
    other_row, other_column = _red_cells(confusion_plot(matrix.T, CLASSES)).mean(axis=0)
    assert row + 150 < other_row
    assert column - 150 > other_column


def test_colors_are_shares_of_a_row():
    few, many = (
        confusion_plot(np.array([[n, n], [0, n]]), ("a", "b"))[..., :3].min(-1) for n in (1, 9)
    )
    assert 0.0 < np.mean(few != many) < 0.02  # The counts differ.


def test_counts_are_written_until_the_cells_become_too_small():
    def dark_pixels(count):
        matrix = np.ones((count, count), np.int64) + 900 * np.eye(count, dtype=np.int64)
        image = confusion_plot(matrix, tuple("a" * count))
        inside = image[100:400, 150:450]
        return np.mean(inside.max(-1) < 0.0)

    assert dark_pixels(10) > 0.003
    assert dark_pixels(60) == 0.0


def test_the_same_matrix_gives_the_same_bytes():
    matrix = np.random.default_rng(0).integers(0, 900, (10, 10))
    first, second = (confusion_plot(matrix, tuple("0123456789")) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_class_without_images_and_many_classes_are_drawn():
    assert np.isfinite(confusion_plot(np.array([[0, 0], [1, 2]]), ("a", "b"))).all()
    names = tuple(f"class {index}" for index in range(200))
    assert np.isfinite(confusion_plot(np.ones((200, 200), np.int64), names)).all()


def test_names_of_classes_are_plain_text_in_any_script():
    names = ("_hidden", "$x$", "$", "\N{CJK UNIFIED IDEOGRAPH-732B}")
    assert np.isfinite(confusion_plot(np.eye(4, dtype=np.int64), names)).all()


def test_another_matrix_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 2\); with 3 classes"):
        confusion_plot(np.ones((2, 2), np.int64), CLASSES)
    with pytest.raises(ValueError, match="holds -1; counts must be at least 0"):
        confusion_plot(np.full((3, 3), -1), CLASSES)
