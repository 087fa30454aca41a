import numpy as np
import pytest
from PIL import ImageColor

from lecture_models.plots.figure import SIDE
from lecture_models.plots.png import tile
from lecture_models.plots.reliability import (
    ACCURACY,
    OVERCONFIDENT,
    UNDERCONFIDENT,
    reliability_plot,
)

EDGES = np.linspace(0.0, 1.0, 11)
MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2.0
COUNT = np.full(10, 5)


def _pixels(image, color):
    """Returns the positions in exactly this color, without those of the legend."""
    positions = np.argwhere((tile(image[None], 1) == ImageColor.getrgb(color)).all(-1))
    return positions[(positions[:, 0] > 150) | (positions[:, 1] > 330)]


def _area(image, color):
    return len(_pixels(image, color))


def test_a_calibrated_classifier_has_no_gaps():
    image = reliability_plot(MIDDLES, MIDDLES, COUNT, 0.0)
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == np.float32
    assert image.min() >= -1.0
    assert image.max() == 1.0
    assert _area(image, OVERCONFIDENT) == _area(image, UNDERCONFIDENT) == 0
    assert _area(image, ACCURACY) > 10_000


def test_bars_end_on_the_diagonal_of_a_calibrated_classifier():
    bars = _pixels(reliability_plot(MIDDLES, MIDDLES, COUNT, 0.0), ACCURACY)
    tops = np.array([bars[bars[:, 1] == column, 0].min() for column in np.unique(bars[:, 1])])
    assert (np.diff(tops) <= 10).all()  # From left to right they grow.
    assert tops[0] - tops[-1] > 250


def test_both_signs_of_the_gap_are_told_apart():
    over = reliability_plot(MIDDLES, MIDDLES - 0.05, COUNT, 0.05)
    under = reliability_plot(MIDDLES, MIDDLES + 0.05, COUNT, 0.05)
    assert _area(over, OVERCONFIDENT) > 1_000
    assert _area(over, UNDERCONFIDENT) == _area(under, OVERCONFIDENT) == 0
    assert _area(under, UNDERCONFIDENT) == pytest.approx(_area(over, OVERCONFIDENT), rel=0.15)


def test_the_calibration_error_is_written_above_the_diagram():
    first, second = (reliability_plot(MIDDLES, MIDDLES, COUNT, error) for error in (0.0, 0.25))
    changed = np.argwhere((first != second).any(-1))
    assert len(changed) > 10
    assert changed[:, 0].max() < 40


def test_bins_without_images_stay_empty():
    nothing = np.where(np.arange(10) == 9, MIDDLES, np.nan)
    image = reliability_plot(nothing, nothing, np.where(np.arange(10) == 9, 5, 0), 0.0)
    assert _pixels(image, ACCURACY)[:, 1].min() > 0.8 * SIDE


def test_the_same_bins_give_the_same_bytes():
    first, second = (reliability_plot(MIDDLES, MIDDLES - 0.03, COUNT, 0.03) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="1 or more are needed"):
        reliability_plot(MIDDLES, MIDDLES, 0 * COUNT, 0.0)
