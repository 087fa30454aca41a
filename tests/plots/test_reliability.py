import numpy as np
import pytest
from PIL import ImageColor

from lecture_models.plots.png import tile
from lecture_models.plots.reliability import ABOVE, ACCURACY, MISSING, reliability_picture

EDGES = np.linspace(0.0, 1.0, 11)
MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2.0
COUNT = np.full(10, 5)


def _area(picture, color):
    return int((tile(picture[None], 1) == ImageColor.getrgb(color)).all(-1).sum())


def test_a_calibrated_classifier_has_no_gaps():
    picture = reliability_picture(MIDDLES, MIDDLES, COUNT)
    assert picture.shape == (480, 480, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= -1.0
    assert picture.max() == 1.0
    assert _area(picture, MISSING) == _area(picture, ABOVE) == 0
    assert _area(picture, ACCURACY) > 10_000


def test_what_is_missing_and_what_is_beyond_are_told_apart():
    over = reliability_picture(MIDDLES, MIDDLES - 0.05, COUNT)
    under = reliability_picture(MIDDLES, MIDDLES + 0.05, COUNT)
    assert _area(over, MISSING) > 1_000
    assert _area(over, ABOVE) == _area(under, MISSING) == 0
    assert _area(under, ABOVE) == pytest.approx(_area(over, MISSING), rel=0.15)


def test_bins_without_images_stay_empty():
    nothing = np.where(np.arange(10) == 9, MIDDLES, np.nan)
    picture = reliability_picture(nothing, nothing, np.where(np.arange(10) == 9, 5, 0))
    blue = np.argwhere((tile(picture[None], 1) == ImageColor.getrgb(ACCURACY)).all(-1))
    assert blue[:, 1].min() > 400


def test_no_images_and_small_pictures_are_refused():
    with pytest.raises(ValueError, match="1 or more are needed"):
        reliability_picture(MIDDLES, MIDDLES, 0 * COUNT)
    with pytest.raises(ValueError, match="side is 90; it must be at least 160"):
        reliability_picture(MIDDLES, MIDDLES, COUNT, 90)
