"""Numbers as people read them: digits follow the distance of the values."""

import math

import pytest

from lecture_models.reports.html import (
    alike,
    apart,
    cells,
    duration,
    exact,
    number,
    signed,
    with_spread,
)

INF, NAN = math.inf, math.nan
COLUMNS = {
    (32.2611, 32.2612, 32.2614): ["32.2611", "32.2612", "32.2614"],
    (32.26, 1.5, 700.0): ["32.26", "1.500", "700"],
    (32.2611, 32.2612, 1e6): ["32.2611", "32.2612", "1,000,000.00"],  # One trial has diverged.
    (-1.0, -1.00001): ["-1.00000", "-1.00001"],
    (999.99999, 1000.0): ["999.99999", "1,000.00000"],
    (0.99996, 0.99997): ["0.99996", "0.99997"],
    (16_777_216.0, 16_777_217.0): ["16,777,216", "16,777,217"],
    (1_000_000.5, 1_000_000.6): ["1,000,000.5", "1,000,000.6"],
    (999_999.5, 1_000_000.5): ["999,999.5", "1,000,000.5"],
    (32.26115, 32.26125): ["32.26115", "32.26125"],
    (1e300, 1.00001e300): ["1.00000e300", "1.00001e300"],
    (1.23456e-7, 1.23457e-7): ["1.23456e-7", "1.23457e-7"],
    (1e-320, 2e-320, 0.0): ["1.000e-320", "2.000e-320", "0"],
    (1e308, -1e308): ["1.000e308", "-1.000e308"],
    (5.0, 5.0, 5.0): ["5", "5", "5"],
    (0.1 + 0.2, 0.3): ["0.3000", "0.3000"],  # Equal in all digits that a float32 has.
    (0.5, 1e-12, 2e-12): ["0.5000", "1.000e-12", "2.000e-12"],
    (NAN, INF, -INF, 1.5): ["NaN", "∞", "-∞", "1.500"],
}


@pytest.mark.parametrize("values", COLUMNS)
def test_different_values_of_a_column_look_different(values):
    assert alike(values) == COLUMNS[values]


def test_a_column_may_have_gaps_or_nothing():
    assert alike([None, 1.25]) == ["-", "1.250"]
    assert alike([]) == []
    assert number(2.5, apart([])) == "2.500"


def test_a_number_has_four_digits_and_a_whole_one_all():
    values = (20_000.0, 0.69314718, 223.4149, 12_345.67, 2e-4, 2e-5, 0.0, -0.0)
    shown = ["20,000", "0.6931", "223.4", "12,346", "0.0002000", "2.000e-5", "0", "0"]
    assert [number(value) for value in values] == shown


def test_a_setting_is_shown_as_it_was_written():
    settings = [3e-4, 1e-5, 1e-8, 1000.0, 0.5, 64, True, None, [200, 200], "adam", 1 / 3]
    assert cells(settings) == [
        *("0.0003", "0.00001", "1e-8", "1000", "0.5", "64", "True", "-", "200,200", "adam"),
        "0.3333",
    ]
    assert cells([0.0010001, 0.0010002]) == ["0.0010001", "0.0010002"]


@pytest.mark.parametrize(
    ("mean", "std", "shown"),
    [
        (32.26125, 0.00012, ("32.26125", "0.00012")),
        (1.5, 0.25, ("1.500", "0.250")),
        (20_000.123, 500.0, ("20,000", "500")),
        (3.0, 0.0, ("3", "0")),
        (0.0, 0.5, ("0.00", "0.50")),
        (1e-5, 2e-6, ("1.000e-5", "2.000e-6")),
        (1e9, 1.0, ("1,000,000,000", "1")),
        (NAN, 1.0, ("NaN", "1")),
    ],
)
def test_a_mean_has_the_digits_of_its_standard_deviation(mean, std, shown):
    assert with_spread(mean, std) == shown


def test_eight_digits_become_all_where_different_values_would_look_equal():
    assert exact([1.0, 1 / 3]) == ["1", "0.33333333"]
    assert exact([1.0, 0.3, 0.1 + 0.2]) == ["1.0", "0.3", "0.30000000000000004"]
    assert exact([None, 123_456_789, True, 0.5, [3, 3]]) == ["-", "123456789", "True", "0.5", "3,3"]


def test_a_difference_has_a_sign_unless_there_is_none():
    assert [signed(gap) for gap in (None, 0.0, 0.12345, -2)] == ["-", "0", "+0.123", "-2"]


def test_a_duration_is_in_the_units_that_suit_it():
    times = (4.21, 9.96, 40.2, 59.7, 332.4, 600.0, 3_599.8, 7_260.0, INF)
    assert [duration(seconds) for seconds in times] == [
        *("4.2 s", "10 s", "40 s", "1 min", "5 min 32 s", "10 min", "1 h 00 min", "2 h 01 min", "")
    ]
