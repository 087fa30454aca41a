"""Tests bars on a logarithmic axis."""

import numpy as np
import pytest

from lecture_models.plots.bars import log_bars


def test_a_longer_bar_has_more_colored_pixels():
    short = log_bars({"time": {"a": 1.0, "b": 10.0, "c": 1.0}}, "seconds")
    long = log_bars({"time": {"a": 9.0, "b": 10.0, "c": 1.0}}, "seconds")
    colored = [np.ptp(picture, axis=2) > 0.5 for picture in (short, long)]
    assert short.shape == (640, 640, 3)
    assert colored[1].sum() > colored[0].sum()


@pytest.mark.parametrize("values", [{}, {"time": {"a": 0.0}}])
def test_no_values_and_values_of_zero_are_refused(values):
    with pytest.raises(ValueError, match="there must be one or more, all above 0"):
        log_bars(values, "seconds")
