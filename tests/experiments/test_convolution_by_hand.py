import numpy as np
import pytest

from experiments import convolution_by_hand as experiment
from lecture_models.data.lookup import Library

SMALL = experiment.Config(**experiment.SMOKE)


@pytest.fixture(scope="module")
def evaluation():
    return experiment.build(SMALL, Library(None, print)).evaluate({}, None)


def test_all_ways_agree(evaluation):
    assert evaluation["largest_difference"] < 1e-5
    assert evaluation["alarm_agreement"] == ""
    assert len(evaluation["checks"].rows) == 23


def test_a_way_that_differs_is_seen():
    check = experiment.Check("wrong", np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    assert check.difference == 0.5


def test_the_flip_matters_for_an_asymmetric_kernel(evaluation):
    assert evaluation["convolution_from_correlation"] > 0.01


def test_smooth_and_edge_filters_are_separable_but_sharpening_is_not(evaluation):
    shares = dict(evaluation["separable"].rows)
    for name in ("copy", "blur", "box", "Sobel across", "Sobel down"):
        assert shares[name] == pytest.approx(1.0, abs=1e-6)
    assert shares["sharpen"] < 0.999


def test_sums_approach_the_integral():
    errors = [error for _, error in experiment.continuous_errors()]
    assert errors[0] > 1e-3 > 1e-6 > errors[-1]


def test_the_window_visits_every_place_and_fills_the_output(evaluation):
    frames = evaluation["sliding_window"].frames
    assert frames.shape == (4, 24, 24 + 6 + 12, 3)
    waiting = (np.abs(frames - np.reshape(experiment.WAITING, (1, 1, 1, 3))).max(-1) < 1e-6).sum(
        (1, 2)
    )
    assert waiting.tolist() == [3 * 36, 2 * 36, 36, 0]


def test_a_matrix_is_white_where_it_is_zero():
    picture = experiment.matrix_picture(np.array([[2.0, 0.0], [0.0, -1.0]]), 4)
    assert picture[0, 0].tolist() == [1.0, -1.0, -1.0]
    assert picture[0, 3].tolist() == [1.0, 1.0, 1.0]
    assert picture[3, 3].tolist() == [0.0, 0.0, 1.0]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="--signal is 3; it must be at least --kernel, 7"):
        experiment.Config(signal=3)
    with pytest.raises(ValueError, match="--images has 2 values; it must have 1"):
        experiment.Config(images=("a", "b"))
