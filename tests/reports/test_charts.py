import json
import math

import pytest

from lecture_models.reports.charts import curve, flat, thin


@pytest.mark.parametrize(
    "values",
    [
        [0.0],
        [1e-320, 0.0],
        [1e299, -1e299],
        [math.nan] * 2,
        [math.inf, 1.0],
        [1e308, -1e308],
    ],
)
def test_any_values_make_a_chart_of_strict_json(values):
    chart = curve("train/loss", list(enumerate(values)))
    points = chart.data["series"][0]["points"]
    assert json.loads(json.dumps(chart.data, allow_nan=False)) == chart.data
    assert len(points) == 2 * len(values)
    assert len(chart.rows) == len(values)


def test_a_chart_without_a_script_is_a_table_with_all_digits():
    chart = curve("eval/loss", [(1_000, 69.97889), (2_000, math.nan), (3_000, 69.97881)])
    assert chart.columns == ("step", "eval/loss")
    assert chart.rows == [("1,000", "69.97889"), ("2,000", "not finite"), ("3,000", "69.97881")]
    assert chart.warning == "1 of 3 values are not finite"


def test_thinning_keeps_the_spike_the_ends_and_the_gap():
    points = [(step, math.sin(step / 900)) for step in range(5_000)]
    points[2_345] = (2_345, 100.0)
    points[3_000] = (3_000, None)
    thinned = thin(points, 500)
    assert len(thinned) <= 500
    assert (2_345, 100.0) in thinned
    assert (3_000, None) in thinned
    assert (thinned[0], thinned[-1]) == (points[0], points[-1])
    assert [step for step, _ in thinned] == sorted(step for step, _ in thinned)
    assert thin(points[:500], 500) == points[:500]


def test_rounding_keeps_the_shape_of_a_curve_whose_values_differ_little():
    assert flat([(1, 1 / 3), (2, 2 / 3)], 3) == [1, 0.333, 2, 0.667]
    assert flat([(1, 1.00000123), (2, 1.00000234)], 3) == [1, 1.00000123, 2, 1.00000234]
    assert flat([(1, 2 / 3), (2, None)], 3) == [1, 0.666666667, 2, None]
