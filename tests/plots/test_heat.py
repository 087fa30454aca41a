import numpy as np
import pytest

from lecture_models.plots.heat import heat_colors


def test_ends_are_the_ends_of_the_color_map():
    colors = heat_colors(np.array([[0.0, 1.0, 2.0, 5.0]]), 1.0, 2.0, "gray")
    np.testing.assert_allclose(colors[0, :, 0], [-1.0, -1.0, 1.0, 1.0])
    assert colors.shape == (1, 4, 3)


def test_reversed_ends_are_refused():
    with pytest.raises(ValueError, match="high is 1.0; it must be above low"):
        heat_colors(np.zeros(1), 1.0, 1.0)
