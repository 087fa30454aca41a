import math
import re

import numpy as np
import pytest

from lecture_models.reports import charts


@pytest.mark.parametrize(
    "values",
    [
        [0.0],
        [5.0] * 3,
        [1e-320, 0.0],
        [1e299, -1e299],
        [math.nan] * 2,
        [math.inf, 1.0],
        [1.0, 1.0 + 1e-15],
        [1e308, -1e308],
    ],
)
def test_any_values_make_a_chart_with_finite_numbers(values):
    drawn = charts.chart("train/loss", list(enumerate(values)), "x")
    assert not re.search(r"\bnan\b|\binf\b", drawn)
    assert len(drawn) < 20_000


def test_thinning_keeps_the_spike_the_ends_and_the_gap():
    points = [(step, math.sin(step / 900)) for step in range(5_000)]
    points[2_345] = (2_345, 100.0)
    points[3_000] = (3_000, None)
    thinned = charts.thin(points, 500)
    assert len(thinned) <= 500
    assert (2_345, 100.0) in thinned
    assert (3_000, None) in thinned
    assert (thinned[0], thinned[-1]) == (points[0], points[-1])
    assert [step for step, _ in thinned] == sorted(step for step, _ in thinned)
    assert charts.thin(points[:500], 500) == points[:500]


def test_ticks_are_round_numbers_inside_the_range():
    assert charts.ticks(0, 20_000, 4) == [0, 5_000, 10_000, 15_000, 20_000]
    np.testing.assert_allclose(charts.ticks(0.11, 0.52, 5), [0.2, 0.3, 0.4, 0.5])
