import numpy as np

from lecture_models.data.many_boxes import many_boxes_split
from lecture_models.metrics.detection import average_precision
from lecture_models.tasks import sliding_window
from lecture_models.tasks.detection import true_boxes


def squares(count, seed):
    """Returns pictures of one bright square of a size and a place, red or blue."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 40, (count, 48, 48, 3)).astype(np.uint8)
    boxes, labels = [], []
    for picture in pixels:
        top, left = 2 * generator.integers(0, 18, 2)
        label = int(generator.integers(2))
        picture[top : top + 12, left : left + 12, 2 * label] = 230
        boxes.append(np.array([[top, left, top + 12, left + 12]], np.float32) / 48.0)
        labels.append(np.array([label]))
    return many_boxes_split(pixels, boxes, labels)


def test_windows_find_squares_of_a_color():
    model = sliding_window.fit_windows(squares(20, 0), 2, np.random.default_rng(0))
    np.testing.assert_allclose(model.sizes, 0.25)
    test = squares(5, 1)
    found = sliding_window.find_windows(model, test["pixels"])
    assert np.nanmean(average_precision(found, true_boxes(test), 2, (0.5,))) > 0.7
