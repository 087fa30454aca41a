import numpy as np
import pytest

from experiments import feature_hierarchy as experiment
from lecture_models.attribution.patches import TopPeaks


def test_guessing_is_zero_and_perfection_one():
    assert experiment.above_chance(0.1, np.arange(10)) == pytest.approx(0.0)
    assert experiment.above_chance(1.0, np.arange(10)) == 1.0
    assert experiment.above_chance(0.75, np.zeros((4, 3), int)) == 0.5


def test_purity_is_the_share_of_the_commonest_object_of_channels_that_respond():
    images = np.array([[0, 0], [1, 2], [2, 4], [3, 5]])
    values = np.array([[2.0, 0.0], [2.0, 0.0], [1.0, 0.0], [1.0, 0.0]], np.float32)
    strongest = TopPeaks(values, images, images, images)
    assert experiment.purity(strongest, np.array([1, 1, 0, 1, 0, 0])) == 0.75
    silent = strongest._replace(values=0.0 * values)
    assert experiment.purity(silent, np.zeros(6, int)) == 0.0


def test_patches_are_enlarged_pixel_by_pixel():
    patch = np.array([[[0.0], [1.0]], [[2.0], [3.0]]])
    assert experiment.enlarged(patch, 4)[..., 0].tolist() == [
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [2, 2, 3, 3],
        [2, 2, 3, 3],
    ]


def test_the_channels_shown_are_those_that_respond_most():
    values = np.array([[0.0, 3.0, 1.0], [0.0, 5.0, 2.0]])
    assert experiment.strongest_channels(values, 2) == [1, 2]


def test_three_numbers_of_channels_are_needed():
    with pytest.raises(ValueError, match="--features has 2 numbers; it must have 3"):
        experiment.Config(features=(4, 4))
