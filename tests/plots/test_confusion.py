import numpy as np
import pytest

from lecture_models.plots.confusion import RIGHT, confusion_picture
from lecture_models.plots.png import tile

CLASSES = ("cat", "dog", "a class with a very long name indeed")


def _reds(picture):
    """Where red outweighs blue clearly: pairs that were confused."""
    return np.argwhere(picture[..., 0] - picture[..., 2] > 0.5)


def test_a_perfect_classifier_is_blue_on_the_diagonal_alone():
    picture = confusion_picture(7 * np.eye(3, dtype=np.int64), CLASSES)
    assert picture.shape == (480, 480, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= -1.0
    assert picture.max() <= 1.0
    assert len(_reds(picture)) == 0
    blue = np.argwhere((tile(picture[None], 1) == RIGHT).all(-1))
    assert len(blue) > 10_000
    slope = np.polyfit(blue[:, 1], blue[:, 0], 1)[0]
    assert slope == pytest.approx(1.0, abs=0.2)


def test_the_row_is_the_true_class_and_the_column_the_predicted_one():
    matrix = np.array([[10, 0, 5], [0, 10, 0], [0, 0, 10]])
    rows, columns = _reds(confusion_picture(matrix, CLASSES)).mean(axis=0)
    other_rows, other_columns = _reds(confusion_picture(matrix.T, CLASSES)).mean(axis=0)
    assert rows + 150 < other_rows
    assert columns - 150 > other_columns


def test_colors_are_shares_of_a_row():
    few, many = (
        confusion_picture(np.array([[n, n], [0, n]]), ("a", "b"))[..., :3].min(-1) for n in (1, 9)
    )
    assert np.mean(few != many) < 0.02  # The figures alone.


def test_a_class_without_images_and_many_classes_are_drawn():
    assert np.isfinite(confusion_picture(np.array([[0, 0], [1, 2]]), ("a", "b"), 160)).all()
    names = tuple(f"class {index}" for index in range(40))
    assert np.isfinite(confusion_picture(np.ones((40, 40), np.int64), names)).all()


def test_what_is_no_confusion_matrix_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 2\); with 3 classes"):
        confusion_picture(np.ones((2, 2), np.int64), CLASSES)
    with pytest.raises(ValueError, match="holds -1; counts must be at least 0"):
        confusion_picture(np.full((3, 3), -1), CLASSES)
    with pytest.raises(ValueError, match="side is 90; it must be at least 160"):
        confusion_picture(np.ones((3, 3), np.int64), CLASSES, 90)
